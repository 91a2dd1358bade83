import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// The way from the old tables to a ledger, as docs/moving.md tells it.
@Suite struct MovingTests {
    private func withBoth(_ connections: Int = 2, _ body: (TestBook, [MariaDBConnection]) async throws -> Void) async throws {
        try await withOldServer(connections: connections) { _, old in
            try await withBook { book in
                let bank = OldBank(connection: old[0])
                try await bank.open(1, owner: "alice", balance: 100_00)
                try await bank.open(2, owner: "bob", balance: 0)
                try await bank.open(3, owner: "carol", balance: -5_00)
                try await bank.move(20_00, on: 1)
                try await body(book, old)
            }
        }
    }

    private static func balances(_ ledger: Ledger) async throws -> [Int128] { try await ledger.balances(of: "customers:*").map(\.minorUnits) }

    @Test(.timeLimit(.minutes(2))) func `opening twice is opening once, whatever moves in between`() async throws {
        try await withBoth { book, old in
            let moving = try await Moving.begin(old[1], book.ledger)
            #expect(moving.cut == 1)
            try await moving.open()
            let opened = try await Self.balances(book.ledger)
            #expect(opened == [120_00, 0, -5_00])
            #expect(try await book.ledger.balance(of: "opening-balances", in: .eur).minorUnits == -115_00)

            let bank = OldBank(connection: old[0])
            try await bank.move(-30_00, on: 1)
            try await bank.move(7_00, on: 3)
            try await bank.open(4, owner: "dan", balance: 0)
            let again = try await Moving.begin(old[1], book.ledger)
            #expect(again.cut == 1)
            #expect(try await again.compare().differences == [Comparison.Difference(account: "customers:4", old: 0, ledger: nil)])
            try await again.open()
            #expect(try await Self.balances(book.ledger) == opened + [0])
            #expect(try await book.entries("account.opening-balance") == 4)
            #expect(try await book.entries("moving.cut") == 1)

            #expect(try await again.copy() == 2)
            #expect(try await Self.balances(book.ledger) == [90_00, 0, 2_00, 0])
        }
    }

    @Test(.timeLimit(.minutes(2))) func `the cut waits for whoever is writing, so that no movement below it comes in later`() async throws {
        try await withBoth { book, old in
            try await old[1].execute(unprepared: "SET SESSION lock_wait_timeout = 1")
            try await old[0].execute(unprepared: "START TRANSACTION")
            _ = try await old[0].query("INSERT INTO movement (account_id, amount) VALUES (2, 100)")
            await #expect { _ = try await Moving.begin(old[1], book.ledger) } throws: {
                ($0 as? MariaDBError)?.number == MariaDBError.Number.lockWaitTimeout
            }
            try await old[0].execute(unprepared: "COMMIT")
            #expect(try await Moving.begin(old[1], book.ledger).cut == 2)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `what the dual run did not come to is missing in the comparison, and copied once`() async throws {
        try await withBoth { book, old in
            let moving = try await Moving.begin(old[1], book.ledger)
            try await moving.open()
            let dual = DualRun(old: OldBank(connection: old[0]), moving: moving)
            try await dual.move(-10_00, on: 1)
            // The program ended between the two.
            let lost = try await dual.old.move(3_00, on: 2)
            try await dual.move(-1_00, on: 2)

            let before = try await moving.compare()
            #expect(before.differences == [] && before.missing == [lost.id])
            #expect(try await moving.copy() == 1)
            #expect(try await moving.copy() == 0)
            let after = try await moving.compare()
            #expect(after.differences == [] && after.missing == [])
            #expect(try await Self.balances(book.ledger) == [110_00, 2_00, -5_00])

            // What comes in while both sides are read is missing, and no difference.
            let amid = try await moving.compare { try await dual.move(4_00, on: 2) }
            #expect(amid.differences == [] && amid.missing == [lost.id + 2])

            // A position that nobody will ever use: what lies behind it counts when a projector has closed it.
            try await book.losePosition()
            let behind = try await dual.old.move(1_00, on: 2)
            #expect(try await moving.copy() == 1)
            let stopped = try await moving.compare()
            #expect(stopped.differences == [] && stopped.missing == [behind.id])
            try await book.project()
            let complete = try await moving.compare()
            #expect(complete.differences == [] && complete.missing == [] && complete.through > stopped.through)
            // Carol is still overdrawn.
            await #expect { try await moving.finish() } throws: { ($0 as? LedgerError)?.code == .limitExceeded }
        }
    }

    @Test(.timeLimit(.minutes(2))) func `a copy that begins at the cut gets what commits late, one from the last id does not`() async throws {
        try await withBoth { book, old in
            let moving = try await Moving.begin(old[1], book.ledger)
            try await moving.open()
            try await old[0].execute(unprepared: "START TRANSACTION")
            _ = try await old[0].query("INSERT INTO movement (account_id, amount) VALUES (2, 100)")
            let bank = OldBank(connection: old[1])
            let last = try await bank.move(5_00, on: 3)
            #expect(try await moving.copy() == 1)
            try await old[0].execute(unprepared: "COMMIT")
            #expect(try await old[1].query("SELECT id FROM movement WHERE id > \(last.id)").isEmpty)
            #expect(try await moving.copy() == 1)
            #expect(try await moving.copy() == 0)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `a comparison while four go on writing finds no difference that is none, and each that is one`() async throws {
        try await withBoth(6) { book, old in
            let moving = try await Moving.begin(old[0], book.ledger)
            try await moving.open()
            let isOver = Flag()
            let comparisons = try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 1...4 {
                    group.addTask {
                        let dual = DualRun(old: OldBank(connection: old[writer]), moving: moving)
                        var number = 0
                        while number < 20 || !isOver.isSet {
                            try await dual.move(Int64(writer * 100 + number % 50), on: Int64(number % 3 + 1))
                            number += 1
                        }
                    }
                }
                defer { isOver.set() }
                var comparisons: [Comparison] = []
                // At ten states of the journal, and more of the old tables.
                while Set(comparisons.map(\.through)).count < 10 {
                    comparisons.append(try await moving.compare())
                    try await book.project()
                }
                isOver.set()
                try await group.waitForAll()
                return comparisons
            }
            for comparison in comparisons { #expect(comparison.differences == [], "\(comparison)") }
            let end = try await moving.compare()
            #expect(end.differences == [] && end.missing == [])

            // Somebody repairs a balance by hand.
            let before = try await moving.ledger.balance(of: "customers:2", in: .eur).minorUnits
            _ = try await old[5].query("UPDATE account SET balance = balance + 1 WHERE id = 2")
            let found = try await moving.compare()
            #expect(found.differences == [Comparison.Difference(account: "customers:2", old: before + 1, ledger: before)])
            // And then it cannot be finished.
            await #expect(throws: Moving.NotEqual.self) { try await moving.finish() }
        }
    }

    @Test(.timeLimit(.minutes(2))) func `a change that the old code itself has lost shows as a difference`() async throws {
        try await withBoth(3) { book, old in
            let moving = try await Moving.begin(old[2], book.ledger)
            try await moving.open()
            let dual = DualRun(old: OldBank(connection: old[0]), moving: moving)
            // Somebody edits the owner's name on a page that has loaded the whole account, and a deposit comes in meanwhile.
            let accounts = OldAccounts(connection: old[1])
            var account = try await accounts.load(2)
            try await dual.move(50_00, on: 2)
            account.owner = "Bob"
            try await accounts.save(account)
            let found = try await moving.compare()
            #expect(found.differences == [Comparison.Difference(account: "customers:2", old: 0, ledger: 50_00)])
            #expect(found.missing == [])
            // Nor can it be opened again: what it had at the cut would be another amount.
            await #expect { try await moving.open() } throws: {
                ($0 as? LedgerError)?.code == .conflict && ($0 as? LedgerError)?.standing != nil
            }
        }
    }

    @Test(.timeLimit(.minutes(2))) func `after the switch the ledger goes on alone, within its own limits`() async throws {
        try await withBoth { book, old in
            let moving = try await Moving.begin(old[1], book.ledger)
            try await moving.open()
            let dual = DualRun(old: OldBank(connection: old[0]), moving: moving)
            func bank(_ phase: Bank.Phase) -> Bank { Bank(phase: phase, dual: dual) }
            try await bank(.old).move(1_00, on: 2, request: "a")
            try await bank(.both).move(5_00, on: 3, request: "b")
            #expect(try await bank(.both).balance(of: 2) == 1_00)
            // The first of these the ledger does not have yet.
            #expect(try await bank(.ledgerReads).balance(of: 2) == 0)
            #expect(try await moving.copy() == 1)
            for phase in [Bank.Phase.both, .ledgerReads] {
                try await bank(phase).move(-1_00, on: 1, request: "c")
                for account in Int64(1)...3 {
                    #expect(try await bank(.both).balance(of: account) == bank(.ledgerReads).balance(of: account))
                }
            }

            try await moving.finish()
            try await moving.finish()
            let last = try await old[0].query("SELECT MAX(id) FROM movement")[0].integer(0)
            try await bank(.ledger).move(-18_00, on: 1, request: "d")
            try await bank(.ledger).move(-18_00, on: 1, request: "d")
            #expect(try await bank(.ledger).balance(of: 1) == 100_00)
            #expect(try await bank(.old).balance(of: 1) == 118_00)
            #expect(try await old[0].query("SELECT MAX(id) FROM movement")[0].integer(0) == last)
            // The domain refuses what it knows, and the ledger whatever comes by another way.
            await #expect(throws: Refusal(reason: "100 cents are missing")) { try await bank(.ledger).move(-101_00, on: 1, request: "e") }
            let overdraft = Entry(
                kind: "adjusted", postings: [Posting(debit: "customers:1", credit: "bank", amount: Amount(minorUnits: 101_00, .eur))])
            await #expect { try await book.ledger.post(overdraft) } throws: { ($0 as? LedgerError)?.code == .limitExceeded }
            for account in Int64(1)...3 {
                let state = try await Units(book.ledger).begin().load(BankAccount.self, String(account)).state
                #expect(try await bank(.ledger).balance(of: account) == Int128(state.balance))
            }
            #expect(try await book.project() > .zero)
            #expect(try await book.reconcile().verdict == .clean)
        }
    }
}
