import Foundation
import Indelible

/// Where the book is and what to do there, from the environment.
struct Settings: Sendable {
    let location: BookLocation
    let seed: UInt64
    /// Of this program among those that write at once.
    let number: Int
    /// Operations of each task.
    let count: Int
    let tasks: Int
    /// When the history began, for all programs, in microseconds.
    let start: Int64

    struct Missing: Error { let name: String }

    init() throws {
        func text(_ name: String) throws -> String {
            guard let text = ProcessInfo.processInfo.environment["LEDGER_WRITER_" + name] else { throw Missing(name: name) }
            return text
        }
        func whole<T: FixedWidthInteger>(_ name: String) throws -> T {
            guard let number = T(try text(name)) else { throw Missing(name: name) }
            return number
        }
        location = try BookLocation(
            server: .socket(path: try text("SOCKET")), book: try text("BOOK"), user: try text("USER"),
            password: Secret(try text("PASSWORD")))
        seed = try whole("SEED")
        number = try whole("NUMBER")
        count = try whole("COUNT")
        tasks = try whole("TASKS")
        start = try whole("START")
    }
}

/// A random generator with a seed (SplitMix64).
struct Random: RandomNumberGenerator {
    private var state: UInt64

    init(_ parts: UInt64...) {
        state = 0
        for part in parts {
            state ^= part
            state = next()
        }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    /// True in so many of a hundred cases.
    mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }
    mutating func one<T>(of choices: [T]) -> T { choices[number(0...choices.count - 1)] }
}

/// The clock of this machine, which is the server's, in microseconds.
func now() -> Int64 { Timestamp(Date()).microseconds }
