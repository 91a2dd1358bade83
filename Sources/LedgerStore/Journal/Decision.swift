import LedgerModel

/// Decides entries one after the other: what is closed, what is frozen, what has expired, and the limits. No I/O.
///
/// The first rule that is broken, in this order, is the one that is told: the period is closed, an account is closed, an
/// account is frozen, the hold has expired, a limit would be broken. (What can be seen without the book's state comes before, and
/// so does a repeated id; `docs/architecture.md` has the whole list.)
struct Decision {
    /// An account with limits: what it stands at, after what was decided so far.
    struct Line: Sendable {
        let account: Account
        var control: AccountControl
        var totals: Totals
        /// Entries that would end holds on it whose time is over.
        var expired: [Draft] = []
    }

    /// Of every account whose limits an entry may break.
    private(set) var lines: [AccountID: Line]
    /// The last word on accounts that are not in ``lines``.
    let controls: [AccountID: AccountControl]
    let closedBefore: Timestamp?
    /// By the server's clock; nil if nothing depends on it.
    let now: Timestamp?
    let account: (AccountID) -> Account?
    /// What is to be inserted, in order.
    private(set) var accepted: [Draft] = []

    init(
        lines: [AccountID: Line], controls: [AccountID: AccountControl], closedBefore: Timestamp?, now: Timestamp?,
        account: @escaping (AccountID) -> Account?
    ) {
        self.lines = lines
        self.controls = controls
        self.closedBefore = closedBefore
        self.now = now
        self.account = account
    }

    /// Accepts an entry, and before it the expiries whose room it needs.
    mutating func decide(_ draft: Draft) throws(LedgerError) {
        var draft = draft
        try checkPeriod(&draft)
        if draft.settles == nil { try checkStatus(draft) }
        try checkClock(draft)
        for effect in draft.limited where effect.claims {
            if try hasRoom(draft, effect, isLast: false) { continue }
            // Holds whose time is over give their room back; the entry that says so comes before this one.
            for expiry in lines[effect.account]?.expired ?? [] { accept(expiry) }
            _ = try hasRoom(draft, effect, isLast: true)
        }
        accept(draft)
    }

    /// Takes back everything accepted after the first `count`.
    mutating func takeBack(to count: Int) {
        while accepted.count > count { apply(accepted.removeLast(), -1) }
    }

    private mutating func accept(_ draft: Draft) {
        guard !(draft.settles?.isExpiry == true && accepted.contains { $0.id == draft.id }) else { return }
        apply(draft, 1)
        accepted.append(draft)
    }

    private mutating func apply(_ draft: Draft, _ sign: Int128) {
        for effect in draft.limited { lines[effect.account]?.totals.add(effect.change, times: sign) }
    }

    // MARK: - Rules

    private func checkPeriod(_ draft: inout Draft) throws(LedgerError) {
        guard let closedBefore, let asked = draft.effectiveAt, asked < closedBefore else { return }
        guard draft.backdating == .redate else {
            throw LedgerError(
                .periodClosed, "it counts from \(asked), and the book is closed before \(closedBefore): let it count later, or "
                    + "have it re-dated", index: draft.index, id: draft.id)
        }
        draft.redate(to: closedBefore, from: asked)
    }

    private func checkStatus(_ draft: Draft) throws(LedgerError) {
        // Nobody is frozen or closed, as a rule.
        if controls.isEmpty, draft.limited.allSatisfy({ status(of: $0.account) == .open }) { return }
        let ids = Set(draft.postings.flatMap { [$0.debit, $0.credit] })
        let notOpen = ids.filter { status(of: $0) != .open }.sorted().compactMap(account)
        if let closed = notOpen.first(where: { status(of: $0.id) == .closed }) {
            throw refusal(.accountClosed, "\(closed.path) in \(closed.currency.code) is closed", draft)
        }
        let frozen = Set(Draft.effects(draft.postings, notOpen).filter(\.draws).map(\.account))
        if let frozen = notOpen.first(where: { frozen.contains($0.id) }) {
            throw refusal(
                .accountFrozen, "\(frozen.path) in \(frozen.currency.code) is frozen: nothing may be drawn or held from it", draft)
        }
    }

    private func status(of account: AccountID) -> AccountStatus {
        (lines[account]?.control ?? controls[account])?.status ?? .open
    }

    private func checkClock(_ draft: Draft) throws(LedgerError) {
        guard let now, !draft.isHistory else { return }
        if let settles = draft.settles, let expiresAt = settles.expiresAt {
            if settles.isExpiry, now < expiresAt {
                throw refusal(.invalidTime, "the hold \(settles.hold) expires at \(expiresAt); it is \(now)", draft)
            }
            // At a tie the expiry wins.
            if !settles.isExpiry, now >= expiresAt {
                throw refusal(.holdExpired, "the hold \(settles.hold) expired at \(expiresAt)", draft)
            }
        }
        if let expiresAt = draft.hold?.expiresAt, expiresAt <= now {
            throw refusal(.invalidTime, "it would expire at \(expiresAt), and it is \(now): let it expire later", draft)
        }
    }

    /// - Returns: false if there is none and this is not the last word.
    private func hasRoom(_ draft: Draft, _ effect: Draft.Effect, isLast: Bool) throws(LedgerError) -> Bool {
        guard let line = lines[effect.account] else {
            throw LedgerError(.integrity, "account \(effect.account.number) was not read before it was drawn from", index: draft.index, id: draft.id)
        }
        let type = line.account.type
        let after = line.totals + effect.change
        var found: (bound: Shortfall.Bound, limit: Int128, balance: Int128, short: Int128)?
        if effect.draws, let floor = line.control.limits.floor, after.available(type) < floor {
            found = (.floor, Int128(floor), line.totals.available(type), Int128(floor) - after.available(type))
        } else if effect.pays, let ceiling = line.control.limits.ceiling, after.expected(type) > ceiling {
            found = (.ceiling, Int128(ceiling), line.totals.expected(type), after.expected(type) - Int128(ceiling))
        }
        guard let found else { return true }
        guard isLast || line.expired.isEmpty else { return false }
        let (account, currency) = (line.account, line.account.currency)
        let text =
            switch found.bound {
            case .floor: "\(account.path) has \(currency.format(found.balance)) \(currency.code) available and may not go below "
                + "\(currency.format(found.limit)): \(currency.format(found.short)) missing"
            case .ceiling: "\(account.path) has \(currency.format(found.balance)) \(currency.code) and may not go above "
                + "\(currency.format(found.limit)): \(currency.format(found.short)) too much"
            }
        throw LedgerError(
            .limitExceeded, text, index: draft.index, id: draft.id,
            shortfall: Shortfall(
                account: account.path, currency: currency.code, bound: found.bound, limit: found.limit,
                balance: found.balance, shortfall: found.short))
    }

    private func refusal(_ code: LedgerError.Code, _ message: String, _ draft: Draft) -> LedgerError {
        LedgerError(code, message, index: draft.index, id: draft.id)
    }
}
