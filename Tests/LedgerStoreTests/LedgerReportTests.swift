import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Reports against another program, and by the days of the book.
@Suite struct LedgerReportTests {
    @Test func `reports of the example data as of any day are hledger's`() async throws {
        try await withBook { book in
            let examples = repository.appendingPathComponent("docs/examples")
            let names = ["accounts.csv", "journal-2025-q1.csv", "journal-2025-q2.csv", "journal-2025-q3.csv", "journal-2025-q4.jsonl"]
            let files = try names.map { name in
                Importer.File(
                    name: name, format: name.hasSuffix("csv") ? .csv : .jsonl,
                    bytes: [UInt8](try Data(contentsOf: examples.appendingPathComponent(name))))
            }
            #expect(try await Importer(book.ledger).run(files).entriesPosted == 9282)
            // A part is projected, with blocks that are straddled.
            let projector = Projector(book.location, jobs: [BalanceProjection(spanLength: 512)], positionsMax: 3000)
            for _ in 0..<2 { _ = try await projector.step() }
            await projector.close()
            let journal = try await book.exported(.hledger)
            for (text, next) in [("2025-02-28", "2025-03-01"), ("2025-08-17", "2025-08-18"), ("2025-12-31", "2026-01-01")] {
                let day = try AccountingDay(text)
                var trial: PlainBalances = [:]
                for report in try await book.ledger.trialBalance(at: .day(day)) {
                    #expect(report.isBalanced && report.debits > 0)
                    for line in report.lines { try Self.add(line.account, line.debit - line.credit, &trial) }
                }
                #expect(trial.count > 60)
                #expect(trial == (try await PlainText.hledger(journal, ["-e", next])), "\(text)")
                var sheet: PlainBalances = [:]
                for report in try await book.ledger.balanceSheet(asOf: day) {
                    #expect(report.difference == 0 && report.assets.total != 0)
                    for section in [report.assets, report.liabilities, report.equity] { try Self.add(section, &sheet) }
                }
                #expect(sheet == (try await PlainText.hledger(journal, ["-e", next, "type:ale"])), "\(text)")
            }
            var income: PlainBalances = [:]
            let from = try AccountingDay("2025-04-01")
            for report in try await book.ledger.incomeStatement(from: from, to: try AccountingDay("2025-06-30")) {
                for section in [report.income, report.expenses] { try Self.add(section, &income) }
            }
            #expect(income.count > 5)
            #expect(income == (try await PlainText.hledger(journal, ["-b", "2025-04-01", "-e", "2025-07-01", "type:rx"])))
            let error = await #expect(throws: LedgerError.self) {
                try await book.ledger.incomeStatement(from: from, to: try AccountingDay("2025-03-31"))
            }
            #expect(error?.code == .invalidTime)
        }
    }

    private static func add(_ section: ReportSection, _ balances: inout PlainBalances) throws {
        for line in section.lines { try add(line.account, section.type.normalSide == .debit ? line.minorUnits : -line.minorUnits, &balances) }
    }

    private static func add(_ account: Account, _ net: Int128, _ balances: inout PlainBalances) throws {
        balances["\(account.path)|\(account.currency)"] = try PlainTextAmount(account.currency.format(net)).canonical
    }

    @Test func `a tree's totals are for each currency, and only what is below`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            for (path, code) in [("c:a", CurrencyCode.eur), ("c:b:d", .eur), ("c", .eur), ("c:a", .jpy), ("cc:a", .eur)] {
                try await ledger.openAccount(try AccountPath(path), in: code, type: .liability)
            }
            for code in [CurrencyCode.eur, .jpy] { try await ledger.openAccount("bank", in: code, type: .asset) }
            func pay(_ path: AccountPath, _ amount: Int64, _ code: CurrencyCode) async throws {
                let posting = Posting(debit: "bank", credit: path, amount: Amount(minorUnits: amount, code))
                try await ledger.post(Entry(kind: "paid", postings: [posting]))
            }
            try await pay("c:a", 1, .eur)
            try await pay("c:b:d", 20, .eur)
            try await book.project()
            try await pay("c", 300, .eur)
            try await pay("c:a", 4000, .jpy)
            try await pay("cc:a", 50_000, .eur)
            let totals = try await ledger.totals(of: "c:*")
            #expect(totals.map { "\($0.currency) \($0.minorUnits ?? -1) \($0.accounts)" } == ["EUR 21 2", "JPY 4000 1"])
            #expect(try await ledger.totals(of: "c:*", at: .projected).map(\.minorUnits) == [21, 0])
            #expect(try await ledger.balances(of: "c").map(\.minorUnits) == [300])
            let all = try await ledger.totals(of: "*")
            #expect(all.allSatisfy { $0.minorUnits == nil && $0.totals.debitsPosted == $0.totals.creditsPosted && $0.totals.debitsPosted > 0 })
            #expect(all[0].minorUnits(.asset) == 50_321 && all[0].minorUnits(.liability) == 50_321)
        }
    }

    @Test func `a day ends at midnight of the book's own clock`() async throws {
        let server = try await TestServer.shared()
        let book = try await TestBook.make(on: server, timeZone: "America/New_York")
        let ledger = book.ledger
        try await ledger.openAccount("a", in: .eur, type: .liability)
        try await ledger.openAccount("b", in: .eur, type: .income)
        func post(_ amount: Int64, _ time: String) async throws {
            let posting = Posting(debit: "a", credit: "b", amount: Amount(minorUnits: amount, .eur))
            try await ledger.post(Entry(kind: "x", effectiveAt: try Timestamp(time), postings: [posting]))
        }
        // Four hours behind UTC.
        try await post(1, "2026-04-01T03:59:59.999999Z")
        try await post(20, "2026-04-01T04:00:00Z")
        try await post(300, "2026-04-02T03:59:59.999999Z")
        try await post(4000, "2026-04-02T04:00:00Z")
        func earned(_ from: String, _ to: String) async throws -> Int128? {
            try await ledger.incomeStatement(from: try AccountingDay(from), to: try AccountingDay(to)).first?.net
        }
        for projects in [false, true] {
            if projects { try await book.project() }
            #expect(try await ledger.balance(of: "b", in: .eur, at: .day(try AccountingDay("2026-03-31"))).minorUnits == 1)
            #expect(try await ledger.balance(of: "b", in: .eur, at: .day(try AccountingDay("2026-04-01"))).minorUnits == 321)
            #expect(try await earned("2026-04-01", "2026-04-01") == 320)
            #expect(try await earned("2026-03-31", "2026-04-02") == 4321)
            let sheet = try await ledger.balanceSheet(asOf: try AccountingDay("2026-04-01"))[0]
            #expect(sheet.retainedEarnings == 321 && sheet.liabilities.total == -321 && sheet.difference == 0)
        }
        await ledger.close()
    }
}
