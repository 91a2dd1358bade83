import Indelible

/// A post of the soak: which it is says everything about it, so whoever knows its name can ask for it again.
struct SoakEntry: Sendable, Hashable {
    static let kind: EntryKind = "soak"
    static let open: [AccountPath] = (0..<16).map { AccountPath(stringLiteral: "open:\($0)") }
    static let limited: [AccountPath] = (0..<8).map { AccountPath(stringLiteral: "limited:\($0)") }

    let writer: Int
    /// A writer that was killed is started again as its next incarnation.
    let incarnation: Int
    let number: Int

    init(writer: Int, incarnation: Int, number: Int) { (self.writer, self.incarnation, self.number) = (writer, incarnation, number) }

    var id: EntryID { EntryID(key: "soak-\(writer)-\(incarnation)-\(number)") }

    struct Move: Hashable {
        let debit: AccountPath
        let credit: AccountPath
        let amount: Int64
    }

    /// What it moves: mostly between accounts without limits; a tenth draws on accounts that may not be overdrawn, and about
    /// as much is paid in there.
    func move(_ seed: UInt64) -> Move {
        var random = SoakRandom(seed, UInt64(writer), UInt64(incarnation), UInt64(number))
        let wallet = Self.limited[Int.random(in: 0..<Self.limited.count, using: &random)]
        let first = Int.random(in: 0..<Self.open.count, using: &random)
        let second = (first + Int.random(in: 1..<Self.open.count, using: &random)) % Self.open.count
        let amount = Int64.random(in: 1...200, using: &random)
        return switch Int.random(in: 0..<100, using: &random) {
        case ..<10: Move(debit: wallet, credit: Self.open[first], amount: amount)
        case ..<20: Move(debit: Self.open[first], credit: wallet, amount: amount)
        default: Move(debit: Self.open[first], credit: Self.open[second], amount: amount)
        }
    }

    func entry(_ seed: UInt64) -> Entry {
        let move = move(seed)
        return Entry(
            id: id, kind: Self.kind,
            postings: [Posting(debit: move.debit, credit: move.credit, amount: Amount(minorUnits: move.amount, .eur))])
    }
}

extension SoakEntry: CustomStringConvertible {
    var description: String { "post \(number) of writer \(writer), incarnation \(incarnation)" }
}

/// A random generator with a seed (SplitMix64).
struct SoakRandom: RandomNumberGenerator {
    private var state: UInt64 = 0

    init(_ parts: UInt64...) {
        for part in parts {
            state ^= part
            state = next()
        }
    }

    static func first(_ seed: UInt64, _ purpose: UInt64, _ number: Int) -> UInt64 {
        var random = SoakRandom(seed, purpose, UInt64(number))
        return random.next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
