public import Indelible

/// What happens when an input comes again.
public enum Redelivery: Sendable, Hashable {
    /// It is the same entry: the router recognises it, and the process never sees it.
    case sameEntry
    /// Somebody has said the same in another entry: the process sees it twice.
    case anotherEntry
}

/// What became of a process in all orders of its inputs.
public struct Convergence: Sendable {
    /// Two orders of the same inputs, the shortest ones that come to different ends.
    public struct Difference: Sendable {
        public let orders: [[String]]
        public let ends: [String]
    }

    /// How many orders lead to the ends that were compared, whole and partial ones.
    public internal(set) var orders = 0
    /// Sets of inputs and timeouts, each of which has to have one end.
    public internal(set) var ends = 0
    public internal(set) var difference: Difference?
    /// Why it cannot be said.
    public internal(set) var problem: String?

    /// - Parameters:
    ///   - inputs: each order of each part of them is run.
    ///   - id: of the process.
    ///   - redelivery: what it means that an input comes twice; each may come once more at any later place.
    ///   - timeoutsMax: how often a timer of one name fires in an order at the most.
    ///   - statesMax: gives up after so many.
    public init<P: ProcessManager>(
        of type: P.Type, inputs: [P.Input], id: String = "1", redelivery: Redelivery = .anotherEntry, timeoutsMax: Int = 2,
        statesMax: Int = 200_000
    ) {
        do { try run(Search<P>(inputs, redelivery, timeoutsMax), id, statesMax) } catch { problem = "\(error)" }
    }

    /// Breadth first, so that what differs is found in the shortest orders. What has led to the same is gone on with once.
    private mutating func run<P: ProcessManager>(_ search: Search<P>, _ id: String, _ statesMax: Int) throws {
        var level: [Search<P>.Node.Key: (node: Search<P>.Node, ways: Int)] = [:]
        var order: [Search<P>.Node.Key] = []
        let start = Search<P>.Node(run: try ProcessRun<P>(id: id), count: search.inputs.count)
        level[start.key] = (start, 1)
        order = [start.key]
        var first: [Search<P>.Group: Search<P>.Node] = [:]
        var states = 0
        while !order.isEmpty {
            var next: [Search<P>.Node.Key: (node: Search<P>.Node, ways: Int)] = [:]
            var nextOrder: [Search<P>.Node.Key] = []
            for key in order {
                guard let (node, ways) = level[key] else { continue }
                states += 1
                orders += node.path.isEmpty ? 0 : ways
                if let other = first[node.group] {
                    if other.end != node.end {
                        difference = Difference(orders: [other.path, node.path], ends: [other.end.description, node.end.description])
                        return
                    }
                } else { first[node.group] = node }
                for follower in try search.followers(of: node) {
                    let key = follower.key
                    if let known = next[key] { next[key] = (known.node, known.ways + ways) } else {
                        next[key] = (follower, ways)
                        nextOrder.append(key)
                    }
                }
                guard states + nextOrder.count <= statesMax else {
                    problem = "there are more than \(statesMax) states: give fewer inputs, or bound what the process remembers of them"
                    return
                }
            }
            (level, order) = (next, nextOrder)
        }
        ends = first.count - 1
    }
}

/// How inputs and timeouts can follow each other.
struct Search<P: ProcessManager>: Sendable {
    let inputs: [P.Input]
    let redelivery: Redelivery
    let timeoutsMax: Int
    private let timeouts: [String: P.Input]

    init(_ inputs: [P.Input], _ redelivery: Redelivery, _ timeoutsMax: Int) throws {
        (self.inputs, self.redelivery, self.timeoutsMax) = (inputs, redelivery, timeoutsMax)
        var timeouts: [String: P.Input] = [:]
        for type in P.inputs { if let name = type.timer { timeouts[name] = try type.input(try Self.entry("timer/\(name)")) } }
        self.timeouts = timeouts
    }

    /// What has come, however often.
    struct Group: Hashable { let inputs: Set<Int>; let timeouts: Set<String> }

    struct Node: Sendable {
        var run: ProcessRun<P>
        /// How often each input came.
        var counts: [Int]
        var fired: [String: Int] = [:]
        /// Timers that were started and have not been heard of: their firing may come at any later place, even when somebody cancels them
        /// meanwhile and is too late.
        var started: [String: Int] = [:]
        var posted: [String: Int] = [:]
        var standing: [EntryID: ProcessEffect] = [:]
        var balances: [String: Int128] = [:]
        var path: [String] = []

        init(run: ProcessRun<P>, count: Int) {
            self.run = run
            counts = Array(repeating: 0, count: count)
        }

        var group: Group { Group(inputs: Set(counts.indices.filter { counts[$0] > 0 }), timeouts: Set(fired.keys)) }
        var end: End {
            End(
                state: run.state, isEnded: run.isEnded, timers: run.timers.keys.sorted(), effects: posted, balances: balances.filter { $0.value != 0 })
        }
        var key: Key { Key(counts: counts, fired: fired, started: started, once: run.once, end: end) }

        struct Key: Hashable {
            let counts: [Int]
            let fired: [String: Int]
            let started: [String: Int]
            let once: Set<String>
            let end: End
        }
    }

    struct End: Hashable, CustomStringConvertible {
        let state: P
        let isEnded: Bool
        let timers: [String]
        let effects: [String: Int]
        let balances: [String: Int128]

        var description: String {
            func list(_ items: [String]) -> String { items.isEmpty ? "none" : items.sorted().joined(separator: ", ") }
            return """
                state: \(state)\(isEnded ? ", ended" : "")
                effects: \(list(effects.map { $0.value == 1 ? $0.key : "\($0.value) × \($0.key)" }))
                timers: \(list(timers))
                balances: \(list(balances.map { "\($0.key) \($0.value)" }))
                """
        }
    }

    func followers(of node: Node) throws -> [Node] {
        var found: [Node] = []
        for (index, input) in inputs.enumerated() where node.counts[index] < (redelivery == .anotherEntry ? 2 : 1) {
            let isAgain = node.counts[index] > 0
            var next = node
            next.counts[index] += 1
            try take(input, "\(input)\(isAgain ? " again" : "")", "input/\(index)/\(node.counts[index])", &next)
            found.append(next)
        }
        for name in node.started.keys.sorted() where node.started[name, default: 0] > 0 && node.fired[name, default: 0] < timeoutsMax {
            guard let input = timeouts[name] else { continue }
            var next = node
            next.started[name, default: 0] -= 1
            next.fired[name, default: 0] += 1
            // If it still ran, its firing has ended it.
            if let set = next.run.timers[name] { next.run.fold(endOf: set) }
            try take(input, "timer \(name) fires", "timer/\(name)/\(next.fired[name, default: 0])", &next)
            found.append(next)
        }
        return found
    }

    private func take(_ input: P.Input, _ word: String, _ entry: String, _ node: inout Node) throws {
        node.path.append(word)
        let step = try node.run.take(input, try Self.entry(entry))
        for timer in step.timers { if case .set(_, let name, _) = timer { node.started[name, default: 0] += 1 } }
        for effect in step.effects {
            if effect.mayStand {
                if let standing = node.standing[effect.id] {
                    guard standing == effect else {
                        throw LedgerError(.conflict, "\(node.path.joined(separator: ", ")): two effects that differ have one id", id: effect.id)
                    }
                    continue
                }
                node.standing[effect.id] = effect
            }
            node.posted[Self.words(effect.operation), default: 0] += 1
            guard case .post(let entry) = effect.operation.action else { continue }
            for posting in entry.postings where entry.hold == nil {
                node.balances["\(posting.debit) \(posting.amount.currency)", default: 0] += Int128(posting.amount.minorUnits)
                node.balances["\(posting.credit) \(posting.amount.currency)", default: 0] -= Int128(posting.amount.minorUnits)
            }
        }
    }

    private static func words(_ operation: UnitOperation) -> String {
        switch operation.action {
        case .post(let entry): words(entry)
        case .capture(let hold, nil): "captures \(hold)"
        case .capture(let hold, let amounts?): "captures \(amounts.map { "\($0.minorUnits) \($0.currency)" }.joined(separator: ", ")) of \(hold)"
        case .void(let hold): "voids \(hold)"
        }
    }

    /// What an entry says, without its id.
    private static func words(_ entry: Entry) -> String {
        var text = entry.kind.text
        if let payload = entry.storedPayload { text += " \(payload.text)" }
        if let effectiveAt = entry.effectiveAt { text += " as of \(effectiveAt)" }
        for posting in entry.postings {
            text += " \(posting.amount.minorUnits) \(posting.amount.currency) debit \(posting.debit) credit \(posting.credit)"
        }
        return entry.hold == nil ? text : text + " (held)"
    }

    private static func entry(_ key: String) throws -> RecordedEntry {
        let time = Timestamp(microseconds: 1_767_225_600_000_000)
        return try RecordedEntry(
            id: EntryID(key: "convergence/\(key)"), position: Position(1), kind: "convergence.input", effectiveAt: time, recordedAt: time, payload: nil, postings: [])
    }
}
