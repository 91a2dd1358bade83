import Foundation
import Indelible

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Where the book is and what to do there, from the environment.
struct Settings: Sendable {
    let location: BookLocation
    let seed: UInt64
    /// Of this program among those that run at once, and how often it was started before.
    let process: Int
    let incarnation: Int
    /// Units; 0: as long as whoever started it lives.
    let count: Int
    let tasks: Int
    let log: String

    struct Missing: Error { let name: String }

    init() throws {
        func text(_ name: String) throws -> String {
            guard let text = ProcessInfo.processInfo.environment["UNIT_RUNNER_" + name] else { throw Missing(name: name) }
            return text
        }
        func whole<T: FixedWidthInteger>(_ name: String) throws -> T {
            guard let number = T(try text(name)) else { throw Missing(name: name) }
            return number
        }
        location = try BookLocation(
            server: .socket(path: try text("SOCKET")), book: try text("BOOK"), user: try text("USER"), password: Secret(try text("PASSWORD")))
        seed = try whole("SEED")
        process = try whole("PROCESS")
        incarnation = try whole("INCARNATION")
        count = try whole("COUNT")
        tasks = try whole("TASKS")
        log = try text("LOG")
    }
}

/// What became of each unit, a line each, before it and after it, with one plain write: what was said stays when the program is killed.
struct Log: Sendable {
    private let file: Int32

    init(_ path: String) throws {
        file = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    /// `begun LABEL`, `done LABEL UNIT`, `repeated LABEL KEY POSITION`, `refused LABEL CODE`, `unknown LABEL`.
    func say(_ words: String...) {
        let bytes = Array((words.joined(separator: " ") + "\n").utf8)
        // Whoever cannot say what it does does nothing more.
        guard unsafe write(file, bytes, bytes.count) == bytes.count else { exit(74) }
    }
}

/// A random generator with a seed (SplitMix64).
struct Random: RandomNumberGenerator {
    private var state: UInt64 = 0

    init(_ parts: UInt64...) {
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
}
