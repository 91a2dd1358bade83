import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Cursors that were altered or belong elsewhere, and lines that are not there, are refused.
@Suite struct AccountLineCursorTests {
    private static func filled(_ book: TestBook) async throws -> [Account] {
        let accounts = try await book.openAccounts(2)
        for number in 1...5 { try await book.ledger.post(transfer(accounts[0], accounts[1], Int64(number))) }
        try await book.project()
        return accounts
    }

    private static func refusal(_ body: () async throws -> AccountLinePage) async -> LedgerError? {
        await #expect(throws: LedgerError.self) { _ = try await body() }
    }

    @Test func `a cursor of another account, range, book, or an altered one is refused`() async throws {
        try await withBook { book in
            _ = try await Self.filled(book)
            let ledger = book.ledger
            for range in [AccountLineRange.positions(), .effective(newestFirst: true)] {
                let next = try #require(try await ledger.accountLines(of: "a0", in: .eur, range, limit: 2).next)
                let going = try await ledger.accountLines(of: "a0", in: .eur, after: next, limit: 2)
                #expect(going.lines.count == 2)
                let other = await Self.refusal { try await ledger.accountLines(of: "a1", in: .eur, after: next) }
                #expect(other?.code == .invalidCursor && other?.message.contains("not one of a1 in EUR") == true)
                let ranged = await Self.refusal { try await ledger.accountLines(of: "a0", in: .eur, .positions(newestFirst: true), after: next) }
                #expect(ranged?.code == .invalidCursor && ranged?.message.contains("another range") == true)
                // Every byte counts, those of the balance too.
                for index in next.text.indices {
                    var text = next.text
                    text.replaceSubrange(index...index, with: text[index] == "A" ? "B" : "A")
                    await #expect(throws: LedgerError.self, "\(index)") {
                        _ = try await ledger.accountLines(of: "a0", in: .eur, after: AccountLineCursor(text))
                    }
                }
                try await withBook { foreign in
                    _ = try await Self.filled(foreign)
                    let refused = await Self.refusal { try await foreign.ledger.accountLines(of: "a0", in: .eur, after: next) }
                    #expect(refused?.code == .invalidCursor && refused?.message.contains("another book") == true)
                }
            }
        }
    }

    @Test(arguments: ["", "x", "%%%", "AAAA", String(repeating: "A", count: 131), String(repeating: "A", count: 100_000), "é"])
    func `what cannot be a cursor is refused at once`(_ text: String) {
        let error = #expect(throws: LedgerError.self) { try AccountLineCursor(text) }
        #expect(error?.code == .invalidCursor)
        #expect(error.map { $0.message.count < 250 } == true)
    }

    @Test func `lines that are not there or of another definition are refused with what to do`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            _ = try await Self.filled(book)
            let next = try #require(try await book.ledger.accountLines(of: "a0", in: .eur, limit: 2).next)
            try await book.withOwner { connection in
                for table in ["generation", "live"] {
                    try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_update")
                    try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_delete")
                }
                try await connection.execute(unprepared: "UPDATE generation SET fingerprint = REVERSE(fingerprint) WHERE job = 'account_line'")
            }
            // A generation is of one definition for ever: a handle asks once.
            let ledger = Ledger(book.location)
            let other = await Self.refusal { try await ledger.accountLines(of: "a0", in: .eur) }
            await ledger.close()
            #expect(other?.code == .schema && other?.message.contains("another definition") == true)
            try await book.withOwner { connection in
                try await connection.execute(unprepared: "UPDATE generation SET fingerprint = REVERSE(fingerprint) WHERE job = 'account_line'")
                // Another generation becomes the live one.
                try await connection.execute(unprepared: "INSERT INTO generation (job, generation, fingerprint) SELECT job, 2, fingerprint FROM generation WHERE job = 'account_line'")
                try await connection.execute(unprepared: "CREATE TABLE account_line_g2 LIKE account_line_g1")
                try await connection.execute(unprepared: "CREATE TABLE account_line_late_g2 LIKE account_line_late_g1")
                try await connection.execute(unprepared: "INSERT INTO live (job, sequence, generation) VALUES ('account_line', 2, 2)")
            }
            let switched = await Self.refusal { try await book.ledger.accountLines(of: "a0", in: .eur, after: next) }
            #expect(switched?.code == .invalidCursor && switched?.message.contains("generation 2 is read now") == true)
            #expect(try await book.ledger.accountLines(of: "a0", in: .eur).through == .zero)
            try await book.withOwner { try await $0.execute(unprepared: "DELETE FROM live WHERE job = 'account_line'") }
            let missing = await Self.refusal { try await book.ledger.accountLines(of: "a0", in: .eur) }
            #expect(missing?.code == .schema && missing?.message.contains("no live generation of “account_line”") == true)
            // A book that never had lines is not broken.
            let result = try await book.reconcile()
            #expect(result.verdict == .incomplete && result.notCovered.contains { $0.contains("no live generation of account lines") })
            await book.ledger.close()
        }
    }
}
