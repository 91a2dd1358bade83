import Indelible

/// The rules of commands, bulks among them, from the entries of the journal alone: no query, no job, nothing of what decides.
struct CommandProof {
    struct Sent: Hashable {
        let number: Int
        let isRefused: Bool
    }

    private var commands: [String: SeenEntry] = [:]
    /// In the journal's order.
    private var outcomes: [(command: String, entry: SeenEntry)] = []
    /// By the command that a unit of work followed from.
    private var recorded: [String: [SeenEntry]] = [:]
    /// Accounts that bulks are about.
    private var opened: [(path: String, position: UInt64)] = []
    private(set) var findings: [String] = []
    private(set) var done = 0
    private(set) var refused = 0
    private(set) var slots = 0
    private(set) var ordered = 0
    private(set) var bulks = 0
    /// Of all bulks.
    private(set) var members = 0

    /// - Parameter journal: all of it.
    init(_ journal: [SeenEntry]) {
        for seen in journal {
            if seen.kind == "ledger.account-opened", let path = seen.payload["account"]?.string, path.hasPrefix("soak:c") {
                opened.append((path, seen.position))
            }
            if seen.header != nil { commands[seen.id] = seen }
            if seen.kind.hasPrefix("ledger.command-") {
                outcomes.append((seen.payload["command"]?.string ?? "", seen))
            } else if let cause = seen.payload["ledger"]?["causation"]?.string {
                recorded[cause, default: []].append(seen)
            }
        }
    }

    /// - Parameters:
    ///   - sent: every id that was ever sent, once, and what it asked for.
    ///   - steps: positions between which commands waited together, for those that waited before anybody looked.
    mutating func check(_ sent: [String: Sent], steps: [Range<UInt64>]) {
        for (id, one) in sent where commands[id]?.number("number") != Int64(one.number) { findings.append("the command \(one.number) is not there") }
        for (id, one) in commands where sent[id] == nil && one.payload["sort"] != "chain" { findings.append("nobody sent the command at \(one.position)") }
        var decided: [String: SeenEntry] = [:]
        for outcome in outcomes {
            guard let command = commands[outcome.command] else {
                findings.append("the outcome at \(outcome.entry.position) is of no command")
                continue
            }
            if decided[outcome.command] != nil { findings.append("the command at \(command.position) has two outcomes") }
            if command.position >= outcome.entry.position { findings.append("the outcome at \(outcome.entry.position) is before its command") }
            decided[outcome.command] = outcome.entry
        }
        for (id, command) in commands where decided[id] == nil { findings.append("the command at \(command.position) has no outcome") }
        checkWinners(decided)
        checkChains()
        checkBulks(decided)
        for step in steps { checkOrder(step) }
    }

    /// Who is first has the slot, and everybody else is told who that is.
    private mutating func checkWinners(_ decided: [String: SeenEntry]) {
        var winners: [String: (command: String, what: SeenEntry)] = [:]
        for outcome in outcomes {
            guard let command = commands[outcome.command] else { continue }
            let own = recorded[outcome.command, default: []].filter { $0.kind != "soak.command" }
            let isDone = outcome.entry.kind == "ledger.command-done"
            if isDone { done += 1 } else { refused += 1 }
            if own.isEmpty == isDone, command.kind != SoakBulk.name.text { findings.append("the \(outcome.entry.kind) at \(outcome.entry.position) has \(own.count) entries beside it") }
            if command.isRefused, isDone || outcome.entry.payload["reason"]?.string != SoakCommand.refusal {
                findings.append("the command at \(command.position) asked to be refused")
            }
            guard !command.isRefused, let slot = command.slot else { continue }
            guard let winner = winners[slot] else {
                slots += 1
                if let first = own.first, isDone { winners[slot] = (outcome.command, first) } else {
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
    private mutating func checkChains() {
        for (id, command) in commands where command.payload["sort"] == "chain" && !command.isRefused {
            let next = recorded[id, default: []].filter { $0.kind == "soak.command" }
            if next.count != (command.number("links") > 0 ? 1 : 0) { findings.append("the command at \(command.position) has fired \(next.count)") }
        }
    }

    /// Each has fired one command for each account that was opened before it, and no other.
    private mutating func checkBulks(_ decided: [String: SeenEntry]) {
        let fired = Dictionary(grouping: commands.values.compactMap { command in command.membership.map { (bulk: $0.bulk, account: $0.account) } }, by: \.bulk)
        for (id, bulk) in commands where bulk.kind == SoakBulk.name.text {
            let accounts = Set(opened.filter { $0.position < bulk.position }.map(\.path))
            let members = fired[id, default: []].map(\.account)
            if Set(members) != accounts || members.count != accounts.count {
                findings.append("the bulk at \(bulk.position) has fired \(members.count) commands for \(Set(members).count) accounts; there are \(accounts.count)")
            }
            if decided[id]?.kind != "ledger.command-done" { findings.append("the bulk at \(bulk.position) is not done") }
            (bulks, self.members) = (bulks + 1, self.members + members.count)
        }
        for id in fired.keys where commands[id]?.kind != SoakBulk.name.text { findings.append("commands are of a bulk \(id), which is none") }
    }

    /// Within a subject who ranks before is decided before.
    private mutating func checkOrder(_ step: Range<UInt64>) {
        var last: [String: SeenEntry] = [:]
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
