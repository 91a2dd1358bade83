/// Units of work one after the other, in the order of their entries' positions: a few dictionaries. It knows nothing of streams but what rows say,
/// and shares no code with what wrote them.
///
/// If each unit saw exactly what this run has at its turn, and wrote what follows from it, then the history is that of a sequential run.
struct UnitModel {
    private struct Counter {
        var value: Int64 = 0
        var revision: UInt64 = 0
        var changes: Int64 = 0
    }

    private struct Unit {
        let name: String
        var rows: [UnitHistory.Row] = []
    }

    private var counters: [String: Counter] = [:]
    /// Who has a seat.
    private var seats: [String: String] = [:]
    private var purses: [String: Int64] = [:]
    /// The position of the entry that says so.
    private var keys: [String: UInt64] = [:]
    /// The unit of each label.
    private var labels: [String: String] = [:]
    private(set) var findings: [String] = []

    /// What contradicts a sequential run.
    static func findings(_ history: UnitHistory) -> [String] {
        var model = UnitModel()
        for orphan in history.orphans { model.find("\(orphan) has no entry") }
        model.checkStreams(history.rows)
        for unit in model.units(history.rows) { model.replay(unit) }
        model.checkSaid(history.said)
        return model.findings
    }

    private mutating func find(_ finding: String) { findings.append(finding) }

    // MARK: - Rows

    /// Revisions are 1, 2, 3 … in the order of positions, and payloads say the same.
    private mutating func checkStreams(_ rows: [UnitHistory.Row]) {
        var revisions: [String: UInt64] = [:]
        var last: UInt64 = 0
        for row in rows {
            if row.position <= last { find("position \(row.position) comes after \(last)") }
            last = row.position
            let told = row.payload["ledger"]
            guard row.streams.count <= 1 else {
                find("position \(row.position) is in \(row.streams.count) streams")
                continue
            }
            let place = row.streams.first
            if told?["stream"]?.string != place?.stream || told?["revision"]?.numeral != place?.revision.map(String.init) {
                find("position \(row.position) says another place in a stream than its row")
            }
            guard let place else { continue }
            guard let revision = place.revision else {
                if !place.stream.hasPrefix("note:") { find("position \(row.position) claims no revision of \(place.stream)") }
                continue
            }
            if revision != revisions[place.stream, default: 0] + 1 {
                find("position \(row.position) is revision \(revision) of \(place.stream), after \(revisions[place.stream, default: 0])")
            }
            revisions[place.stream] = revision
        }
    }

    /// In the order of their first entries.
    private mutating func units(_ rows: [UnitHistory.Row]) -> [Unit] {
        var units: [Unit] = []
        var places: [String: Int] = [:]
        for row in rows {
            guard let name = row.unit else {
                find("position \(row.position), \(row.kind), is of no unit")
                continue
            }
            if places[name] == nil {
                places[name] = units.count
                units.append(Unit(name: name))
            }
            units[places[name] ?? 0].rows.append(row)
        }
        return units
    }

    // MARK: - One unit

    private mutating func replay(_ unit: Unit) {
        let own = unit.rows.filter { $0.payload["about"] != nil }
        let at = "the unit at \(unit.rows[0].position)"
        guard let about = own.first?.payload["about"], let label = about["label"]?.string else {
            // Its other entries change the state all the same.
            find("\(at) has lost all entries that say what it is")
            for row in unit.rows { _ = step(row, about: .null, at) }
            return
        }
        if let other = labels.updateValue(unit.name, forKey: label), other != unit.name { find("\(at): \(label) was done twice") }
        for row in own where row.payload["about"] != about { find("\(at) saw something else in one entry than in another") }
        let numbers = own.compactMap { $0.payload["number"]?.numeral }
        if numbers != (1...max(1, number(about["rows"]) ?? 1)).map(String.init) || own.count != number(about["rows"]) ?? -1 {
            find("\(at), \(label), said \(about["rows"]?.numeral ?? "nothing") entries and has \(numbers)")
        }
        let claims = unit.rows.count { $0.kind == "ledger.claimed" || $0.kind == "ledger.claim-released" }
        if claims != number(about["claims"]) ?? -1 { find("\(at), \(label), said \(about["claims"]?.numeral ?? "nothing") claims and has \(claims)") }
        checkKey(unit, about["key"]?.string, at)
        let saw = about["saw"]?.members ?? [:]
        for (counter, seen) in saw {
            let now = counters[counter] ?? Counter()
            if seen.items.map(\.numeral) != ["\(now.value)", "\(now.revision)", "\(now.changes)"] {
                find("\(at), \(label), saw counter \(counter) as \(seen.items.compactMap(\.numeral)), and it is \(now)")
            }
        }
        var changed: Set<String> = []
        var checked: [String] = []
        for row in unit.rows {
            guard let counter = step(row, about: about, at) else { continue }
            if saw[counter] == nil { find("\(at), \(label), claims counter \(counter) and has not read it") }
            if row.kind == "ledger.stream-checked" { checked.append(counter) } else { changed.insert(counter) }
        }
        // What is read is changed, or checked once.
        if checked.sorted() != Set(saw.keys).subtracting(changed).sorted() { find("\(at), \(label), checks \(checked), and changes \(changed.sorted())") }
    }

    private func number(_ json: SimpleJSON?) -> Int? { json?.numeral.flatMap { Int($0) } }

    private mutating func checkKey(_ unit: Unit, _ key: String?, _ at: String) {
        let done = unit.rows.filter { $0.kind == "ledger.unit-done" }
        if done.map({ $0.payload["key"]?.string }) != (key.map { [$0] } ?? []) { find("\(at) has not the entry of its key \(key ?? "(none)")") }
        guard let key else { return }
        if keys[key] != nil { find("\(at): \(key) was done before") }
        keys[key] = done.first?.position ?? unit.rows[0].position
    }

    /// Does what one entry says.
    /// - Returns: the counter whose revision it claims.
    private mutating func step(_ row: UnitHistory.Row, about: SimpleJSON, _ at: String) -> String? {
        checkMoves(row, at)
        let place = row.streams.first
        switch row.kind {
        case "counter.changed", "ledger.stream-checked":
            guard let place, place.stream.hasPrefix("counter:"), let revision = place.revision else {
                find("\(at): position \(row.position) is of no counter")
                return nil
            }
            let name = String(place.stream.dropFirst("counter:".count))
            var counter = counters[name] ?? Counter()
            if revision != counter.revision + 1 { find("\(at): position \(row.position) is revision \(revision) of counter \(name) after \(counter.revision)") }
            counter.revision = revision
            if row.kind == "counter.changed" {
                let value = row.payload["value"]?.numeral.flatMap { Int64($0) }
                if value != Self.value(about, number(row.payload["number"]) ?? 0) { find("\(at): position \(row.position) does not follow from what was seen") }
                counter.value = value ?? 0
                counter.changes += 1
            }
            counters[name] = counter
            return name
        case "ledger.claimed", "ledger.claim-released":
            seat(row, at)
            return nil
        case "note.made":
            if place?.stream.hasPrefix("note:") != true { find("\(at): position \(row.position) is in no stream of notes") }
            return nil
        case "unit.looked", "unit.paid", "ledger.unit-done":
            if place != nil { find("\(at): position \(row.position) is in a stream") }
            return nil
        default:
            find("\(at): position \(row.position) is a \(row.kind)")
            return nil
        }
    }

    private mutating func seat(_ row: UnitHistory.Row, _ at: String) {
        guard let stream = row.streams.first?.stream, stream.hasPrefix("ledger-claim:seat:"), let holder = row.payload["holder"]?.string else {
            return find("\(at): position \(row.position) claims nothing")
        }
        if row.kind == "ledger.claimed" {
            if let other = seats[stream] { find("\(at): \(holder) claims \(stream), which \(other) holds") }
            seats[stream] = holder
        } else {
            if seats[stream] != holder { find("\(at): \(holder) releases \(stream), which \(seats[stream] ?? "nobody") holds") }
            seats[stream] = nil
        }
    }

    /// What is posted is what the entry says, and no purse is overdrawn.
    private mutating func checkMoves(_ row: UnitHistory.Row, _ at: String) {
        var expected: [UnitHistory.Move] = []
        if let pay = row.payload["pay"], let purse = pay["purse"]?.numeral, let units = pay["units"]?.numeral.flatMap({ Int64($0) }) {
            expected = [
                units < 0 ? .init(debit: "purse:\(purse)", credit: "pool", amount: -units) : .init(debit: "pool", credit: "purse:\(purse)", amount: units)
            ]
        }
        if row.moves != expected { find("\(at): position \(row.position) moves \(row.moves), and says \(expected)") }
        for move in row.moves {
            purses[move.debit, default: 0] -= move.amount
            purses[move.credit, default: 0] += move.amount
            if move.debit != "pool", purses[move.debit, default: 0] < 0 { find("\(at): position \(row.position) overdraws \(move.debit)") }
        }
    }

    /// What an entry makes of a counter.
    private static func value(_ about: SimpleJSON, _ number: Int) -> Int64? {
        guard let salt = about["salt"]?.numeral.flatMap({ Int64($0) }) else { return nil }
        var sum = 7 * salt + Int64(number)
        var factor: Int64 = 0
        for (_, seen) in (about["saw"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
            factor += 1
            guard let value = seen.items.first?.numeral.flatMap({ Int64($0) }) else { return nil }
            sum += factor * value
        }
        return sum % 1_000_003
    }

    // MARK: - What was said

    private mutating func checkSaid(_ said: [String: UnitHistory.Said]) {
        for (label, words) in said.sorted(by: { $0.key < $1.key }) {
            switch words {
            case .done(let unit):
                if labels[label] != unit { find("\(label) was acknowledged as \(unit), and the journal has \(labels[label] ?? "nothing") of it") }
            case .repeated(let key, let position):
                // It may have been its own first attempt that nobody heard of.
                if keys[key] != position { find("\(label) was told that \(key) stands at \(position), and it is at \(keys[key].map(String.init) ?? "no position")") }
            case .refused(let code):
                if labels[label] != nil { find("\(label) was refused (\(code)), and is in the journal") }
            case .begun, .unknown: break
            }
        }
        for label in labels.keys where said[label] == nil { find("\(label) is in the journal, and nobody began it") }
    }
}
