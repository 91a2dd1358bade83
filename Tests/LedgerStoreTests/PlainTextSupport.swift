import Foundation
import IndelibleTesting
import Testing

@testable import LedgerModel
@testable import LedgerStore

/// A number for each account and commodity, zeros left out.
typealias PlainBalances = [String: String]

/// The programs of plain-text accounting: independent oracles.
enum PlainText {
    struct Ran: Sendable {
        let status: Int32
        let output: String
        let error: String
    }

    /// Runs a program of the PATH in a folder of its own that holds these files.
    static func run(_ arguments: [String], _ files: [String: String]) async throws -> Ran {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("indelible-plain-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }
        for name in ["out", "err"] { try Data().write(to: folder.appendingPathComponent(name)) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C.UTF-8", "LEDGER_FILE": ""]) { $1 }
        process.standardInput = FileHandle.nullDevice
        let streams = try ["out", "err"].map { try FileHandle(forWritingTo: folder.appendingPathComponent($0)) }
        defer { for stream in streams { try? stream.close() } }
        (process.standardOutput, process.standardError) = (streams[0], streams[1])
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
        }
        return Ran(status: status, output: try text("out"), error: try text("err"))
    }

    /// What `hledger print -O csv` prints of a journal.
    static func print(_ journal: String) async throws -> String {
        let ran = try await run(["hledger", "-f", "a.journal", "print", "-O", "csv"], ["a.journal": journal])
        try #require(ran.status == 0, "\(ran.error)\n\(journal)")
        return ran.output
    }

    /// hledger's balances, exactly: with the precision that a journal asks for they would be rounded. Only a journal that
    /// balances by rounding alone is read as it asks.
    /// - Parameter query: what else `hledger bal` is told, like `-e 2026-01-01`.
    static func hledger(_ journal: String, _ query: [String] = []) async throws -> PlainBalances {
        let files = ["a.journal": journal]
        let commodities = try await run(["hledger", "-f", "a.journal", "commodities"], files)
        let styles = commodities.output.split(separator: "\n").flatMap { name -> [String] in
            // `""` is how it prints the name of none.
            name == "\"\"" ? ["-c", "1000.000000000000000000"] : ["-c", "1000.000000000000000000 \(quoted(String(name)))"]
        }
        let command = ["hledger", "-f", "a.journal", "bal", "-N", "--flat", "--layout=bare", "-O", "csv"] + query
        var ran = try await run(command + styles, files)
        if ran.error.contains("could not balance") { ran = try await run(command, files) }
        try #require(ran.status == 0, "\(ran.error)\n\(journal)")
        var rows = try CSVRows(Array(ran.output.utf8)) { _ in "account" }
        var balances: PlainBalances = [:]
        while let row = rows.nextRow() {
            add(row.fields["account"], row.fields["commodity"], try PlainTextAmount(row.fields["balance"]).canonical, &balances)
        }
        return balances
    }

    /// ledger's balances.
    static func ledger(_ journal: String) async throws -> PlainBalances {
        let ran = try await run(
            ["ledger", "--args-only", "-f", "a.journal", "bal", "--flat", "--no-total", "--empty", "--format", "%(account)\t%(display_amount)\n"],
            ["a.journal": journal])
        try #require(ran.status == 0, "\(ran.error)\n\(journal)")
        var balances: PlainBalances = [:]
        var account = ""
        for line in ran.output.split(separator: "\n") {
            // An account's further commodities stand on lines of their own.
            let parts = line.split(separator: "\t", maxSplits: 1)
            if parts.count == 2 { account = String(parts[0]) }
            let words = parts[parts.count - 1].split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { continue }
            add(account, String(words[1]).replacing("\"", with: ""), try PlainTextAmount(String(words[0])).canonical, &balances)
        }
        return balances
    }

    private static func add(_ account: String, _ commodity: String, _ amount: String, _ balances: inout PlainBalances) {
        // A book has one spelling of a name; hledger tells the composed and the decomposed one apart.
        let name = PlainTextName.decoded(account).precomposedStringWithCanonicalMapping + "|"
            + commodity.precomposedStringWithCanonicalMapping
        if amount != "0" { balances[name] = amount }
    }

    private static func quoted(_ name: String) -> String {
        name.hasPrefix("\"") ? name : PlainTextLine.commodity(name)
    }

    /// Whether a journal passes hledger's own checks; why not.
    static func check(_ journal: String) async throws -> String? {
        let ran = try await run(
            ["hledger", "-f", "a.journal", "check", "accounts", "ordereddates", "balancednoautoconversion"],
            ["a.journal": journal])
        return ran.status == 0 ? nil : ran.error + "\n" + journal
    }
}

extension TestBook {
    /// Our balances, as hledger counts: debits are positive.
    func plainBalances(without account: AccountPath? = nil) async throws -> PlainBalances {
        var balances: PlainBalances = [:]
        for balance in try await ledger.balances() where balance.account.path != account {
            let net = balance.totals.debitsPosted - balance.totals.creditsPosted
            if net == 0 { continue }
            let text = try PlainTextAmount(balance.account.currency.format(net)).canonical
            balances["\(balance.account.path)|\(balance.account.currency)"] = text
        }
        return balances
    }

    func imported(_ text: String, _ format: Importer.Format = .csv, _ options: PlainTextOptions = .init()) async throws -> Importer.Summary {
        try await Importer(ledger, plainText: options).run([.init(name: "f", format: format, bytes: Array(text.utf8))])
    }

    func exported(_ format: Exporter.Format, dates: Exporter.Dates = .effective) async throws -> String {
        var text = ""
        _ = try await Exporter(ledger, dates: dates).run(format) { text += $0 }
        return text
    }

    func journalHash() async throws -> String {
        try await Exporter(ledger).hash().hash?.description ?? ""
    }
}

/// Imports a journal as hledger prints it and compares every balance: ours with hledger's, and with hledger's and ledger's
/// reading of our export, in both orders of days. Then carries the book into three new ones.
func expectAgreement(
    _ journal: String, _ options: PlainTextOptions = .init(), isForLedger: Bool = true, sameHashFromPlainText: Bool = true,
    _ location: SourceLocation = #_sourceLocation
) async throws {
    var exports: [Exporter.Format: String] = [:]
    var ours: PlainBalances = [:]
    var hash = ""
    try await withBook { book in
        let csv = try await PlainText.print(journal)
        let summary = try await book.imported(csv, .csv, options)
        #expect(summary.problems.map(\.description) == [], sourceLocation: location)
        #expect(summary.entriesPosted > 0, sourceLocation: location)
        var expected = try await PlainText.hledger(journal)
        for (commodity, code) in options.commodities {
            expected = Dictionary(uniqueKeysWithValues: expected.map { key, amount in
                (key.hasSuffix("|" + commodity) ? key.dropLast(commodity.count) + code.text : key, amount)
            })
        }
        if let through = options.conversionAccount {
            // Only the account that stands in for costs and prices differs, and it takes exactly the rest.
            expected = expected.filter { !$0.key.hasPrefix("\(through)|") }
            #expect(try await book.plainBalances(without: through) == expected, sourceLocation: location)
        } else {
            #expect(try await book.plainBalances() == expected, sourceLocation: location)
        }
        ours = try await book.plainBalances()
        for dates in Exporter.Dates.allCases {
            let plain = try await book.exported(.hledger, dates: dates)
            #expect(try await PlainText.check(plain) == nil, sourceLocation: location)
            #expect(try await PlainText.hledger(plain) == ours, "\(dates)\n\(plain)", sourceLocation: location)
            if isForLedger { #expect(try await PlainText.ledger(plain) == ours, "\(plain)", sourceLocation: location) }
            // The same book knows its entries again.
            let again = try await book.imported(try await PlainText.print(plain), .csv, options)
            #expect(again.problems.map(\.description) == [], "\(plain)", sourceLocation: location)
            #expect(again.entriesPosted == 0, "\(plain)", sourceLocation: location)
        }
        for format in Exporter.Format.allCases { exports[format] = try await book.exported(format) }
        hash = try await book.journalHash()
    }
    for (format, text) in exports {
        let read: Importer.Format = format == .jsonl ? .jsonl : .csv
        let text = format == .hledger ? try await PlainText.print(text) : text
        try await withBook { other in
            let summary = try await other.imported(text, read, options)
            #expect(summary.problems.map(\.description) == [], "\(text)", sourceLocation: location)
            #expect(try await other.plainBalances() == ours, "\(format)", sourceLocation: location)
            guard format != .hledger || sameHashFromPlainText else { return }
            #expect(try await other.journalHash() == hash, "\(text)", sourceLocation: location)
        }
    }
}
