/// What units of work have left in the journal, as plain values, and what they said of themselves.
struct UnitHistory: Sendable {
    /// An entry.
    struct Row: Sendable {
        var position: UInt64
        let id: String
        let kind: String
        var payload: SimpleJSON
        /// Its rows in `stream_entry`.
        var streams: [Place] = []
        var moves: [Move] = []

        /// The unit of work that wrote it.
        var unit: String? { payload.at(["ledger", "unit"])?.string }
    }

    struct Place: Sendable, Equatable {
        let stream: String
        var revision: UInt64?
    }

    struct Move: Sendable, Equatable {
        let debit: String
        let credit: String
        let amount: Int64
    }

    /// What was said last of a unit.
    enum Said: Sendable, Equatable {
        case begun
        /// The unit of that name was committed.
        case done(String)
        /// Another unit with this key stands at a position.
        case repeated(key: String, position: UInt64)
        case refused(String)
        case unknown
    }

    /// In the order of positions.
    var rows: [Row] = []
    /// By the label of the unit.
    var said: [String: Said] = [:]
    /// Rows of `stream_entry` whose entry is not there.
    var orphans: [String] = []
}
