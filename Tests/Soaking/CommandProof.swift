import Indelible

/// The rules of commands, from the entries of the journal alone: no query, no job, nothing of what decides.
struct CommandProof {
    struct Sent: Hashable {
        let number: Int
        let isRefused: Bool
    }

    private struct Seen {
        let id: String
        let position: UInt64
        let payload: JSON
        var header: JSON? { payload["ledger"]?["command"] }
        var subject: String { header?["subject"]?.string ?? "" }
        func number(_ key: String) -> Int64 { if case .integer(let number)? = payload[key] { number } else { -1 } }
        var priority: Int64 { if case .integer(let number)? = header?["priority"] { number } else { 0 } }
        var sentAt: Timestamp { (try? Timestamp(header?["sent_at"]?.string ?? "")) ?? Timestamp(microseconds: 0) }
        var isRefused: Bool { payload["isRefused"] == true }
        /// What only one can have; nil for those that conflict with nobody.
        var slot: String? {
            guard let sort = payload["sort"]?.string, sort != "chain", let slot = payload["slot"]?.string else { return nil }
            return "\(sort) \(slot)"
        }
        func ranks(before other: Seen) -> Bool {
            if priority != other.priority { return priority > other.priority }
            if sentAt != other.sentAt { return sentAt < other.sentAt }
            return position < other.position
        }
    }

    private var commands: [String: Seen] = [:]
    /// In the journal's order.
    private var outcomes: [(command: String, kind: String, entry: Seen)] = []
    /// By the command that a unit of work followed from.
    private var recorded: [String: [(kind: String, entry: Seen)]] = [:]
    private(set) var findings: [String] = []
    private(set) var done = 0
    private(set) var refused = 0
    private(set) var slots = 0
    private(set) var ordered = 0

    /// - Throws: if the journal cannot be read.
    init(_ ledger: Ledger) async throws {
        var query = EntryQuery()
        query.limit = 10_000
        while true {
            let page = try await ledger.entries(query)
            guard let last = page.last else { return }
            query.after = last.position
            for entry in page {
                guard let text = entry.payload, let id = entry.id else { continue }
                let seen = Seen(id: id.description, position: entry.position.number, payload: try JSON(parsing: text))
                if seen.header != nil { commands[seen.id] = seen }
                if entry.kind.text.hasPrefix("ledger.command-") {
                    outcomes.append((seen.payload["command"]?.string ?? "", entry.kind.text, seen))
                } else if let cause = seen.payload["ledger"]?["causation"]?.string {
                    recorded[cause, default: []].append((entry.kind.text, seen))
                }
            }
        }
    }

    /// - Parameters:
    ///   - sent: every id that was ever sent, once, and what it asked for.
    ///   - steps: positions between which commands waited together, for those that waited before anybody looked.
    mutating func check(_ sent: [String: Sent], steps: [Range<UInt64>]) {
        for (id, one) in sent where commands[id]?.number("number") != Int64(one.number) { findings.append("the command \(one.number) is not there") }
        for (id, one) in commands where sent[id] == nil && one.payload["sort"] != "chain" { findings.append("nobody sent the command at \(one.position)") }
        var decided: [String: (kind: String, entry: Seen)] = [:]
        for outcome in outcomes {
            guard let command = commands[outcome.command] else {
                findings.append("the outcome at \(outcome.entry.position) is of no command")
                continue
            }
            if decided[outcome.command] != nil { findings.append("the command at \(command.position) has two outcomes") }
            if command.position >= outcome.entry.position { findings.append("the outcome at \(outcome.entry.position) is before its command") }
            decided[outcome.command] = (outcome.kind, outcome.entry)
        }
        for (id, command) in commands where decided[id] == nil { findings.append("the command at \(command.position) has no outcome") }
        checkWinners(decided)
        checkChains(decided)
        for step in steps { checkOrder(step) }
    }

    /// Who is first has the slot, and everybody else is told who that is.
    private mutating func checkWinners(_ decided: [String: (kind: String, entry: Seen)]) {
        var winners: [String: (command: String, what: Seen)] = [:]
        for outcome in outcomes {
            guard let command = commands[outcome.command] else { continue }
            let own = recorded[outcome.command, default: []].filter { $0.kind != "soak.command" }
            let isDone = outcome.kind == "ledger.command-done"
            if isDone { done += 1 } else { refused += 1 }
            if own.isEmpty == isDone { findings.append("the \(outcome.kind) at \(outcome.entry.position) has \(own.count) entries beside it") }
            if command.isRefused, isDone || outcome.entry.payload["reason"]?.string != SoakCommand.refusal {
                findings.append("the command at \(command.position) asked to be refused")
            }
            guard !command.isRefused, let slot = command.slot else { continue }
            guard let winner = winners[slot] else {
                slots += 1
                if let first = own.first, isDone { winners[slot] = (outcome.command, first.entry) } else {
                    findings.append("\(slot) is free, and the command at \(command.position) was refused: \(outcome.entry.payload["reason"]?.string ?? "")")
                }
                continue
            }
            let named = outcome.entry.payload["winner"]
            if isDone { findings.append("\(slot) has two winners: positions \(winner.what.position) and \(outcome.entry.position)") }
            if named?["id"]?.string != winner.what.id { findings.append("the refusal at \(outcome.entry.position) names \(named?.text ?? "nobody"), not \(winner.what.id)") }
        }
    }

    /// Each fires the next one, once.
    private mutating func checkChains(_ decided: [String: (kind: String, entry: Seen)]) {
        for (id, command) in commands where command.payload["sort"] == "chain" && !command.isRefused {
            let next = recorded[id, default: []].filter { $0.kind == "soak.command" }
            if next.count != (command.number("links") > 0 ? 1 : 0) { findings.append("the command at \(command.position) has fired \(next.count)") }
        }
    }

    /// Within a subject who ranks before is decided before.
    private mutating func checkOrder(_ step: Range<UInt64>) {
        var last: [String: Seen] = [:]
        for outcome in outcomes {
            guard let command = commands[outcome.command], step.contains(command.position) else { continue }
            if let before = last[command.subject], !before.ranks(before: command) {
                findings.append("of \(command.subject) the command at \(before.position) was decided before the one at \(command.position)")
            }
            last[command.subject] = command
            ordered += 1
        }
    }
}
