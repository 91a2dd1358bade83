import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// The repository that saves an account with all its withdrawals.
@Suite struct WholeAccountTests {
    @Test(.timeLimit(.minutes(2))) func `old: one more withdrawal rewrites them all`() async throws {
        try await withOldServer { _, old in
            let accounts = OldAccounts(connection: old[0])
            let withdrawals = (0..<1000).map { OldAccount.Withdrawal(amount: 1_00, purpose: "number \($0)") }
            try await accounts.insert(OldAccount(id: 1, owner: "alice", balance: 100_00, withdrawals: withdrawals))
            func handled() async throws -> [Int64] {
                let rows = try await old[0].query(
                    """
                    SELECT variable_value FROM information_schema.session_status
                    WHERE variable_name IN ('HANDLER_DELETE', 'HANDLER_UPDATE', 'HANDLER_WRITE') ORDER BY variable_name
                    """)
                return try rows.map { try $0.integer(0) }
            }
            let before = try await handled()
            var account = try await accounts.load(1)
            account.withdraw(5_00, for: "rent")
            try await accounts.save(account)
            let after = try await handled()
            // Deleted, updated, inserted.
            #expect(zip(after, before).map { $0 - $1 } == [1000, 1, 1001])
        }
    }

    @Test(.timeLimit(.minutes(2))) func `old: of two savers one loses a withdrawal, and its money is back in the balance`() async throws {
        try await withOldServer(connections: 2) { _, old in
            let (one, other) = (OldAccounts(connection: old[0]), OldAccounts(connection: old[1]))
            try await one.insert(OldAccount(id: 1, owner: "alice", balance: 100_00))
            var (rent, food) = (try await one.load(1), try await other.load(1))
            rent.withdraw(50_00, for: "rent")
            food.withdraw(20_00, for: "food")
            try await one.save(rent)
            try await other.save(food)
            let account = try await one.load(1)
            #expect(account.withdrawals == [OldAccount.Withdrawal(amount: 20_00, purpose: "food")])
            #expect(account.balance == 80_00)
        }
    }

    private static func open(_ book: TestBook) async throws {
        try await book.ledger.openAccount("bank", in: .eur, type: .asset)
        try await book.ledger.openAccount("customers:1", in: .eur, type: .liability)
    }

    @Test(.timeLimit(.minutes(2))) func `new: one withdrawal is one entry, also behind a thousand`() async throws {
        try await withBook { book in
            try await Self.open(book)
            let units = Units(book.ledger)
            try await units.run { unit in
                let account = try await unit.load(BankAccount.self, "1")
                try account.apply(account.state.deposit(2000_00))
                for number in 0..<1000 { try account.apply(account.state.withdraw(1_00, for: "number \(number)")) }
            }
            let added = try await book.rowsAdded {
                try await units.run { unit in
                    let account = try await unit.load(BankAccount.self, "1")
                    try account.apply(account.state.withdraw(5_00, for: "rent"))
                }
            }
            #expect(added == ["entry": 1, "posting": 1, "stream_entry": 1])
            let account = try await units.begin().load(BankAccount.self, "1").state
            #expect(account.withdrawals.count == 1001 && account.balance == 995_00)
            #expect(try await book.ledger.balance(of: "customers:1", in: .eur).minorUnits == 995_00)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `new: of two withdrawals at once none is lost, and each was decided on the other`() async throws {
        try await withBook { book in
            try await Self.open(book)
            let units = Units(book.ledger)
            try await units.run { unit in
                let account = try await unit.load(BankAccount.self, "1")
                try account.apply(account.state.deposit(100_00))
            }
            func withdraw(_ amount: Int64, for purpose: String, meanwhile: () async throws -> Void = {}) async throws {
                try await units.run { unit in
                    let account = try await unit.load(BankAccount.self, "1")
                    try await meanwhile()
                    try account.apply(account.state.withdraw(amount, for: purpose))
                }
            }
            var attempts = 0
            try await withdraw(50_00, for: "rent") {
                attempts += 1
                if attempts == 1 { try await withdraw(20_00, for: "food") }
            }
            #expect(attempts == 2)
            let account = try await units.begin().load(BankAccount.self, "1").state
            #expect(account.withdrawals.map(\.purpose) == ["food", "rent"] && account.balance == 30_00)
            #expect(try await book.ledger.balance(of: "customers:1", in: .eur).minorUnits == 30_00)

            // What the first reading would have allowed and the second does not.
            attempts = 0
            await #expect(throws: Refusal(reason: "1000 cents are missing")) {
                try await withdraw(30_00, for: "shoes") {
                    attempts += 1
                    if attempts == 1 { try await withdraw(10_00, for: "cinema") }
                }
            }
            #expect(try await book.ledger.balance(of: "customers:1", in: .eur).minorUnits == 20_00)
        }
    }
}
