import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Balances against a ledger that is too simple to be wrong, and against another program.
@Suite struct BalanceTests {
    @Test func `at every position the balances are those of a plain replay, however far the projector is`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(5)
            var random = Seeded("balances")
            var plain: [AccountID: Totals] = [:]
            var history: [(position: Position, totals: [AccountID: Totals])] = []
            for round in 0..<6 {
                for _ in 0..<Int.random(in: 1...12, using: &random) {
                    let pair = accounts.shuffled(using: &random).prefix(2)
                    let amount = Int64.random(in: 1...1_000_000_000_000, using: &random)
                    let receipt = try await book.ledger.post(transfer(pair[0], pair[1], amount))
                    plain[pair[0].id, default: Totals()].creditsPosted += Int128(amount)
                    plain[pair[1].id, default: Totals()].debitsPosted += Int128(amount)
                    history.append((receipt.position, plain))
                }
                if round % 2 == 0 { try await book.project() }
            }
            for moment in history {
                for balance in try await book.ledger.balances(at: .position(moment.position)) {
                    #expect(balance.totals == moment.totals[balance.account.id] ?? Totals())
                    #expect(balance.through == moment.position)
                }
            }
            for balance in try await book.ledger.balances(at: .current) {
                #expect(balance.totals == plain[balance.account.id] ?? Totals())
            }
            let one = try await book.ledger.balance(of: "a0", in: .eur, at: .position(history[3].position))
            #expect(one.totals == history[3].totals[accounts[0].id] ?? Totals())
            let zero = try await book.ledger.balance(of: "a0", in: .eur, at: .position(.zero))
            #expect(zero.totals == Totals())
        }
    }

    @Test func `the history of an account has a row at least every so many touches, however large a step is`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            for _ in 0..<10 {
                try await book.ledger.post((0..<1000).map { _ in transfer(accounts[0], accounts[1], 1) })
            }
            try await book.project()
            #expect(try await book.number("SELECT COUNT(*) FROM checkpoint WHERE job = 'balance'") == 1)
            let rows = try await book.number("SELECT COUNT(*) FROM balance_g1 WHERE account = \(accounts[1].id.number)")
            #expect(rows == (10_000 + BalanceProjection.touchesMax - 1) / BalanceProjection.touchesMax)
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `balances of the example data equal hledger's, for every account to the minor unit`() async throws {
        try await withBook { book in
            let examples = repository.appendingPathComponent("docs/examples")
            let names = [
                "accounts.csv", "journal-2025-q1.csv", "journal-2025-q2.csv", "journal-2025-q3.csv", "journal-2025-q4.jsonl",
            ]
            let files = try names.map { name in
                Importer.File(
                    name: name, format: name.hasSuffix("csv") ? .csv : .jsonl,
                    bytes: [UInt8](try Data(contentsOf: examples.appendingPathComponent(name))))
            }
            let summary = try await Importer(book.ledger).run(files)
            #expect(summary.problems.isEmpty)
            #expect(summary.entriesPosted == 9282)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)

            var ours: [String: String] = [:]
            for balance in try await book.ledger.balances(at: .projected) where balance.totals != Totals() {
                let signed = balance.totals.debitsPosted - balance.totals.creditsPosted
                ours["\(balance.account.path) \(balance.account.currency)"] = balance.account.currency.format(signed)
            }
            let theirs = try await hledgerBalances(book)
            #expect(ours.count == 132)
            for (account, amount) in ours {
                // hledger leaves out what is zero.
                let found = theirs[account] ?? "0"
                #expect(found.isSameNumber(as: amount), "\(account): ours \(amount), hledger's \(found)")
            }
            #expect(Set(theirs.keys).isSubset(of: Set(ours.keys)))
        }
    }

    /// A journal in hledger's form, made by one query of the owner, and what hledger says of it.
    private func hledgerBalances(_ book: TestBook) async throws -> [String: String] {
        let rows = try await book.withOwner { connection in
            try await connection.query(
                """
                SELECT DATE(e.effective_at), HEX(e.id), d.path, c.path, p.amount, cur.code, cur.exponent FROM posting p
                JOIN entry e ON e.position = p.position JOIN account d ON d.id = p.debit JOIN account c ON c.id = p.credit
                JOIN currency cur ON cur.code = d.currency ORDER BY p.position, p.line
                """)
        }
        var journal = "decimal-mark .\n"
        for row in rows {
            guard case .text(let day) = row[0], case .text(let id) = row[1], case .text(let debit) = row[2],
                case .text(let credit) = row[3], case .uint(let amount) = row[4], case .text(let code) = row[5],
                case .uint(let exponent) = row[6]
            else { continue }
            let digits = String(repeating: "0", count: Int(exponent) + 1) + String(amount)
            let number = exponent == 0 ? String(amount) : "\(digits.dropLast(Int(exponent))).\(digits.suffix(Int(exponent)))"
            journal += "\(day) * (\(id))\n    \(debit)  \(number) \(code)\n    \(credit)  -\(number) \(code)\n\n"
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(book.name).journal")
        try Data(journal.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        _ = try await hledger(["-f", file.path, "check"])
        let csv = try await hledger(["-f", file.path, "bal", "-N", "--flat", "--layout=bare", "-O", "csv"])
        var balances: [String: String] = [:]
        for line in csv.split(separator: "\n").dropFirst() {
            let cells = line.split(separator: ",").map { $0.filter { $0 != "\"" } }
            balances["\(cells[0]) \(cells[1])"] = cells[2]
        }
        return balances
    }

    private struct NoHledger: Error {}

    private func hledger(_ arguments: [String]) async throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["LC_ALL=C.UTF-8", "hledger"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw NoHledger() }
        return String(decoding: output, as: UTF8.self)
    }
}

extension String {
    /// The same decimal, whatever zeros are written behind it.
    fileprivate func isSameNumber(as other: String) -> Bool {
        func trimmed(_ text: String) -> String {
            guard text.contains(".") else { return text }
            var text = text
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
            return text == "-0" ? "0" : text
        }
        return trimmed(self) == trimmed(other)
    }
}
