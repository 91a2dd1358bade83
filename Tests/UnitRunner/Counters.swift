import Indelible

/// What a unit of work decided on. Every entry that is its own says all of it, so whoever reads the journal can check the decision.
struct About: Codable, Sendable, Hashable {
    /// Which process of which incarnation, and which of its units.
    let label: String
    let key: String?
    /// Entries that say this.
    var rows: Int
    /// Entries that claim or release a seat.
    var claims: Int
    /// Of each counter that was read: its value, its revision and how often it was changed, before the unit.
    let saw: [String: [Int64]]
    let salt: Int64

    /// What the so-manieth entry of the unit makes of a counter.
    func value(_ number: Int) -> Int64 {
        var sum = salt * 7 + Int64(number)
        for (index, counter) in saw.keys.sorted().enumerated() { sum += Int64(index + 1) * (saw[counter]?[0] ?? 0) }
        return sum % 1_000_003
    }
}

/// What a unit does to money: a draw on a purse, or what is paid into it.
struct Pay: Codable, Sendable, Hashable {
    let purse: Int
    /// Negative: a draw.
    let units: Int64

    var posting: Posting {
        let purse = AccountPath(stringLiteral: "purse:\(self.purse)")
        return units < 0
            ? Posting(debit: purse, credit: "pool", amount: Amount(minorUnits: -units, .eur))
            : Posting(debit: "pool", credit: purse, amount: Amount(minorUnits: units, .eur))
    }
}

/// One of a few things that all units share.
struct Counter: Aggregate, Codable, Equatable {
    static let category: StreamCategory = "counter"
    static var events: [any DomainEvent<Counter>.Type] { [CounterChanged.self] }

    let id: Int
    var value: Int64 = 0
    var changes: Int64 = 0
    init(id: Int) { self.id = id }
}

struct CounterChanged: DomainEvent {
    static let name: EntryKind = "counter.changed"
    let about: About
    let number: Int
    let value: Int64
    let pay: Pay?
    var movement: Movement { pay.map { .post([$0.posting]) } ?? .none }

    func fold(into counter: inout Counter) {
        counter.value = value
        counter.changes += 1
    }
}

/// Notes commute: they are appended and claim nothing.
struct Note: Aggregate {
    static let category: StreamCategory = "note"
    static var events: [any DomainEvent<Note>.Type] { [NoteMade.self] }
    let id: Int
    init(id: Int) { self.id = id }
}

struct NoteMade: DomainEvent {
    static let name: EntryKind = "note.made"
    let about: About
    let number: Int
    func fold(into note: inout Note) {}
}
