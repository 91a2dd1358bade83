import Indelible

/// What the writers were told, against what the journal holds.
struct SoakComparison {
    /// A row of the journal: an entry with its posting.
    struct Row {
        let position: UInt64
        let id: EntryID
        let move: SoakEntry.Move?
    }

    private struct Told {
        let entry: SoakEntry
        let position: UInt64
    }

    private let seed: UInt64
    /// Acknowledged, and not yet seen in the journal.
    private var told: [EntryID: Told] = [:]
    /// Of which was said that nothing was written.
    private var refused: [EntryID: SoakEntry] = [:]
    private var seen: Set<EntryID> = []
    private(set) var findings: [String] = []
    static let findingsMax = 50

    init(seed: UInt64) { self.seed = seed }

    var matched: Int { seen.count }

    mutating func acknowledge(_ entry: SoakEntry, at position: UInt64) {
        if let twice = told.updateValue(Told(entry: entry, position: position), forKey: entry.id) { find("\(twice.entry) was asked twice") }
    }

    mutating func refuse(_ entry: SoakEntry) { refused[entry.id] = entry }

    mutating func see(_ row: Row) {
        guard let told = told.removeValue(forKey: row.id) else {
            if seen.contains(row.id) { return find("the entry at \(row.position) is there twice, or has more than one posting") }
            if let entry = refused[row.id] { return find("\(entry) was refused, and stands at \(row.position)") }
            return find("the entry at \(row.position) was asked by nobody")
        }
        seen.insert(row.id)
        if told.position != row.position { find("\(told.entry) was acknowledged at \(told.position), and stands at \(row.position)") }
        if told.entry.move(seed) != row.move { find("\(told.entry) holds something else at \(row.position)") }
    }

    /// The whole journal was seen.
    mutating func end() {
        for lost in told.values.sorted(by: { $0.position < $1.position }) {
            find("\(lost.entry) was acknowledged at \(lost.position), and is lost")
        }
    }

    mutating func find(_ finding: String) {
        if findings.count < Self.findingsMax { findings.append(finding) }
    }
}
