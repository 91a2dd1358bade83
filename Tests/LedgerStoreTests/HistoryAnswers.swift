/// Every answer: receipts, refusals and reads.
extension HistoryChecker {
    // MARK: - Receipts

    mutating func checkReceipts() {
        var first: Set<String> = []
        // The highest position that was acknowledged up to a time.
        var acknowledged = 0
        let ends = history.reports.sorted { $0.end < $1.end }
        var next = 0
        for report in history.reports.sorted(by: { $0.begin < $1.begin }) {
            while next < ends.count, ends[next].end < report.begin {
                acknowledged = max(acknowledged, ends[next].receipts.map(\.position).max() ?? 0)
                next += 1
            }
            for (place, receipt) in report.receipts.enumerated() {
                guard let entry = byID[receipt.id] else {
                    find("\(report.verb) of \(receipt.id) was acknowledged at \(receipt.position) and is lost")
                    continue
                }
                if entry.position != receipt.position || entry.recordedAt != receipt.recordedAt {
                    find("\(receipt.id) was acknowledged at \(receipt.position), \(receipt.recordedAt), and stands at \(entry.position)")
                }
                if !receipt.isRepeat, report.verb != "preview" {
                    if !first.insert(receipt.id).inserted { find("\(receipt.id) was acknowledged twice as new") }
                    if receipt.position <= acknowledged { find("\(receipt.position) was given after \(acknowledged) was acknowledged") }
                }
                if report.verb != "preview" { checkContent(report, place, entry) }
            }
        }
        for report in history.reports where report.isRolledBack {
            let id = report.asked[0].id
            let isElsewhere = history.reports.contains { !$0.isRolledBack && $0.receipts.contains { $0.id == id } }
            if byID[id] != nil, !isElsewhere { find("\(id) was rolled back and stands") }
        }
    }

    private mutating func checkContent(_ report: History.Report, _ place: Int, _ entry: History.Entry) {
        switch report.verb {
        case "post", "batch", "in":
            if !report.asked[place].isSame(as: entry) || report.asked[place].id != entry.id {
                find("\(entry.position) was acknowledged and holds something else: \(entry)")
            }
        case "capture", "void":
            let captured = entry.moves.filter { $0.status == .posted }.map(\.amount)
            let held = byID[report.about ?? ""]?.moves.map(\.amount)
            let asked = report.verb == "void" ? [] : (report.amounts ?? held ?? []).filter { $0 > 0 }
            if captured != asked { find("\(report.verb) of \(asked) was acknowledged at \(entry.position), which captures \(captured)") }
        case "reverse":
            if entry.words["reverses"] != report.about { find("\(entry.position) reverses another entry than was asked") }
        case "limits":
            if entry.words["floor"] != report.floor.map(String.init) || entry.words["ceiling"] != report.ceiling.map(String.init) {
                find("\(entry.position) sets other limits than was asked")
            }
        case "status":
            if entry.words["status"] != report.status { find("\(entry.position) sets another status than was asked") }
        default: break
        }
    }

    // MARK: - Refusals

    mutating func checkRefusal(_ report: History.Report, _ refused: History.Report.Refused) {
        let about = byID[report.about ?? ""]
        let isTrue: Bool?
        switch refused.code {
        case "conflict" where report.verb == "period": isTrue = isRefused(report, refused)
        case "conflict":
            let asked = report.asked[refused.index ?? 0]
            isTrue = byID[asked.id].map { !asked.isSame(as: $0) && $0.recordedAt <= report.end && stands(refused, at: $0) } ?? false
        case "holdSettled":
            isTrue = settlements[report.about ?? ""].map { settlement in
                let captured = settlement.moves.filter { $0.status == .posted }.map(\.amount)
                let asked = (report.amounts ?? about?.moves.map(\.amount) ?? []).filter { $0 > 0 }
                let isSame = settlement.kind == (report.verb == "void" ? "ledger.hold-voided" : "ledger.hold-captured")
                    && (report.verb == "void" || captured == asked)
                return !isSame && stands(refused, at: settlement) && settlement.recordedAt <= report.end
            } ?? false
        case "holdExpired":
            let isSettled = settlements[report.about ?? ""].map { committed[$0.position] < report.begin } ?? false
            isTrue = !isSettled && about?.words["expires_at"].flatMap { Int64($0) }.map { $0 <= report.end } ?? false
        case "unknownEntry": isTrue = about.map { committed[$0.position] >= report.begin } ?? true
        case "notAHold": isTrue = about.map { !$0.moves.contains { $0.status == .pending } } ?? false
        case "notReversible": isTrue = about.map { !$0.moves.contains { $0.status == .posted } } ?? false
        case "invalidEntry" where report.verb == "capture": isTrue = about?.moves.count != report.amounts?.count
        case "invalidAmount" where report.verb == "capture":
            isTrue = report.amounts.map { amounts in
                amounts.allSatisfy { $0 == 0 } || zip(amounts, about?.moves ?? []).contains { $0 > $1.amount }
            } ?? false
        case "historyUnavailable": isTrue = report.position != nil
        case "invalidTime": isTrue = report.asked.contains { $0.expiresAt.map { $0 <= report.end } ?? false }
        case "busy": isTrue = report.verb == "in"
        default: isTrue = isRefused(report, refused)
        }
        note(isTrue) { "no moment of \(report.verb) allows this refusal: \(refused) of \(report)" }
        // What was refused is not there, unless it was asked for again.
        if refused.code != "conflict", report.verb != "preview" {
            for asked in report.asked {
                guard let entry = byID[asked.id] else { continue }
                let isAcknowledged = history.reports.contains { $0.receipts.contains { $0.id == asked.id } }
                if !isAcknowledged { find("\(asked.id) was refused and stands at \(entry.position)") }
            }
        }
    }

    private func stands(_ refused: History.Report.Refused, at entry: History.Entry) -> Bool {
        guard let standing = refused.standing else { return true }
        return standing.id == entry.id && standing.position == entry.position && standing.recordedAt == entry.recordedAt
    }

    /// True if at some moment of the call the simple ledger refuses it for the same reason with the same figures.
    private func isRefused(_ report: History.Report, _ refused: History.Report.Refused) -> Bool? {
        let requests = requests(of: report)
        let accounts: Set = [refused.account ?? report.account].compactMap { $0 }.reduce(into: []) { $0.insert($1) }
        return moments(of: report, requests.map(\.request), accounts: accounts)?.contains { moment in
            moment.clocks.contains { clock in
                var ledger = moment.ledger.released(at: clock)
                var done: Set<String> = []
                for (index, one) in requests.enumerated() where !moment.present.contains(one.id) && done.insert(one.id).inserted {
                    // Limits of other accounts are not known of this moment.
                    let objection = ledger.objections(to: one.request, clock: clock).first { $0.account.map(accounts.contains) ?? true }
                    if index == refused.index ?? 0 { return objection?.isTold(by: refused) ?? false }
                    if objection != nil { return false }
                    ledger.apply(one.request, id: one.id)
                }
                return false
            }
        }
    }

    private func requests(of report: History.Report) -> [(id: String, request: SimpleLedger.Request)] {
        switch report.verb {
        case "reverse":
            guard let entry = byID[report.about ?? ""] else { return [] }
            return [("reversal", .init(moves: Self.opposite(entry)))]
        case "limits": return [(report.about!, .init(newLimits: (report.account!, report.floor, report.ceiling)))]
        case "status": return [(report.about!, .init(newStatus: (report.account!, report.status!)))]
        case "period": return [(report.about!, .init(newClosedBefore: report.closesBefore))]
        default: return report.asked.map { ($0.id, $0.request) }
        }
    }

    // MARK: - Reads

    mutating func checkReads(_ report: History.Report) {
        if report.reads.count > 1, report.reads.map(\.debitsPosted).reduce(0, +) != report.reads.map(\.creditsPosted).reduce(0, +) {
            find("debits and credits of one read differ: \(report)")
        }
        for read in report.reads {
            count("account read")
            let isTrue: Bool?
            if read.through >= states.count {
                isTrue = false
            } else if let position = report.position {
                let clock = history.journal[position - 1].recordedAt
                isTrue = position == read.through && read.isSame(as: states[position].released(at: clock))
            } else if report.verb == "projected" {
                let moment = Moment(states[read.through], present: [], report)
                isTrue = moment.clocks.contains { read.isSame(as: moment.ledger.released(at: $0)) }
            } else {
                let request = SimpleLedger.Request(newStatus: (read.account, "read"))
                isTrue = moments(of: report, [request], accounts: [read.account], through: read.through)?.contains { moment in
                    moment.clocks.contains { read.isSame(as: moment.ledger.released(at: $0)) }
                }
            }
            note(isTrue) { "no moment allows this read: \(read) of \(report.verb) from \(report.begin) to \(report.end)" }
        }
    }

    mutating func checkPreview(_ report: History.Report) {
        guard report.verb == "preview", report.refused == nil else { return }
        let requests = requests(of: report)
        for account in Set(requests.flatMap(\.request.accounts)) {
            let isTrue = moments(of: report, requests.map(\.request), accounts: [account])?.contains { moment in
                moment.clocks.contains { isPreviewed(report, requests, account, moment, $0) }
            }
            note(isTrue) { "no moment allows this preview of \(account): \(report)" }
        }
    }

    private func isPreviewed(
        _ report: History.Report, _ requests: [(id: String, request: SimpleLedger.Request)], _ account: String, _ moment: Moment, _ clock: Int64
    ) -> Bool {
        var ledger = moment.ledger.released(at: clock)
        var done: Set<String> = []
        return zip(requests, report.previews).allSatisfy { one, reads in
            if !moment.present.contains(one.id), done.insert(one.id).inserted {
                let objections = ledger.objections(to: one.request, clock: clock)
                if objections.contains(where: { $0.account ?? account == account }) { return false }
                ledger.apply(one.request, id: one.id)
            }
            return Set(reads.map(\.account)) == Set(one.request.accounts)
                && reads.allSatisfy { $0.account != account || $0.isSame(as: ledger) }
        }
    }

    /// - Parameter isTrue: nil if too much was going on at once to tell.
    private mutating func note(_ isTrue: Bool?, _ finding: () -> String) {
        switch isTrue {
        case true?: count(Self.told)
        case false?: find(finding())
        case nil: count(Self.untold)
        }
    }

    static let told = "held against the ledger"
    static let untold = "too much at once to tell"
}

extension History.Report.Read {
    func isSame(as ledger: SimpleLedger) -> Bool {
        // An account that is not opened yet has moved nothing.
        let account = ledger.accounts[account] ?? .init(isDebitNormal: true, hasFloor: false, hasCeiling: false)
        return (debitsPosted, creditsPosted, debitsPending, creditsPending)
            == (account.debitsPosted, account.creditsPosted, account.debitsPending, account.creditsPending)
    }
}

extension SimpleLedger.Objection {
    /// Whose limit it is.
    var account: String? {
        if case .limitExceeded(let account, _, _, _, _) = self { return account }
        return nil
    }

    func isTold(by refused: History.Report.Refused) -> Bool {
        switch self {
        case .periodClosed: refused.code == "periodClosed"
        case .accountClosed: refused.code == "accountClosed"
        case .accountFrozen: refused.code == "accountFrozen"
        case .invalidTime: refused.code == "invalidTime"
        case .holdExpired: refused.code == "holdExpired"
        case .accountNotEmpty: refused.code == "accountNotEmpty"
        case .alreadyClosed: refused.code == "conflict"
        case .limitExceeded(let account, let bound, let limit, let balance, let shortfall):
            refused.code == "limitExceeded" && refused.account == account && refused.bound == bound && refused.limit == limit
                && refused.balance == balance && refused.shortfall == shortfall
        }
    }
}
