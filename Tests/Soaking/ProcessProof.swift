import Indelible

/// What must come of halves, in whatever order they came and whoever was killed: from the entries of the journal alone.
struct ProcessProof {
    /// What the journal has of one process.
    private struct Pair {
        var sides: [String: UInt64] = [:]
        var wholes = 0
        var commands = 0
        var lates = 0
        var timers = 0
        var timerEnds = 0
        /// Where its timers fired.
        var fired: [UInt64] = []
        var steps: [String: Int] = [:]
        var halves = 0
        /// Where the second side came.
        var wholeFrom: UInt64? { sides.count == 2 ? sides.values.max() : nil }
    }

    private(set) var findings: [String] = []
    private(set) var pairs = 0
    /// Those whose timer came before the second half.
    private(set) var lates = 0

    /// - Parameters:
    ///   - journal: all of it.
    ///   - sent: which pairs were sent whole.
    init(_ journal: [SeenEntry], sent: Range<Int>) {
        var all: [String: Pair] = [:]
        for seen in journal { Self.take(seen, &all) }
        for number in sent where all["\(number)"]?.wholeFrom == nil { findings.append("of pair \(number) not both halves are there") }
        for (id, pair) in all.sorted(by: { $0.key < $1.key }) { check(id, pair) }
    }

    private static func take(_ seen: SeenEntry, _ all: inout [String: Pair]) {
        let reference = seen.payload["reference"]?.string ?? ""
        let stream = seen.payload["ledger"]?["stream"]?.string ?? ""
        let ofProcess = stream.hasPrefix("process-soak-pair:") ? String(stream.dropFirst("process-soak-pair:".count)) : nil
        switch (seen.kind, ofProcess) {
        case ("soak.half", _):
            let side = seen.payload["side"]?.string ?? ""
            all[reference, default: Pair()].halves += 1
            if all[reference]?.sides[side] == nil { all[reference]?.sides[side] = seen.position }
        case ("soak.whole", _): all[reference, default: Pair()].wholes += 1
        case ("soak.late", _): all[reference, default: Pair()].lates += 1
        case ("soak.command", _):
            let number = seen.number("number") - Int64(SoakPair.firstNumber)
            if number >= 0, seen.number("links") == 1 { all["\(number)", default: Pair()].commands += 1 }
        case ("ledger.timer-set", let id?): all[id, default: Pair()].timers += 1
        case ("ledger.timer-cancelled", let id?): all[id, default: Pair()].timerEnds += 1
        case ("ledger.timer-fired", let id?):
            all[id, default: Pair()].timerEnds += 1
            all[id]?.fired.append(seen.position)
        case ("ledger.process-step", let id?): all[id, default: Pair()].steps[seen.payload["input"]?.string ?? "", default: 0] += 1
        default: break
        }
    }

    private mutating func check(_ id: String, _ pair: Pair) {
        func expect(_ isRight: Bool, _ what: String) { if !isRight { findings.append("pair \(id): \(what)") } }
        expect(pair.steps.values.allSatisfy { $0 == 1 }, "an input has two steps")
        expect(pair.steps.count == pair.halves + pair.fired.count, "\(pair.steps.count) steps for \(pair.halves) halves and \(pair.fired.count) timers")
        guard let whole = pair.wholeFrom else { return }
        pairs += 1
        expect(pair.wholes == 1, "it was made whole \(pair.wholes) times")
        expect(pair.commands == 1, "it has sent \(pair.commands) commands")
        expect(pair.timers == pair.timerEnds, "of \(pair.timers) timers \(pair.timerEnds) have ended")
        let isLate = pair.fired.contains { $0 < whole }
        if isLate { lates += 1 }
        expect(pair.lates == (isLate ? 1 : 0), "it was late \(pair.lates) times, and its timers fired at \(pair.fired), its second half came at \(whole)")
    }
}
