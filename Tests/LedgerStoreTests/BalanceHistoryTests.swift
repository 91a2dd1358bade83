import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// What balances say where history is missing, and what reading them costs.
@Suite struct BalanceHistoryTests {
    @Test func `where history is missing it is an error, never a balance of less`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 5))
            func code(_ time: BalanceTime) async -> LedgerError.Code? {
                var codes: Set<LedgerError.Code?> = []
                do { _ = try await book.ledger.balance(of: "a0", in: .eur, at: time); codes.insert(nil) } catch { codes.insert(error.code) }
                do { _ = try await book.ledger.balances(at: time); codes.insert(nil) } catch { codes.insert(error.code) }
                #expect(codes.count == 1, "\(time): \(codes)")
                return codes.first ?? nil
            }
            for projects in [false, true] {
                if projects { try await book.project() }
                let other = Receipt(id: .minted(), position: receipt.position, recordedAt: receipt.recordedAt, isRepeat: false)
                let ahead = Receipt(id: .minted(), position: Position(10_000), recordedAt: receipt.recordedAt, isRepeat: false)
                let tomorrow = Timestamp(microseconds: receipt.recordedAt.microseconds + 86_400_000_000)
                #expect(await code(.atLeast(receipt)) == nil)
                #expect(await code(.atLeast(other)) == .historyUnavailable)
                #expect(await code(.atLeast(ahead)) == .historyUnavailable)
                #expect(await code(.position(Position(10_000))) == .historyUnavailable)
                #expect(await code(.position(receipt.position)) == nil)
                #expect(await code(.recorded(tomorrow)) == .historyUnavailable)
                #expect(await code(.recorded(receipt.recordedAt)) == nil)
                #expect(await code(.effective(tomorrow)) == nil)
            }
            let missing = await #expect(throws: LedgerError.self) { try await book.ledger.totals(of: "b:*") }
            #expect(missing?.code == .unknownAccount)
        }
    }

    @Test func `a position that is not decided is not guessed, by its number or by its time`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            try await book.ledger.post(transfer(accounts[0], accounts[1], 5))
            try await book.withConnection(role: .writer) { connection in
                _ = try await connection.query("START TRANSACTION")
                _ = try await connection.query("INSERT INTO entry (id, kind) VALUES (UNHEX(MD5('x')), 'slow')")
                let after = try await book.ledger.post(transfer(accounts[0], accounts[1], 7))
                for time in [BalanceTime.position(after.position), .recorded(after.recordedAt)] {
                    let error = await #expect(throws: LedgerError.self) { try await book.ledger.balance(of: "a1", in: .eur, at: time) }
                    #expect(error?.code == .historyUnavailable, "\(time)")
                }
                // Both count, and it is said up to where nothing is missing.
                let current = try await book.ledger.balance(of: "a1", in: .eur)
                #expect(current.totals.debitsPosted == 12)
                #expect(current.through.number == after.position.number - 2)
                let atLeast = try await book.ledger.balance(of: "a1", in: .eur, at: .atLeast(after))
                #expect(atLeast.totals.debitsPosted == 12)
                _ = try await connection.query("ROLLBACK")
            }
        }
    }

    @Test func `at least a receipt has it at once, with the projector behind or not, and waiting has it projected`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let projector = Projector(book.location)
            for round in 1...30 {
                let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 1))
                #expect(try await book.ledger.balance(of: "a1", in: .eur, at: .atLeast(receipt)).totals.debitsPosted == Int128(round))
                if round % 3 == 0 { try await projector.catchUp() }
                #expect(try await book.ledger.balance(of: "a1", in: .eur, at: .atLeast(receipt)).totals.debitsPosted == Int128(round))
            }
            let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 1))
            let late = await #expect(throws: LedgerError.self) { try await book.ledger.wait(for: receipt, timeout: .milliseconds(50)) }
            #expect(late?.code == .jobBehind)
            #expect(late?.message.contains("lag is 1 position") == true, "\(late?.message ?? "")")
            let running = Task { try await projector.run() }
            try await book.ledger.wait(for: receipt, timeout: .seconds(60))
            #expect(try await book.ledger.balance(of: "a1", in: .eur, at: .projected).totals.debitsPosted == 31)
            try await book.ledger.wait(for: receipt, job: "account_line", timeout: .seconds(60))
            let none = await #expect(throws: LedgerError.self) { try await book.ledger.wait(for: receipt, job: "none") }
            #expect(none?.code == .schema)
            running.cancel()
            _ = try? await running.value
            await projector.close()
        }
    }

    @Test func `a hold that is over holds nothing at any time after its instant`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let now = try await book.ledger.post(transfer(accounts[0], accounts[1], 5)).recordedAt
            let over = Timestamp(microseconds: now.microseconds + 1_500_000)
            var entry = transfer(accounts[0], accounts[1], 3)
            entry.hold = Hold(expiresAt: over)
            let held = try await book.ledger.post(entry)
            try await book.project()
            func pending(_ time: BalanceTime) async throws -> Set<Int128> {
                let all = try await book.ledger.balances(at: time).first { $0.account.path == "a1" }
                return [try await book.ledger.balance(of: "a1", in: .eur, at: time).totals.debitsPending, all?.totals.debitsPending ?? -1]
            }
            for time in [BalanceTime.current, .projected, .position(held.position), .recorded(held.recordedAt)] {
                #expect(try await pending(time) == [3], "\(time)")
            }
            try await Task.sleep(for: .seconds(2))
            let later = try await book.ledger.post(transfer(accounts[0], accounts[1], 1))
            for time in [BalanceTime.current, .projected, .position(later.position), .recorded(later.recordedAt), .effective(over), .recorded(over)] {
                #expect(try await pending(time) == [0], "\(time)")
            }
            // As of then it was held, also now that it is over.
            let before = Timestamp(microseconds: over.microseconds - 1)
            for time in [BalanceTime.position(held.position), .recorded(before), .effective(before)] {
                #expect(try await pending(time) == [3], "\(time)")
            }
            #expect(try await book.ledger.expireHolds() == 1)
            for time in [BalanceTime.current, .effective(over)] { #expect(try await pending(time) == [0], "\(time)") }
            #expect(try await pending(.effective(before)) == [3])
        }
    }

    @Test func `the history of an account is its rows, page by page, and each is the balance at its position`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            for _ in 0..<5 {
                try await book.ledger.post((0..<300).map { _ in transfer(accounts[0], accounts[1], 1) })
                try await book.project()
            }
            var rows: [Balance] = []
            while true {
                let page = try await book.ledger.balanceHistory(of: "a1", in: .eur, after: rows.last?.through ?? .zero, limit: 4)
                rows += page
                if page.count < 4 { break }
            }
            #expect(rows.count == 15)
            #expect(rows.map(\.through) == rows.map(\.through).sorted() && rows.last?.totals.debitsPosted == 1500)
            for row in rows { #expect(try await book.ledger.balance(of: "a1", in: .eur, at: .position(row.through)) == row) }
            let some = try await book.ledger.balanceHistory(of: "a1", in: .eur, after: rows[2].through, through: rows[5].through)
            #expect(some == Array(rows[3...5]))
        }
    }
}
