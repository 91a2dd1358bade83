/// A state in which a call may have been decided.
struct Moment {
    let ledger: SimpleLedger
    /// Ids that stand in it.
    let present: Set<String>
    /// Times at which it may have been decided, as far as they make a difference.
    let clocks: [Int64]

    init(_ ledger: SimpleLedger, present: Set<String>, _ report: History.Report) {
        self.ledger = ledger
        self.present = present
        clocks = [report.begin] + Set(ledger.holds.values.compactMap(\.expiresAt)).filter { $0 > report.begin && $0 <= report.end }.sorted()
    }
}

extension HistoryChecker {
    private static let momentsMax = 1024

    /// All states in which a call may have been decided, as far as these accounts go: everything that was committed before it
    /// began, and of what was being written meanwhile anything, but claims on one account only in their order. nil if
    /// there are too many of them.
    func moments(
        of report: History.Report, _ requests: [SimpleLedger.Request], accounts: Set<String>, through: Int = 0
    ) -> [Moment]? {
        let controlled = Set(requests.flatMap(\.accounts))
        let loose = looseControls(report, requests, controlled)
        let asked = Set(report.asked.map(\.id))
        var low = max(through, lastSure(before: report.begin))
        if let first = loose.first { low = min(low, first - 1) }
        let sure = asked.filter { byID[$0].map { committed[$0.position] < report.begin } ?? false }
        var moments: [(ledger: SimpleLedger, present: Set<String>, skipped: Set<String>)] = [(states[low], sure, [])]
        for entry in history.journal[low...] {
            if entry.recordedAt > report.end + 10_000_000 { break }
            guard let id = entry.id, !entry.kind.hasSuffix("opened"), !entry.kind.hasSuffix("defined") else { continue }
            let request = request(entry)
            if committed[entry.position] < report.begin || entry.position <= through, !loose.contains(entry.position) {
                for place in moments.indices { moments[place].ledger.apply(request, id: id) }
                continue
            }
            let isNear = request.newClosedBefore != nil || asked.contains(id) || !accounts.isDisjoint(with: request.accounts)
                || isControl(entry) && !controlled.isDisjoint(with: request.accounts)
            guard isNear, entry.recordedAt <= report.end else { continue }
            // Who claims an account reads what is in force there, whatever it has not heard yet of others.
            let isRead = entry.words["account"].map { path in requests.contains { states[entry.position].claims(path, $0) } } ?? false
            let slots = slots(entry).filter { accounts.contains($0) || $0 == Self.controlSlot && !isRead }
            for place in moments.indices {
                if moments[place].skipped.isDisjoint(with: slots) {
                    var with = moments[place]
                    with.ledger.apply(request, id: id)
                    with.present.insert(id)
                    moments.append(with)
                }
                moments[place].skipped.formUnion(slots)
            }
            if moments.count > Self.momentsMax { return nil }
        }
        return moments.map { Moment($0.ledger, present: $0.present, report) }
    }

    /// Everything up to here was committed before that time.
    private func lastSure(before time: Int64) -> Int {
        var (low, high) = (0, committedMax.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if committedMax[middle] < time { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// Controls that the call may have missed because it claims nothing there.
    private func looseControls(
        _ report: History.Report, _ requests: [SimpleLedger.Request], _ accounts: Set<String>
    ) -> [Int] {
        guard ["post", "batch", "in", "reverse"].contains(report.verb) else { return [] }
        let recent = controls.filter { $0.recordedAt > report.begin - Self.relaxedWindow && $0.recordedAt <= report.end }
        return recent.filter { entry in
            guard let path = entry.words["account"] else { return true }
            let state = states[entry.position]
            return accounts.contains(path) && !requests.contains { state.claims(path, $0) }
        }.map(\.position)
    }
}
