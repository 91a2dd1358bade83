/// How many positions the next step takes: more while steps are quick and the journal is ahead, fewer when they take long, and
/// ever fewer to find the entry that cannot be processed. No I/O.
struct Pace: Sendable, Equatable {
    private(set) var positions: UInt64
    let positionsMax: UInt64
    /// Never fewer because steps take long.
    let positionsMin: UInt64
    private static let target = Duration.milliseconds(500)

    init(positionsMax: UInt64, positionsMin: UInt64 = 256, first: UInt64 = 16_384) {
        self.positionsMax = positionsMax
        self.positionsMin = min(positionsMin, positionsMax)
        positions = min(positionsMax, first)
    }

    /// A step was done.
    mutating func stepped(_ count: UInt64, in time: Duration) {
        if time > Self.target * 2 {
            positions = max(positionsMin, positions / 2)
        } else if count >= positions, time < Self.target {
            positions = min(positionsMax, max(positions * 2, 1))
        }
    }

    /// A step of so many could not be done.
    /// - Returns: false if it was only one: that is the one.
    mutating func narrow(_ count: UInt64) -> Bool {
        guard count > 1 else { return false }
        positions = max(1, count / 2)
        return true
    }
}
