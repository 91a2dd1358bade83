import LedgerModel

/// Commands that wait together, in the order in which they are decided: higher priority first, then what was sent earlier, then the
/// journal's order. No subject has two under way. No I/O.
struct CommandQueue: Sendable {
    private var waiting: [StoredCommand]
    private var busy: Set<StreamName> = []

    init(_ commands: [StoredCommand]) { waiting = commands.sorted { $0.ranks(before: $1) } }

    var isEmpty: Bool { waiting.isEmpty }

    /// The first one whose subject is free; that is busy from now on. nil if there is none.
    mutating func next() -> StoredCommand? {
        // Who ranks before, of the same subject, is taken first: so nobody is passed over but by other subjects.
        guard let index = waiting.firstIndex(where: { !busy.contains($0.header.subject) }) else { return nil }
        let command = waiting.remove(at: index)
        busy.insert(command.header.subject)
        return command
    }

    /// It is decided: its subject is free.
    mutating func decided(_ command: StoredCommand) { busy.remove(command.header.subject) }
}
