import LedgerDatabase
public import LedgerModel
import Synchronization

/// A line of an account's history: one side of one posting.
public struct AccountLine: Sendable, Hashable {
    /// Of the entry.
    public let position: Position
    /// Which of the entry's postings it is, from 1.
    public let line: UInt32
    public let entry: EntryID
    public let kind: EntryKind
    /// Of the entry's payload.
    public let description: String?
    public let reference: String?
    /// When it counts.
    public let effectiveAt: Timestamp
    /// When it was known.
    public let recordedAt: Timestamp
    /// The account on the other side.
    public let counterpart: AccountPath
    public let side: Side
    /// Minor units of the account's currency, more than 0.
    public let amount: UInt64
    /// Only what is posted moves the balance.
    public let status: PostingStatus
    /// The posted balance with this line and all before it in the page's order, in minor units, positive on the account's normal side.
    public let balance: Int128

    /// The amount, if the account is debited.
    public var debit: UInt64? { side == .debit ? amount : nil }
    /// The amount, if the account is credited.
    public var credit: UInt64? { side == .credit ? amount : nil }
}

/// A page of an account's history.
public struct AccountLinePage: Sendable {
    public let account: Account
    public let range: AccountLineRange
    /// From the oldest on, or from the newest, as the range says.
    public let lines: [AccountLine]
    /// The posted balance before the oldest line of the page, in minor units, positive on the account's normal side. The same as
    /// ``closing`` if there is no line.
    public let opening: Int128
    /// The posted balance after the newest line of the page.
    public let closing: Int128
    /// The page is exact as of this position: nothing above it is in it, and nothing up to it is missing.
    public let through: Position
    /// Where the next page goes on; nil if this is the last.
    public let next: AccountLineCursor?
}

extension Ledger {
    /// A page of an account's history, with the balance after each line.
    ///
    /// ```swift
    /// var page = try await ledger.accountLines(of: "customers:alice", in: .eur, .positions(newestFirst: true))
    /// while let next = page.next { page = try await ledger.accountLines(of: "customers:alice", in: .eur, after: next) }
    /// ```
    /// Lines are as old as the job `account_line`; ``AccountLinePage/through`` says how old. A page costs what its lines cost, however long
    /// the history is. Only the first page of a range by time that does not begin at the account's beginning (or end) costs more: it
    /// looks for the balance there.
    /// - Parameters:
    ///   - range: which lines in which order; nil for all in the journal's order, or those of the cursor.
    ///   - cursor: the ``AccountLinePage/next`` of the page before.
    ///   - limit: lines at the most; less than 1 counts as 1, more than ``AccountLines/limitMax`` as that.
    /// - Throws: `unknownAccount`, `currencyMismatch`; `invalidCursor`; `schema` if the book has no live generation of the lines that this
    ///   program can read.
    public func accountLines(
        of path: AccountPath, in code: CurrencyCode, _ range: AccountLineRange? = nil, after cursor: AccountLineCursor? = nil,
        limit: Int = 50
    ) async throws(LedgerError) -> AccountLinePage {
        if let elsewhere = try await elsewhere() { return try await elsewhere.accountLines(of: path, in: code, range, after: cursor, limit: limit) }
        let account = try await account(path, in: code)
        return try await translated {
            let lines = AccountLines(account: account, limit: min(max(limit, 1), AccountLines.limitMax), mark: lineMark)
            let found = try await self.found(lines, range, cursor)
            return try lines.page(found, try await catalog.accounts(found.counterparts))
        }
    }

    private func found(
        _ lines: AccountLines, _ range: AccountLineRange?, _ cursor: AccountLineCursor?
    ) async throws -> AccountLines.Found {
        for _ in 0..<3 {
            do {
                // Without a transaction: what lies below a checkpoint never changes.
                if let found = try await database.autocommit({ try lines.find(range, cursor, $0) }) { return found }
            } catch let error as DatabaseError {
                // The generation may have been retired, and its tables with it; or the link was lost. A reader has done nothing.
                guard error.kind == .schema || error.kind == .connectionLost else { throw error }
            }
            lineMark.forget()
        }
        // Says what is wrong, if it still is.
        if let found = try await database.autocommit({ try lines.find(range, cursor, $0) }) { return found }
        throw LedgerError(.busy, "the generation of the account lines is switched again and again: ask again")
    }
}

/// Which generation of the account lines was live when it was last asked. A statement that reads it finds out whether it still is.
final class AccountLineMark: Sendable {
    private let known = Mutex<UInt32?>(nil)

    func forget() { known.withLock { $0 = nil } }

    /// A generation is of one definition for ever, and this one of this program's.
    func generation(_ transaction: borrowing LedgerTransaction) throws -> UInt32 {
        if let known = known.withLock({ $0 }) { return known }
        let generation = try Generation.readable(AccountLineProjection.definition, transaction)
        known.withLock { $0 = generation }
        return generation
    }
}

/// Makes pages of account lines.
public struct AccountLines: Sendable {
    /// Lines of a page at the most.
    public static let limitMax = 10_000

    let account: Account
    let limit: Int
    let mark: AccountLineMark

    /// What a page is made of.
    struct Found: Sendable {
        let range: AccountLineRange
        let generation: UInt32
        let basis: AccountLineReader.Basis
        /// Those of the page, in its order.
        let lines: [StoredLine]
        /// More follow.
        let isCut: Bool
        /// Posted debits less posted credits at the side of the page from which it is read; of an empty page, and of any in the order
        /// by time.
        let start: Int128
        /// In the order by time: the last line before this page that is not late.
        let inTime: LinePlace

        var counterparts: Set<AccountID> { Set(lines.map(\.counterpart)) }
    }

    /// - Returns: nil if another generation is live than the known one.
    func find(
        _ asked: AccountLineRange?, _ cursor: AccountLineCursor?, _ transaction: borrowing LedgerTransaction
    ) throws -> Found? {
        let range = cursor?.place.range ?? asked ?? .positions()
        guard asked ?? range == range else {
            throw LedgerError(.invalidCursor, "the cursor belongs to another range of lines: give the range of its first page, or none")
        }
        var generation = try mark.generation(transaction)
        if let place = cursor?.place {
            guard place.account == account.id.number else {
                throw LedgerError(.invalidCursor, "the cursor is not one of \(account.path) in \(account.currency): begin with the first page")
            }
            if place.generation != generation {
                mark.forget()
                generation = try mark.generation(transaction)
            }
            guard place.generation == generation else {
                throw LedgerError(
                    .invalidCursor, "the cursor is one of generation \(place.generation) of the account lines, or of another book, and "
                        + "generation \(generation) is read now: begin with the first page")
            }
        }
        let reader = AccountLineReader(account: account, range: range, limit: limit, generation: generation)
        switch range.order {
        case .position: return try byPosition(reader, cursor, transaction)
        case .effective: return try byTime(reader, cursor, transaction)
        }
    }

    private func byPosition(
        _ reader: AccountLineReader, _ cursor: AccountLineCursor?, _ transaction: borrowing LedgerTransaction
    ) throws -> Found? {
        guard let read = try reader.byPosition(after: cursor?.place, transaction) else { return nil }
        try check(cursor, read.basis)
        var start: Int128 = 0
        if read.lines.isEmpty {
            // Below which position the balance of a range without lines is found.
            let end = (reader.range.lower ?? reader.range.upper).map { UInt64(clamping: $0) } ?? .max
            start = try reader.balance(before: end, through: read.basis.through, transaction)
        }
        return Found(
            range: reader.range, generation: reader.generation, basis: read.basis, lines: Array(read.lines.prefix(limit)),
            isCut: read.lines.count > limit, start: start, inTime: .first)
    }

    private func byTime(
        _ reader: AccountLineReader, _ cursor: AccountLineCursor?, _ transaction: borrowing LedgerTransaction
    ) throws -> Found? {
        let range = reader.range
        var (inTime, start): (LinePlace, Int128?) = (range.isNewestFirst ? .end : .first, range.isNewestFirst ? nil : 0)
        var through = cursor?.place.through
        if let place = cursor?.place {
            (inTime, start) = (place.inTime, place.balance)
        } else if let bound = range.isNewestFirst ? range.upper : range.lower {
            guard let basis = try reader.basis(transaction) else { return nil }
            through = basis.through
            let before = try reader.before(Timestamp(microseconds: bound), through: basis.through, transaction)
            start = before.balance
            inTime = range.isNewestFirst ? LinePlace(position: before.place.position, line: before.place.line + 1) : before.place
        }
        guard
            let read = try reader.byTime(
                after: cursor?.place.last, inTime: inTime, through: through, withBalance: start == nil, transaction)
        else { return nil }
        try check(cursor, read.basis)
        return Found(
            range: range, generation: reader.generation, basis: read.basis, lines: Array(read.lines.prefix(limit)),
            isCut: read.lines.count > limit, start: start ?? read.balance ?? 0, inTime: inTime)
    }

    private func check(_ cursor: AccountLineCursor?, _ basis: AccountLineReader.Basis) throws {
        guard let cursor else { return }
        guard cursor.place.through == basis.through, cursor.isMade(with: basis.proof) else {
            throw LedgerError(.invalidCursor, "the cursor is damaged, or another book gave it: begin with the first page")
        }
    }

    // MARK: - The page

    func page(_ found: Found, _ accounts: [AccountID: Account]) throws -> AccountLinePage {
        let range = found.range
        var lines: [AccountLine] = []
        lines.reserveCapacity(found.lines.count)
        // Posted debits less posted credits, at the side of the page from which it is read.
        var running = found.start
        var inTime = found.inTime
        for stored in found.lines {
            if range.order == .position { running = stored.balance } else if !range.isNewestFirst { running += stored.change }
            lines.append(try line(stored, normal(running), accounts))
            if range.order == .effective, range.isNewestFirst { running -= stored.change }
            if !stored.isLate { inTime = stored.key.place }
        }
        var ends = (opening: normal(found.start), closing: normal(found.start))
        if let first = found.lines.first, let last = found.lines.last {
            let (oldest, newest) = range.isNewestFirst ? (lines.count - 1, 0) : (0, lines.count - 1)
            ends = (lines[oldest].balance - normal((range.isNewestFirst ? last : first).change), lines[newest].balance)
        }
        var next: AccountLineCursor?
        if found.isCut, let last = found.lines.last {
            let isByTime = range.order == .effective
            let place = AccountLineCursor.Place(
                range: range, account: account.id.number, generation: found.generation, through: found.basis.through, last: last.key,
                inTime: isByTime ? inTime : .first, balance: isByTime ? running : 0)
            next = AccountLineCursor(place, proof: found.basis.proof)
        }
        return AccountLinePage(
            account: account, range: range, lines: lines, opening: ends.opening, closing: ends.closing,
            through: Position(found.basis.through), next: next)
    }

    private func line(_ stored: StoredLine, _ balance: Int128, _ accounts: [AccountID: Account]) throws -> AccountLine {
        guard let counterpart = accounts[stored.counterpart] else {
            throw LedgerError(
                .integrity, "line \(stored.key.line) at position \(stored.key.position) of \(account.path) names an account that is none: run "
                    + "`indelible reconcile`")
        }
        return AccountLine(
            position: Position(stored.key.position), line: stored.key.line, entry: stored.entry, kind: stored.kind,
            description: stored.description, reference: stored.reference, effectiveAt: stored.key.effective,
            recordedAt: stored.recordedAt, counterpart: counterpart.path, side: stored.isCredit ? .credit : .debit, amount: stored.amount,
            status: stored.status, balance: balance)
    }

    /// On the account's normal side.
    private func normal(_ debitsLessCredits: Int128) -> Int128 {
        account.type.normalSide == .debit ? debitsLessCredits : -debitsLessCredits
    }
}
