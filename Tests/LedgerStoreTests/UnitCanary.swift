@testable import Soaking

/// Small histories of units, and ways to spoil them.
enum UnitCanary {
    static func json(_ text: String) -> SimpleJSON {
        do { return try SimpleJSON(text) } catch { preconditionFailure("\(error): \(text)") }
    }

    private static let first = #""about":{"label":"a","key":"k","rows":2,"claims":0,"salt":1,"saw":{"0":[0,0,0],"1":[0,0,0]}}"#

    /// The second unit's entry: it saw counter 0 as the first one left it.
    static func second(saw value: Int = 8, value result: Int? = nil, claims: Int = 1) -> SimpleJSON {
        json(
            """
            {"about":{"label":"b","rows":1,"claims":\(claims),"salt":2,"saw":{"0":[\(value),1,1]}},"number":1,"value":\(result ?? 14 + 1 + value),
            "pay":{"purse":0,"units":-5},"ledger":{"unit":"u2","stream":"counter:0","revision":2,"version":1}}
            """)
    }

    /// Three units: one with a key that changes a counter, looks at another and pays; one that draws and claims; one that gives back.
    static func history() throws -> UnitHistory {
        func row(_ position: UInt64, _ kind: String, _ payload: SimpleJSON, _ moves: [UnitHistory.Move] = []) -> UnitHistory.Row {
            var streams: [UnitHistory.Place] = []
            if let stream = payload.at(["ledger", "stream"])?.string {
                streams = [.init(stream: stream, revision: payload.at(["ledger", "revision"])?.numeral.flatMap { UInt64($0) })]
            }
            return .init(position: position, id: "\(position)", kind: kind, payload: payload, streams: streams, moves: moves)
        }
        var history = UnitHistory()
        history.rows = [
            row(3, "counter.changed", json(#"{\#(first),"number":1,"value":8,"ledger":{"unit":"u1","stream":"counter:0","revision":1,"version":1}}"#)),
            row(
                4, "note.made", json(#"{\#(first),"number":2,"pay":{"purse":0,"units":5},"ledger":{"unit":"u1","stream":"note:0","version":1}}"#),
                [.init(debit: "pool", credit: "purse:0", amount: 5)]),
            row(6, "ledger.stream-checked", json(#"{"ledger":{"unit":"u1","stream":"counter:1","revision":1,"version":1}}"#)),
            row(7, "ledger.unit-done", json(#"{"key":"k","ledger":{"unit":"u1"}}"#)),
            row(8, "counter.changed", second(), [.init(debit: "purse:0", credit: "pool", amount: 5)]),
            row(9, "ledger.claimed", json(#"{"holder":"x","ledger":{"unit":"u2","stream":"ledger-claim:seat:1","revision":1,"version":1}}"#)),
            row(12, "unit.looked", json(#"{"about":{"label":"c","rows":1,"claims":1,"salt":2,"saw":{}},"number":1,"ledger":{"unit":"u3"}}"#)),
            row(13, "ledger.claim-released", json(#"{"holder":"x","ledger":{"unit":"u3","stream":"ledger-claim:seat:1","revision":2,"version":1}}"#)),
        ]
        history.said = ["a": .done("u1"), "b": .unknown, "c": .begun, "d": .repeated(key: "k", position: 7), "e": .refused("busy"), "f": .begun]
        return history
    }

    /// An entry once more at the end, of another unit and of no stream.
    static func again(_ index: Int, _ history: UnitHistory) -> UnitHistory.Row {
        var row = history.rows[index]
        guard case .object(var members) = row.payload else { return row }
        members["ledger"] = .object(["unit": .text("u9")])
        row = .init(position: 99, id: "99", kind: row.kind, payload: .object(members), streams: [], moves: row.moves)
        return row
    }

    /// Two units in the other order, on the positions that they have.
    static func swapping(_ first: String, _ second: String, _ history: UnitHistory) -> UnitHistory {
        let places = history.rows.indices.filter { history.rows[$0].unit == first || history.rows[$0].unit == second }
        let rows = places.filter { history.rows[$0].unit == second } + places.filter { history.rows[$0].unit == first }
        var swapped = history
        for (place, from) in zip(places, rows) {
            swapped.rows[place] = history.rows[from]
            swapped.rows[place].position = history.rows[place].position
        }
        return swapped
    }

    /// The revisions counted anew, in rows and payloads.
    static func renumbered(_ history: UnitHistory) -> UnitHistory {
        var renumbered = history
        var revisions: [String: UInt64] = [:]
        for index in history.rows.indices {
            guard let place = history.rows[index].streams.first, place.revision != nil, case .object(var members) = history.rows[index].payload,
                case .object(var own)? = members["ledger"]
            else { continue }
            let revision = revisions[place.stream, default: 0] + 1
            revisions[place.stream] = revision
            own["revision"] = .number("\(revision)")
            members["ledger"] = .object(own)
            renumbered.rows[index].payload = .object(members)
            renumbered.rows[index].streams = [.init(stream: place.stream, revision: revision)]
        }
        return renumbered
    }
}
