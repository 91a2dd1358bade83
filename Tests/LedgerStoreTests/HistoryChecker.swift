/// Replays a journal through the simple ledger and holds every answer that was given against it.
struct HistoryChecker {
    /// What is a moment late where nothing claims: other programs may miss a control for a second, and a transaction takes its time.
    static let relaxedWindow: Int64 = 4_000_000

    let history: History
    private(set) var findings: [String] = []
    /// How many of each were checked.
    private(set) var counts: [String: Int] = [:]
    /// After each position; the first is before the journal.
    private(set) var states: [SimpleLedger] = [SimpleLedger()]
    private(set) var byID: [String: History.Entry] = [:]
    /// By the hold that they settle.
    private(set) var settlements: [String: History.Entry] = [:]
    private(set) var controls: [History.Entry] = []
    /// For each position a time at which its transaction was surely committed.
    private(set) var committed: [Int64] = [0]
    /// The latest of those up to each position.
    private(set) var committedMax: [Int64] = [0]

    init(_ history: History) {
        self.history = history
        index()
        replay()
        noteCommits()
        checkReceipts()
        for report in history.reports {
            count(report.refused.map { "\(report.verb) \($0.code)" } ?? report.verb)
            if let refused = report.refused { checkRefusal(report, refused) }
            checkReads(report)
            checkPreview(report)
        }
    }

    mutating func find(_ finding: String) { findings.append(finding) }
    mutating func count(_ what: String) { counts[what, default: 0] += 1 }

    // MARK: - Indexes

    private mutating func index() {
        for (place, entry) in history.journal.enumerated() {
            if entry.position != place + 1 { find("position \(place + 1) is missing") }
            if entry.lines != entry.moves.count { find("\(entry.position) has \(entry.moves.count) of \(entry.lines) postings") }
            guard let id = entry.id else { continue }
            if isControl(entry) { controls.append(entry) }
            if byID.updateValue(entry, forKey: id) != nil { find("\(id) is twice in the journal") }
            if entry.kind.hasPrefix("ledger.hold-"), settlements.updateValue(entry, forKey: entry.words["hold"] ?? "") != nil {
                find("the hold \(entry.words["hold"] ?? "") is settled twice")
            }
        }
    }

    private mutating func noteCommits() {
        committed += history.journal.map { $0.id == nil || ["ledger.account-opened", "ledger.currency-defined"].contains($0.kind) ? 0 : .max }
        for report in history.reports {
            for receipt in report.receipts where committed.indices.contains(receipt.position) {
                committed[receipt.position] = min(committed[receipt.position], report.end)
            }
        }
        let sweeps = history.reports.filter { $0.verb == "expire" }
        for entry in history.journal.reversed() where committed[entry.position] == .max {
            guard entry.kind == "ledger.hold-expired" else {
                find("nobody was told of \(entry.position), a \(entry.kind)")
                continue
            }
            // Written with the draw that needed its room, or by a sweep.
            if let draw = history.journal[entry.position...].first(where: { $0.kind != entry.kind }), draw.recordedAt == entry.recordedAt {
                committed[entry.position] = committed[draw.position]
            } else if let sweep = sweeps.filter({ ($0.begin...$0.end).contains(entry.recordedAt) }).map(\.end).max() {
                committed[entry.position] = sweep
            } else {
                find("nobody was told of the expiry at \(entry.position)")
            }
        }
        // Whatever refers to an entry, or claims after it, came after its commit.
        var later: [String: Int64] = [:]
        for entry in history.journal.reversed() {
            var time = committed[entry.position]
            if let id = entry.id { time = min(time, later["entry \(id)"] ?? .max) }
            let slots = slots(entry)
            for slot in slots {
                time = min(time, later[slot] ?? .max)
                later[slot] = time
            }
            for word in ["hold", "reverses"] {
                if let id = entry.words[word] { later["entry \(id)"] = min(time, later["entry \(id)"] ?? .max) }
            }
            committed[entry.position] = time
        }
        for place in 1..<committed.count { committedMax.append(max(committedMax[place - 1], committed[place])) }
    }

    func isControl(_ entry: History.Entry) -> Bool {
        ["ledger.limits-set", "ledger.status-set", "ledger.period-closed"].contains(entry.kind)
    }

    static let controlSlot = "control"

    /// What an entry claims: the accounts on which it is decided after whoever claimed before it, and likewise for controls.
    func slots(_ entry: History.Entry) -> [String] {
        let (request, state) = (request(entry), states[entry.position - 1])
        return request.accounts.filter { state.accounts[$0] != nil && state.claims($0, request) } + (isControl(entry) ? [Self.controlSlot] : [])
    }

    func request(_ entry: History.Entry) -> SimpleLedger.Request { entry.request { byID[$0] } }

    // MARK: - The journal itself

    private mutating func replay() {
        var ledger = SimpleLedger()
        for entry in history.journal {
            if entry.kind == "ledger.account-opened" {
                let (floor, ceiling) = (entry.words["floor"].flatMap { Int64($0) }, entry.words["ceiling"].flatMap { Int64($0) })
                ledger.accounts[entry.words["account"]!] = .init(
                    isDebitNormal: ["asset", "expense"].contains(entry.words["type"]!), hasFloor: floor != nil, hasCeiling: ceiling != nil,
                    floor: floor, ceiling: ceiling)
            } else if let id = entry.id {
                let request = request(entry)
                checkPlace(entry, request, ledger)
                // A limit is decided when the holds that are over are gone; a draw needs an entry that says so.
                let basis = request.newLimits == nil && request.newStatus == nil ? ledger : ledger.released(at: entry.recordedAt)
                for objection in basis.objections(to: request, clock: entry.recordedAt) where !isTolerable(objection, entry, request, basis) {
                    find("\(entry.position), \(entry.kind), recorded \(entry.recordedAt): \(objection)")
                }
                ledger.apply(request, id: id)
            }
            states.append(ledger)
        }
    }

    /// What an entry settles or reverses stands before it, and it does no more than that.
    private mutating func checkPlace(_ entry: History.Entry, _ request: SimpleLedger.Request, _ ledger: SimpleLedger) {
        if let settles = request.settles {
            guard let hold = ledger.holds[settles.hold] else { return find("\(entry.position) settles what is not held") }
            let released = entry.moves.filter { $0.status == .released }.map { [$0.debit, $0.credit, String($0.amount)] }
            if released != hold.moves.map({ [$0.debit, $0.credit, String($0.amount)] }) { find("\(entry.position) does not release its hold") }
            let captured = entry.moves.filter { $0.status == .posted }
            if captured.isEmpty == (entry.kind == "ledger.hold-captured") { find("\(entry.position) captures \(captured.count)") }
        }
        if entry.kind == "ledger.reversed" {
            guard let reversed = byID[entry.words["reverses"] ?? ""], reversed.position < entry.position else {
                return find("\(entry.position) reverses nothing")
            }
            if entry.moves != Self.opposite(reversed) { find("\(entry.position) is not the opposite of \(reversed.position)") }
        }
    }

    static func opposite(_ entry: History.Entry) -> [SimpleLedger.Move] {
        entry.moves.filter { $0.status == .posted }.map { .init(debit: $0.credit, credit: $0.debit, amount: $0.amount, status: .posted) }
    }

    /// Where nothing claims, what lands shortly after a control may have missed it.
    private func isTolerable(
        _ objection: SimpleLedger.Objection, _ entry: History.Entry, _ request: SimpleLedger.Request, _ ledger: SimpleLedger
    ) -> Bool {
        func isRecent(_ isIt: (History.Entry) -> Bool) -> Bool {
            history.journal[..<(entry.position - 1)].reversed().prefix { $0.recordedAt > entry.recordedAt - Self.relaxedWindow }.contains(where: isIt)
        }
        switch objection {
        case .periodClosed: return isRecent { $0.kind == "ledger.period-closed" }
        case .accountClosed(let path), .accountFrozen(let path):
            return !ledger.claims(path, request) && isRecent { $0.kind == "ledger.status-set" && $0.words["account"] == path }
        // What came in while it was being closed claims nothing.
        case .accountNotEmpty: return isRecent { $0.moves.contains { [$0.debit, $0.credit].contains(request.newStatus!.account) } }
        // The clock ran on between the decision and the insert.
        case .invalidTime: return request.settles == nil
        default: return false
        }
    }
}
