import Foundation

extension Seeded {
    /// Other numbers in every run; the seed is printed, and a run with `INDELIBLE_SEED` has the same again.
    init(_ name: String) {
        let given = ProcessInfo.processInfo.environment["INDELIBLE_SEED"].flatMap(UInt64.init)
        let seed = given ?? UInt64.random(in: 1...UInt64(UInt32.max))
        print("\(name): INDELIBLE_SEED=\(seed)")
        self.init(seed)
    }

    /// As ``integer()``, of either sign, and now and then one of the ends.
    mutating func signedInteger() -> Int64 {
        switch Int.random(in: 0..<20, using: &self) {
        case 0: .min
        case 1: .max
        case let n: n.isMultiple(of: 2) ? integer() : -integer()
        }
    }
}
