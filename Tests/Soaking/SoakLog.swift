import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a writer says of its posts, a line each, written before the post and after it with one plain write: what it said stays
/// when it is killed.
struct SoakLog: Sendable {
    enum Word: Equatable {
        case begun
        case acknowledged(UInt64)
        /// Nothing was written, and why.
        case refused(String)
        /// It may have been written or not.
        case unknown
    }

    private let file: Int32

    init(_ path: String) throws {
        file = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    func say(_ number: Int, _ word: Word) {
        let line =
            switch word {
            case .begun: "b \(number)\n"
            case .acknowledged(let position): "a \(number) \(position)\n"
            case .refused(let code): "r \(number) \(code)\n"
            case .unknown: "u \(number)\n"
            }
        let bytes = Array(line.utf8)
        let written = unsafe write(file, bytes, bytes.count)
        // Whoever cannot say what it does does nothing more.
        guard written == bytes.count else { exit(74) }
    }
}

/// Follows the log of one incarnation while it is written.
struct SoakLogReader {
    /// What was said last of each number, which are dense from 0.
    private(set) var words: [SoakLog.Word?] = []
    private(set) var acknowledged = 0
    /// Lines that no writer writes.
    private(set) var findings: [String] = []
    private let handle: FileHandle
    private var rest: [UInt8] = []

    init(_ path: String) throws {
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    }

    /// Reads what was added. A line without an end was never said.
    mutating func follow() throws {
        while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
            rest += data
            var start = 0
            while let end = rest[start...].firstIndex(of: 10) {
                hear(rest[start..<end])
                start = end + 1
            }
            rest.removeFirst(start)
        }
    }

    func close() { try? handle.close() }

    private mutating func hear(_ line: ArraySlice<UInt8>) {
        let parts = line.split(separator: 32).map { String(decoding: $0, as: UTF8.self) }
        let word: SoakLog.Word? =
            switch (parts.first, parts.count) {
            case ("b", 2): .begun
            case ("a", 3): UInt64(parts[2]).map(SoakLog.Word.acknowledged)
            case ("r", 3): .refused(parts[2])
            case ("u", 2): .unknown
            default: nil
            }
        guard let word, let number = Int(parts[1]), number >= 0 else {
            return findings.append("a log says “\(String(decoding: line, as: UTF8.self))”")
        }
        while words.count <= number { words.append(nil) }
        guard word == .begun ? words[number] == nil : words[number] == .begun else {
            return findings.append("a log says “\(String(decoding: line, as: UTF8.self))” after \(words[number].map { "\($0)" } ?? "nothing")")
        }
        words[number] = word
        if case .acknowledged = word { acknowledged += 1 }
    }
}
