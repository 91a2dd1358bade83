/// A ledger too simple to be wrong: a few dictionaries, one entry after the other, one thread.
///
/// It shares nothing with the library. Accounts are their paths, times are microseconds, amounts are whole numbers.
struct SimpleLedger {
    struct Account {
        let isDebitNormal: Bool
        /// Opened with a floor: whoever draws claims. Likewise the ceiling.
        let hasFloor: Bool
        let hasCeiling: Bool
        var floor: Int64?
        var ceiling: Int64?
        var status = "open"
        var debitsPosted: Int64 = 0
        var creditsPosted: Int64 = 0
        var debitsPending: Int64 = 0
        var creditsPending: Int64 = 0

        var balance: Int64 { isDebitNormal ? debitsPosted - creditsPosted : creditsPosted - debitsPosted }
        /// What is left if everything that is held against it goes.
        var available: Int64 { balance - (isDebitNormal ? creditsPending : debitsPending) }
        /// What it comes to if everything that is held for it arrives.
        var expected: Int64 { balance + (isDebitNormal ? debitsPending : creditsPending) }
        var isEmpty: Bool { balance == 0 && debitsPending == 0 && creditsPending == 0 }
        var isLimited: Bool { hasFloor || hasCeiling }
    }

    /// One movement.
    struct Move: Hashable {
        enum Status: Int { case posted, pending, released }
        let debit: String
        let credit: String
        let amount: Int64
        var status: Status
    }

    /// What somebody asks for, or what the journal holds.
    struct Request {
        var moves: [Move] = []
        var effectiveAt: Int64?
        var redates = false
        /// It settles a hold, which ends at this time.
        var settles: (hold: String, expiresAt: Int64?, isExpiry: Bool)?
        /// It is a hold that ends at this time.
        var expiresAt: Int64?
        var newLimits: (account: String, floor: Int64?, ceiling: Int64?)?
        var newStatus: (account: String, status: String)?
        var newClosedBefore: Int64?

        var accounts: [String] {
            var paths = moves.flatMap { [$0.debit, $0.credit] }
            if let newLimits { paths.append(newLimits.account) }
            if let newStatus { paths.append(newStatus.account) }
            var seen: Set<String> = []
            return paths.filter { seen.insert($0).inserted }
        }
    }

    /// A rule that does not allow it.
    enum Objection: Hashable {
        case periodClosed
        case accountClosed(String)
        case accountFrozen(String)
        case invalidTime
        case holdExpired
        case accountNotEmpty
        case alreadyClosed
        case limitExceeded(account: String, bound: String, limit: Int64, balance: Int64, shortfall: Int64)
    }

    var accounts: [String: Account] = [:]
    /// Holds that nothing has settled.
    var holds: [String: (moves: [Move], expiresAt: Int64?)] = [:]
    var closedBefore: Int64?

    // MARK: - Moving

    /// Does it, whether it may be done or not.
    mutating func apply(_ request: Request, id: String) {
        for move in request.moves { apply(move) }
        if request.moves.contains(where: { $0.status == .pending }) { holds[id] = (request.moves, request.expiresAt) }
        if let settles = request.settles { holds[settles.hold] = nil }
        if let new = request.newLimits {
            accounts[new.account]!.floor = new.floor
            accounts[new.account]!.ceiling = new.ceiling
        }
        if let new = request.newStatus { accounts[new.account]!.status = new.status }
        if let before = request.newClosedBefore { closedBefore = max(closedBefore ?? before, before) }
    }

    private mutating func apply(_ move: Move) {
        switch move.status {
        case .posted:
            accounts[move.debit]!.debitsPosted += move.amount
            accounts[move.credit]!.creditsPosted += move.amount
        case .pending:
            accounts[move.debit]!.debitsPending += move.amount
            accounts[move.credit]!.creditsPending += move.amount
        case .released:
            accounts[move.debit]!.debitsPending -= move.amount
            accounts[move.credit]!.creditsPending -= move.amount
        }
    }

    /// As it is when holds hold nothing from their instant on.
    func released(at clock: Int64) -> SimpleLedger {
        var ledger = self
        for (id, hold) in holds {
            guard let expiresAt = hold.expiresAt, expiresAt <= clock else { continue }
            ledger.holds[id] = nil
            for var move in hold.moves {
                move.status = .released
                ledger.apply(move)
            }
        }
        return ledger
    }

    // MARK: - Rules

    /// Whatever speaks against it, in the order in which it is to be told.
    func objections(to request: Request, clock: Int64) -> [Objection] {
        var objections: [Objection] = []
        if let effectiveAt = request.effectiveAt, let closedBefore, effectiveAt < closedBefore, !request.redates {
            objections.append(.periodClosed)
        }
        var after = self
        after.apply(request, id: "?")
        let touched = Request(moves: request.moves).accounts
        if request.settles == nil {
            objections += touched.filter { accounts[$0]!.status == "closed" }.map(Objection.accountClosed)
            objections += touched.filter { isFrozen($0) && isDraw($0, after) }.map(Objection.accountFrozen)
        }
        if let settles = request.settles, let expiresAt = settles.expiresAt {
            if settles.isExpiry, clock < expiresAt { objections.append(.invalidTime) }
            if !settles.isExpiry, clock >= expiresAt { objections.append(.holdExpired) }
        }
        if let expiresAt = request.expiresAt, expiresAt <= clock { objections.append(.invalidTime) }
        for path in touched { objections += limitObjections(path, after) }
        if let new = request.newLimits { objections += limitObjections(new.account, after, isDecided: true) }
        if let new = request.newStatus, new.status == "closed", !accounts[new.account]!.isEmpty { objections.append(.accountNotEmpty) }
        if let before = request.newClosedBefore, let closedBefore, closedBefore >= before { objections.append(.alreadyClosed) }
        return objections
    }

    func isDraw(_ path: String, _ after: SimpleLedger) -> Bool { after.accounts[path]!.available < accounts[path]!.available }

    private func isPayment(_ path: String, _ after: SimpleLedger) -> Bool { after.accounts[path]!.expected > accounts[path]!.expected }

    private func isFrozen(_ path: String) -> Bool { accounts[path]!.status == "frozen" }

    /// True if it is decided after everybody else who could be told no because of it.
    func claims(_ path: String, _ request: Request) -> Bool {
        var after = self
        after.apply(request, id: "?")
        let account = accounts[path]!
        if request.newLimits?.account == path || request.newStatus?.account == path { return account.isLimited }
        return account.hasFloor && isDraw(path, after) || account.hasCeiling && isPayment(path, after)
    }

    private func limitObjections(_ path: String, _ after: SimpleLedger, isDecided: Bool = false) -> [Objection] {
        let (old, new) = (accounts[path]!, after.accounts[path]!)
        if let floor = new.floor, new.available < floor, isDecided || isDraw(path, after) {
            return [.limitExceeded(account: path, bound: "floor", limit: floor, balance: old.available, shortfall: floor - new.available)]
        }
        if let ceiling = new.ceiling, new.expected > ceiling, isDecided || isPayment(path, after) {
            return [
                .limitExceeded(
                    account: path, bound: "ceiling", limit: ceiling, balance: old.expected, shortfall: new.expected - ceiling)
            ]
        }
        return []
    }
}
