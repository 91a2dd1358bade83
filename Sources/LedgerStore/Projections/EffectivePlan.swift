import LedgerModel

/// How to sum what counts by an instant without reading every entry. No I/O.
///
/// Blocks whose entries all count by then are taken whole, as the difference of two balances; blocks of which none does are passed
/// over; of the others the entries are looked at. In a run of whole blocks one of the others is taken whole too, and what does not
/// count by then is taken away: so a run ends only where nothing counts any more.
struct EffectivePlan: Sendable, Equatable {
    enum Place: Sendable, Equatable {
        /// Everything in it counts by then.
        case before
        /// Some.
        case across
        /// Nothing.
        case behind
    }

    struct Span: Sendable, Equatable {
        let through: Position
        let place: Place
    }

    /// Totals of all entries up to a position, added or taken away.
    struct Prefix: Sendable, Equatable {
        let position: Position
        let isAdded: Bool
    }

    /// Entries to look at: what counts by then is added, or what does not is taken away.
    struct Scan: Sendable, Equatable {
        let after: Position
        /// nil: to the journal's end.
        var through: Position?
        let isAdded: Bool
    }

    private(set) var prefixes: [Prefix] = []
    private(set) var scans: [Scan] = []

    /// - Parameters:
    ///   - spans: blocks from the journal's beginning on, one behind the other.
    ///   - checkpoint: at or behind the last of them; balances are known up to there.
    init(_ spans: [Span], checkpoint: Position) {
        var isCounting = false
        var start = Position.zero
        for span in spans {
            switch span.place {
            case .before where !isCounting:
                if start > .zero { prefixes.append(Prefix(position: start, isAdded: false)) }
                isCounting = true
            case .behind where isCounting:
                prefixes.append(Prefix(position: start, isAdded: true))
                isCounting = false
            case .across: scan(start, span.through, isAdded: !isCounting)
            case .before, .behind: break
            }
            start = span.through
        }
        if isCounting {
            if checkpoint > start { scan(start, checkpoint, isAdded: false) }
            start = max(start, checkpoint)
            prefixes.append(Prefix(position: start, isAdded: true))
        }
        scan(start, nil, isAdded: true)
    }

    private mutating func scan(_ after: Position, _ through: Position?, isAdded: Bool) {
        if let last = scans.last, last.through == after, last.isAdded == isAdded {
            scans[scans.count - 1].through = through
        } else {
            scans.append(Scan(after: after, through: through, isAdded: isAdded))
        }
    }
}
