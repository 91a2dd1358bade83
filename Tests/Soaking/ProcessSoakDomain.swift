import Indelible

/// Two halves that come in any order, some twice, and a timer that races with the second: when both are there it posts one entry and sends one
/// command. Late means that the timer came first.
struct SoakPair: ProcessManager {
    enum Side: String, CaseIterable { case left, right }
    enum Input { case half(Side), late }

    static let name: ProcessName = "soak-pair"
    static var inputs: [InputType<SoakPair>] {
        [
            .entry(half, for: { $0.reference }, as: { entry in .half(Side(rawValue: entry.payload["side"]?.string ?? "") ?? .left) }),
            .timer("late", as: .late),
        ]
    }

    static let half: EntryKind = "soak.half"
    static let whole: EntryKind = "soak.whole"
    static let late: EntryKind = "soak.late"
    /// Of the commands that pairs send.
    static let firstNumber = 1_000_000_000

    let id: String
    private var sides: Set<Side> = []
    init(id: String) { self.id = id }

    /// What somebody posts: one side of one of them. The same sending is the same entry.
    static func entry(_ side: Side, of pair: Int, sending: Int) -> Entry {
        Entry(
            id: EntryID(key: "soak-half-\(pair)-\(side)-\(sending)"), kind: half, reference: "\(pair)", payload: ["side": .string(side.rawValue)])
    }

    mutating func evolve(_ input: Input) { if case .half(let side) = input { sides.insert(side) } }

    func react(to input: Input) -> [Effect] {
        if isEnded {
            let command = SoakCommand(
                number: Self.firstNumber + (Int(id) ?? 0), sort: .chain, about: 0, slot: "", urgency: 0, isRefused: false, links: 1)
            return [.post(Entry(kind: Self.whole, reference: id), once: "whole"), .command(command, once: "command")]
        }
        if case .late = input { return [.post(Entry(kind: Self.late, reference: id), once: "late")] }
        return [.startTimer("late", after: .milliseconds(400))]
    }

    var isEnded: Bool { sides.count == Side.allCases.count }
}

/// Fires a command for each account that there was before it.
struct SoakBulk: BulkCommand {
    static let name: EntryKind = "soak.bulk"
    let number: Int
    var selection: BulkSelection { BulkSelection(of: "soak:*") }

    static func account(_ number: Int) throws -> AccountPath { try AccountPath("soak:c\(number)") }

    func command(for member: Balance) throws -> (any Command)? {
        let text = member.account.path.text
        let account = Int(text.dropFirst("soak:c".count)) ?? 0
        return SoakCommand(number: number, sort: .chain, about: account % 7, slot: text, urgency: 0, isRefused: account % 5 == 0, links: 0)
    }
}
