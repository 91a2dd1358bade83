import Foundation
public import LedgerModel

/// Posts the files of other systems: first everything is checked, then it is posted in batches.
///
/// A file's keys make its entries' ids, so importing it again posts nothing twice, also after an import that was
/// stopped in the middle.
public struct Importer: Sendable {
    public enum Format: String, Sendable, CaseIterable { case csv, jsonl }

    /// A file in memory.
    public struct File: Sendable {
        public let name: String
        public let format: Format
        let bytes: [UInt8]

        public init(name: String, format: Format, bytes: [UInt8]) {
            self.name = name
            self.format = format
            self.bytes = bytes
        }
    }

    /// What came of it.
    public struct Summary: Sendable, Hashable {
        /// Without those that were open before.
        public var accountsOpened = 0
        public var entriesPosted = 0
        /// Entries that the book had already, with the same content.
        public var entriesRepeated = 0
        public var problems: [ImportProblem] = []

        mutating func count(_ receipts: [Receipt]) {
            for receipt in receipts { if receipt.isRepeat { entriesRepeated += 1 } else { entriesPosted += 1 } }
        }
    }

    private let ledger: Ledger
    private let batchEntries: Int
    private let plainText: PlainTextOptions

    /// - Parameters:
    ///   - batchEntries: so many entries are posted together.
    ///   - plainText: how files of plain-text accounting are read.
    public init(_ ledger: Ledger, batchEntries: Int = 500, plainText: PlainTextOptions = PlainTextOptions()) {
        // What is imported is decided on what stands where it is written.
        self.ledger = ledger.primary
        self.batchEntries = batchEntries
        self.plainText = plainText
    }

    /// Imports files in their order.
    /// - Parameters:
    ///   - keepGoing: posts what is good although some records are not.
    ///   - progress: told how many entries are done, of how many.
    /// - Returns: what was posted. If there are problems and `keepGoing` is false, nothing was.
    public func run(
        _ files: [File], keepGoing: Bool = false, progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) async throws(LedgerError) -> Summary {
        try ledger.requireWriter()
        let check = try await check(files)
        var summary = Summary()
        summary.problems = check.problems
        guard check.problems.isEmpty || keepGoing else { return summary }
        var standing = check.before
        for (index, file) in files.enumerated() {
            try await post(file, index, check, &standing, &summary, progress)
        }
        return summary
    }

    // MARK: - Pass 1: check

    /// A record: both passes read the same ones in the same order.
    private struct Place: Hashable {
        let file: Int
        let record: Int
    }

    private struct Check {
        var problems: [ImportProblem] = []
        var refused: Set<Place> = []
        var entries = 0
        var currencies: KnownCurrencies
        var before = Standing()
        /// The accounts that are open before anything is posted, and those that the files open.
        var accounts: Set<AccountKey> = []
        var keys: [EntryID: (file: String, line: Int, place: Place)] = [:]
        /// Entries that may be without a part: rows of their key stand in this line too.
        var apart: [Place: Int] = [:]
        /// What the commodities of plain text need, over all files.
        var survey: PlainTextSurvey
        /// What a file of plain text is read with, by its index: the same in both passes.
        var contexts: [Int: PlainTextContext] = [:]

        /// Remembers where a key is used; returns where it was before.
        @discardableResult
        mutating func note(_ id: EntryID, _ file: File, _ line: Int, _ place: Place) -> (file: String, line: Int)? {
            guard let first = keys[id] else {
                keys[id] = (file.name, line, place)
                return nil
            }
            if file.format == .csv, first.place.file == place.file, !refused.contains(first.place) { apart[first.place] = line }
            return (first.file, first.line)
        }

        /// Remembers a new entry.
        mutating func take(
            _ id: EntryID, _ key: String, _ record: ImportRecord, _ file: File, _ place: Place
        ) throws(LedgerError) {
            guard let first = note(id, file, record.line, place) else { return }
            throw LedgerError(
                .conflict, "the key “\(key)” is used already, in \(first.file):\(first.line) (rows of one entry follow each other)")
        }

        func requireAccount(_ path: AccountPath, _ code: CurrencyCode) throws(LedgerError) {
            if accounts.contains(AccountKey(path: path, currency: code)) { return }
            let others = accounts.filter { $0.path == path }.map(\.currency).sorted().map(\.text)
            throw LedgerError(
                .unknownAccount,
                others.isEmpty
                    ? "there is no account \(path) in \(code): open it first"
                    : "the account \(path) is in \(others.joined(separator: ", ")), not in \(code)")
        }
    }

    private typealias Opened = [AccountKey: (type: AccountType, limits: AccountLimits)]

    /// What the book has.
    private struct Standing {
        var accounts: Set<AccountKey> = []
        var currencies: Set<Currency> = []
    }

    private func check(_ files: [File]) async throws(LedgerError) -> Check {
        let currencies = try await ledger.currencies()
        var check = Check(
            currencies: KnownCurrencies(currencies),
            survey: PlainTextSurvey(files.filter { $0.format == .csv }.map(\.bytes), plainText))
        check.before.currencies = Set(currencies)
        var opened: Opened = [:]
        for account in try await ledger.accounts() {
            let key = AccountKey(path: account.path, currency: account.currency.code)
            check.accounts.insert(key)
            opened[key] = (account.type, account.openingLimits)
        }
        check.before.accounts = check.accounts
        for (index, file) in files.enumerated() {
            var waiting: [(place: Place, record: ImportRecord)] = []
            let context = PlainTextContext(plainText, check.survey, check.currencies, check.accounts)
            check.contexts[index] = context
            guard var reader = Self.reader(file, context, &check.problems) else { continue }
            var count = 0
            while true {
                let record: ImportRecord
                let place = Place(file: index, record: count)
                count += 1
                do throws(ImportProblem) {
                    guard let next = try reader.next(check.currencies) else { break }
                    try Self.note(next, file, place, &check, &opened)
                    record = next
                } catch {
                    check.refused.insert(place)
                    if let id = error.id { check.note(id, file, error.line, place) }
                    check.problems.append(Self.placed(error, file))
                    continue
                }
                guard record.content.entryID != nil else { continue }
                check.entries += 1
                waiting.append((place, record))
                if waiting.count >= batchEntries { try await checkStanding(&waiting, file, &check) }
            }
            try await checkStanding(&waiting, file, &check)
        }
        for (index, file) in files.enumerated() where check.apart.keys.contains(where: { $0.file == index }) {
            Self.refuseApart(file, index, &check)
        }
        return check
    }

    /// Refuses the first rows of keys that have more rows further down: a part of an entry is not posted.
    private static func refuseApart(_ file: File, _ index: Int, _ check: inout Check) {
        var ignored: [ImportProblem] = []
        guard let context = check.contexts[index], var reader = reader(file, context, &ignored) else { return }
        var count = 0
        while true {
            let place = Place(file: index, record: count)
            count += 1
            do throws(ImportProblem) {
                guard let record = try reader.next(check.currencies) else { return }
                guard let line = check.apart[place], check.refused.insert(place).inserted else { continue }
                throw record.problem("rows of the same key stand in line \(line) too (rows of one entry follow each other)")
            } catch {
                if check.apart[place] != nil { check.problems.append(placed(error, file)) }
            }
        }
    }

    /// Checks a record against the book and what came before it, and remembers what it brings.
    private static func note(
        _ record: ImportRecord, _ file: File, _ place: Place, _ check: inout Check, _ opened: inout Opened
    ) throws(ImportProblem) {
        do throws(LedgerError) {
            switch record.content {
            case .currency(let currency): try check.currencies.define(currency)
            case .account(let path, let currency, let type, let limits):
                let key = AccountKey(path: path, currency: currency)
                if let standing = opened[key] {
                    guard standing.type == type else {
                        throw LedgerError(
                            .conflict, "the account \(path) in \(currency) is open already, as \(standing.type.rawValue)")
                    }
                    guard limits == nil || limits == standing.limits else {
                        throw LedgerError(.conflict, "the account \(path) in \(currency) was opened with other limits")
                    }
                } else {
                    opened[key] = (type, limits ?? .none)
                }
                check.accounts.insert(key)
                // From now on it has this exponent, also if it is ISO's and not in the book yet.
                try check.currencies.define(try check.currencies.currency(currency.text))
            case .entry(let entry, let key):
                try check.take(entry.id, key, record, file, place)
                try entry.withoutOwn.validate()
            case .told(let told):
                try check.take(told.id, told.id.description, record, file, place)
                let meaning = try told.meaning()
                if case .posted = meaning { try told.entry.withoutOwn.validate() }
                if case .limits(let path, let code, _) = meaning { try check.requireAccount(path, code) }
                if case .status(let path, let code, _) = meaning { try check.requireAccount(path, code) }
                if let other = meaning.refersTo, let first = check.keys[other], check.refused.contains(first.place) {
                    throw LedgerError(.unknownEntry, "the entry to which it refers, in \(first.file):\(first.line), is refused")
                }
            }
        } catch { throw record.problem(error.message) }
        for (index, posting) in record.content.postings.enumerated() {
            for (side, path) in [("debit", posting.debit), ("credit", posting.credit)] {
                do throws(LedgerError) { try check.requireAccount(path, posting.amount.currency) } catch {
                    throw record.problem(error.message, at: "\(side) \(index)")
                }
            }
        }
    }

    /// Finds keys that stand in the book for something else.
    private func checkStanding(
        _ records: inout [(place: Place, record: ImportRecord)], _ file: File, _ check: inout Check
    ) async throws(LedgerError) {
        let keys = check.keys
        let conflicts = try await ledger.conflicts(records.map(\.record.content)) { keys[$0] != nil }
        for (index, (place, record)) in records.enumerated() {
            guard let conflict = conflicts[index], let key = record.content.entryID?.key else { continue }
            check.problems.append(Self.placed(record.problem("the key “\(key)”: \(conflict.message)"), file))
            check.refused.insert(place)
        }
        records = []
    }

    // MARK: - Pass 2: post

    private func post(
        _ file: File, _ index: Int, _ check: Check, _ standing: inout Standing, _ summary: inout Summary,
        _ progress: (Int, Int) -> Void
    ) async throws(LedgerError) {
        var ignored: [ImportProblem] = []
        guard let context = check.contexts[index], var reader = Self.reader(file, context, &ignored) else { return }
        var batch = ImportBatch()
        var count = 0
        while true {
            let record: ImportRecord
            let place = Place(file: index, record: count)
            count += 1
            do throws(ImportProblem) {
                guard let next = try reader.next(check.currencies) else { break }
                record = next
            } catch { continue }
            if check.refused.contains(place) { continue }
            switch record.content {
            case .currency(let currency):
                guard standing.currencies.insert(currency).inserted else { continue }
                // What stands before it in the file stands before it in the journal.
                try await flush(&batch, check, &summary, progress)
                try await ledger.defineCurrency(currency)
            case .account(let path, let currency, let type, let limits):
                guard standing.accounts.insert(AccountKey(path: path, currency: currency)).inserted else { continue }
                try await flush(&batch, check, &summary, progress)
                try await ledger.openAccount(path, in: currency, type: type, limits: limits ?? .none)
                summary.accountsOpened += 1
            case .told(let told) where told.isControl:
                try await flush(&batch, check, &summary, progress)
                do throws(LedgerError) { summary.count([try await ledger.replay(told)]) } catch {
                    throw error.placed("\(file.name):\(record.line)")
                }
            case .entry, .told: batch.items.append(.init(content: record.content, place: "\(file.name):\(record.line)"))
            }
            if batch.count >= batchEntries { try await flush(&batch, check, &summary, progress) }
        }
        try await flush(&batch, check, &summary, progress)
    }

    private func flush(
        _ batch: inout ImportBatch, _ check: Check, _ summary: inout Summary, _ progress: (Int, Int) -> Void
    ) async throws(LedgerError) {
        guard !batch.isEmpty else { return }
        summary.count(try await ledger.post(batch))
        batch.items = []
        progress(summary.entriesPosted + summary.entriesRepeated, check.entries)
    }

    // MARK: - Files

    private static func reader(
        _ file: File, _ context: PlainTextContext, _ problems: inout [ImportProblem]
    ) -> (any ImportReader)? {
        switch file.format {
        case .jsonl: return JSONLinesImport(file.bytes)
        case .csv:
            do throws(ImportProblem) {
                return PlainTextImport.recognises(file.bytes)
                    ? try PlainTextImport(file.bytes, context) : try CSVImport(file.bytes)
            } catch {
                problems.append(placed(error, file))
                return nil
            }
        }
    }

    private static func placed(_ problem: ImportProblem, _ file: File) -> ImportProblem {
        var problem = problem
        problem.file = file.name
        problem.id = nil
        return problem
    }
}

extension Importer {
    /// The one entry of a file, checked as far as it can be without posting it.
    /// - Throws: ``ImportProblem`` if the file does not hold exactly one good entry.
    public func entry(in file: File) async throws -> Entry {
        let currencies = KnownCurrencies(try await ledger.currencies())
        var problems: [ImportProblem] = []
        let context = PlainTextContext(plainText, PlainTextSurvey([], plainText), currencies, [])
        guard var reader = Self.reader(file, context, &problems) else { throw problems[0] }
        do {
            guard let record = try reader.next(currencies) else {
                throw ImportProblem(line: 1, column: 1, reason: "there is no entry in it", text: "")
            }
            guard case .entry(let entry, _) = record.content else {
                throw record.problem("this is no entry to be posted: `indelible import` reads accounts, currencies and exports")
            }
            if let next = try reader.next(currencies) { throw next.problem("only one entry is expected") }
            return entry
        } catch let problem as ImportProblem { throw Self.placed(problem, file) }
    }
}
