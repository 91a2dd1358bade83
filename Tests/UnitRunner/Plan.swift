import Indelible

/// What one unit is going to do, as its seed has it.
struct Plan: Sendable {
    enum Mode: Sendable { case optimistic, once(key: String), exclusive }
    enum Seat: Sendable { case claim(Int), release(Int) }

    static let counters = 6
    static let purses = 4
    static let seats = 12

    let label: String
    /// Of everything that one process does, however often it was killed.
    let holder: String
    let mode: Mode
    let reads: [Int]
    /// Counters that are changed, in order; some more than once.
    let writes: [Int]
    let seat: Seat?
    let pay: Pay?
    let note: Int?
    let salt: Int64
    let isRolledBack: Bool
    /// Of the reads some are loaded one by one.
    let isPreloaded: Bool

    init(_ settings: Settings, _ number: Int) {
        var random = Random(settings.seed, UInt64(settings.process), UInt64(settings.incarnation), UInt64(number))
        label = "\(settings.process)-\(settings.incarnation)-\(number)"
        holder = "process-\(settings.process)"
        mode =
            switch random.number(1...100) {
            case ...25: .once(key: "request-\(number / 4)-\(random.number(0...5))")
            case ...50: .exclusive
            default: .optimistic
            }
        reads = Array((0..<Self.counters).shuffled(using: &random).prefix(random.number(1...3)))
        var writes: [Int] = []
        for _ in 0..<random.number(0...3) { writes.append(reads[random.number(0...reads.count - 1)]) }
        self.writes = writes
        let place = random.number(0...Self.seats - 1)
        seat = random.chance(20) ? (random.chance(50) ? .claim(place) : .release(place)) : nil
        let units = Int64(random.number(1...100))
        pay = random.chance(40) ? Pay(purse: random.number(0...Self.purses - 1), units: random.chance(50) ? units : -units) : nil
        note = random.chance(15) ? random.number(0...1) : nil
        salt = Int64(random.number(0...1_000_000))
        isRolledBack = random.chance(8)
        isPreloaded = random.chance(50)
    }

    struct RolledBack: Error {}

    var isExclusive: Bool {
        if case .exclusive = mode { true } else { false }
    }

    /// Everything that the unit does once its counters are loaded. Nothing here waits.
    func work(_ unit: UnitOfWork) throws {
        var refs: [Int: Ref<Counter>] = [:]
        for id in reads { refs[id] = try unit.loaded(Counter.self, id) }
        var about = about(refs)
        let isLooking = writes.isEmpty && pay == nil && note == nil
        about.rows = writes.count + (note == nil ? 0 : 1) + (isLooking || writes.isEmpty && pay != nil ? 1 : 0)
        about.claims = seat == nil ? 0 : 1
        for id in reads where !writes.contains(id) { try refs[id]?.check() }
        var number = 0
        for id in writes {
            number += 1
            // The first event moves the money.
            try refs[id]?.apply(CounterChanged(about: about, number: number, value: about.value(number), pay: number == 1 ? pay : nil))
        }
        switch seat {
        case .claim(let place): try unit.claim("seat", "\(place)", for: holder)
        case .release(let place): try unit.release("seat", "\(place)", of: holder)
        case nil: break
        }
        if let note {
            number += 1
            try unit.append(NoteMade(about: about, number: number), to: note, expecting: .any)
        }
        if isLooking || writes.isEmpty && pay != nil { try unit.post(try word(about, number + 1)) }
        if isRolledBack { throw RolledBack() }
    }

    private func about(_ refs: [Int: Ref<Counter>]) -> About {
        var saw: [String: [Int64]] = [:]
        for (id, ref) in refs { saw["\(id)"] = [ref.state.value, Int64(ref.revision), ref.state.changes] }
        var key: String?
        if case .once(let own) = mode { key = own }
        return About(label: label, key: key, rows: 0, claims: 0, saw: saw, salt: salt)
    }

    /// An entry of no stream that says what the unit saw.
    private func word(_ about: About, _ number: Int) throws -> Entry {
        var entry = Entry(kind: pay == nil ? "unit.looked" : "unit.paid", postings: pay.map { [$0.posting] } ?? [])
        var saw: [String: JSON] = [:]
        for (counter, numbers) in about.saw { saw[counter] = .array(numbers.map(JSON.integer)) }
        var members: [String: JSON] = [
            "label": .string(about.label), "rows": .integer(Int64(about.rows)), "claims": .integer(Int64(about.claims)), "saw": .object(saw),
            "salt": .integer(about.salt),
        ]
        members["key"] = about.key.map(JSON.string)
        entry.payload = ["about": .object(members), "number": .integer(Int64(number))]
        if let pay { entry.payload["pay"] = ["purse": .integer(Int64(pay.purse)), "units": .integer(pay.units)] }
        return entry
    }
}
