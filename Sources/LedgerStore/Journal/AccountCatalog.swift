import LedgerDatabase
import LedgerModel
import Synchronization

/// The accounts of a book, remembered once they were read, and what was last heard of their controls.
///
/// Account rows never change and are never removed, and only committed rows are remembered, never that one was missing; so
/// what is remembered of them cannot become wrong. Controls change: they are asked for again when the last answer is older than
/// ``controlAgeMax``. That is enough for what does not claim (`docs/architecture.md`, “Limits”); who claims reads them anew.
final class AccountCatalog: Sendable {
    /// A posting that claims nothing may land on an account, or in a period, for so long after it was closed.
    static let controlAgeMax = Duration.seconds(1)

    /// The accounts of each path: one for each of its few currencies.
    typealias Accounts = [AccountPath: [Account]]

    private struct Known {
        var byPath: Accounts = [:]
        var byID: [AccountID: Account] = [:]
        /// Accounts whose control is not the one they were opened with.
        var controls: [AccountID: (sequence: UInt64, control: AccountControl)] = [:]
        var closedBefore: Timestamp?
        /// The newest control that was heard of; nil before the first look.
        var lastSequence: UInt64?
        var askedAt = ContinuousClock.now
    }

    private let database: Database
    private let known = Mutex(Known())

    init(_ database: Database) { self.database = database }

    // MARK: - Accounts

    /// All accounts that are remembered.
    var remembered: Accounts { known.withLock { $0.byPath } }

    func account(_ id: AccountID) -> Account? { known.withLock { $0.byID[id] } }

    /// The accounts of these paths, each in all its currencies.
    func accounts(_ paths: Set<AccountPath>) async throws -> Accounts {
        // A known path may have got another currency since, so a miss is looked up again by whoever needs it.
        let remembered = remembered
        let missing = paths.filter { remembered[$0] == nil }
        if missing.isEmpty { return remembered }
        try await read(missing)
        return self.remembered
    }

    /// The accounts of a path as they are in the database now.
    func fresh(_ path: AccountPath) async throws -> [Account] {
        try await read([path])
        return remembered[path] ?? []
    }

    func accounts(_ ids: Set<AccountID>) async throws -> [AccountID: Account] {
        let missing = known.withLock { known in ids.filter { known.byID[$0] == nil } }
        if !missing.isEmpty {
            remember(try await database.run(Self.statement(missing)))
        }
        // Not by all that are known: they may be many more.
        return known.withLock { known in
            var found: [AccountID: Account] = [:]
            for id in ids { found[id] = known.byID[id] }
            return found
        }
    }

    /// What is remembered of these, one after the other.
    func known(_ ids: [AccountID]) -> [Account?] { known.withLock { known in ids.map { known.byID[$0] } } }

    func all() async throws -> [Account] {
        let rows = try await database.run(.select("\(Self.columns) ORDER BY account.path, account.currency"))
        remember(rows)
        return try rows.map(Self.account)
    }

    private func read(_ paths: Set<AccountPath>) async throws {
        remember(try await database.run(Self.statement(paths)))
    }

    private func remember(_ rows: Rows) {
        known.withLock { known in
            for row in rows {
                guard let account = try? Self.account(row) else { continue }
                known.byPath[account.path, default: []].remember(account)
                known.byID[account.id] = account
                if let control = try? ControlRow(row, from: 7) { Self.apply(control, &known) }
            }
        }
    }

    static func statement(_ paths: Set<AccountPath>) -> InsertOnlySQL {
        let list = paths.map { LedgerValue.text($0.text) }
        return .select("\(columns) WHERE account.path IN \(list: list)")
    }

    static func statement(_ ids: some Collection<AccountID>) -> InsertOnlySQL {
        .select("\(columns) WHERE account.id IN \(list: Array(ids).values)")
    }

    /// An account and the newest control on it.
    private static let columns: SelectText = """
        account.id, account.path, account.currency, currency.exponent, account.type, account.floor, account.ceiling,
        \(ControlRow.columns) FROM account JOIN currency ON currency.code = account.currency
        LEFT JOIN control ON control.sequence =
        (SELECT MAX(newest.sequence) FROM control newest WHERE newest.account = account.id)
        """

    static func account(_ row: Row) throws -> Account {
        guard let type = AccountType(rawValue: try row.text(4)), let id = UInt32(exactly: try row.uint(0)) else {
            throw LedgerError(.schema, "account \(try row.uint(0)) is of an unknown type")
        }
        return Account(
            id: AccountID(id), path: try AccountPath(try row.text(1)),
            currency: try Currency(try CurrencyCode(try row.text(2)), exponent: Int(try row.uint(3))), type: type,
            openingLimits: AccountLimits(floor: try row.optionalInt(5), ceiling: try row.optionalInt(6)))
    }

    // MARK: - Controls

    /// What was last heard.
    func controls() -> (changed: [AccountID: AccountControl], closedBefore: Timestamp?) {
        known.withLock { known in (known.controls.mapValues(\.control), known.closedBefore) }
    }

    var isControlOld: Bool {
        known.withLock { $0.lastSequence == nil || $0.askedAt.duration(to: .now) > Self.controlAgeMax }
    }

    /// Asks for the controls that are newer than the newest known.
    /// - Parameter isCurrent: false if the transaction may see an older state than the newest.
    func refreshControls(_ executor: borrowing some SQLExecutor & ~Copyable, isCurrent: Bool = true) throws {
        let askedAt = ContinuousClock.now
        let last = known.withLock { $0.lastSequence }
        // At first only the periods: an account's control comes with the account.
        let condition: SelectText = last == nil ? "account IS NULL" : "sequence > \(last ?? 0)"
        let rows = try executor.run(
            .select(
                """
                \(ControlRow.columns), (SELECT COALESCE(MAX(sequence), 0) FROM control) FROM (SELECT 1) one
                LEFT JOIN control ON \(condition) ORDER BY sequence
                """))
        let controls = try rows.compactMap { try ControlRow($0, from: 0) }
        let newest = try rows[0].uint(ControlRow.count)
        known.withLock { known in
            for control in controls { Self.apply(control, &known) }
            known.lastSequence = max(known.lastSequence ?? 0, newest)
            if isCurrent { known.askedAt = askedAt }
        }
    }

    /// A control that this program has just committed.
    func heard(_ control: ControlRow) { known.withLock { Self.apply(control, &$0) } }

    private static func apply(_ row: ControlRow, _ known: inout Known) {
        switch row.word {
        case .period(let closedBefore): known.closedBefore = max(known.closedBefore ?? closedBefore, closedBefore)
        case .account(let account, let control):
            guard row.sequence > known.controls[account]?.sequence ?? 0 else { return }
            known.controls[account] = (row.sequence, control)
        }
    }
}

extension [Account] {
    func first(in code: CurrencyCode) -> Account? { first { $0.currency.code == code } }

    mutating func remember(_ account: Account) {
        if first(in: account.currency.code) == nil { append(account) }
    }
}

/// A row of `control`: the word from then on.
struct ControlRow: Sendable {
    enum Word: Sendable {
        case account(AccountID, AccountControl)
        case period(closedBefore: Timestamp)
    }

    let sequence: UInt64
    let word: Word

    static let columns: SelectText = """
        control.sequence, control.account, control.status, control.floor, control.ceiling, control.closed_before
        """
    static let count = 6

    init(sequence: UInt64, word: Word) {
        self.sequence = sequence
        self.word = word
    }

    /// nil if there is no row (of an outer join).
    init?(_ row: Row, from column: Int) throws {
        if row.isNull(column) { return nil }
        sequence = try row.uint(column)
        if row.isNull(column + 1) {
            guard let closedBefore = Timestamp(sqlText: try row.text(column + 5)) else {
                throw LedgerError(.integrity, "control \(sequence) closes a period that is none")
            }
            word = .period(closedBefore: closedBefore)
        } else {
            guard let status = AccountStatus(rawValue: try row.text(column + 2)),
                let account = UInt32(exactly: try row.uint(column + 1))
            else { throw LedgerError(.integrity, "control \(sequence) sets no status that there is") }
            let limits = AccountLimits(floor: try row.optionalInt(column + 3), ceiling: try row.optionalInt(column + 4))
            word = .account(AccountID(account), AccountControl(limits: limits, status: status))
        }
    }
}
