import LedgerDatabase
public import LedgerModel

/// Which side of its book a process is on: one setting of a program that is the same on both.
///
/// ```swift
/// let ledger = Ledger(location, mode: try LedgerMode(parsing: environment["INDELIBLE_MODE"] ?? "writer"))
/// ```
public enum LedgerMode: String, Sendable, CaseIterable {
    /// Reads and records.
    case writer
    /// Reads as the book's `auditor`, and refuses everything else before it connects.
    case readOnly = "read-only"

    /// Reads `writer` or `read-only`.
    /// - Throws: `invalidEntry` for another word.
    public init(parsing text: String) throws(LedgerError) {
        guard let mode = LedgerMode(rawValue: text) else {
            throw LedgerError(
                .invalidEntry, "“\(text)” is no mode: write \(Self.allCases.map(\.rawValue).joined(separator: " or "))")
        }
        self = mode
    }

    var role: BookRole {
        switch self {
        case .writer: .writer
        case .readOnly: .auditor
        }
    }

    /// Everything that records something begins with this.
    /// - Throws: `readOnly`.
    public func requireWriter() throws(LedgerError) {
        guard self == .readOnly else { return }
        throw LedgerError(
            .readOnly, "this process is read-only: it reads the book as its auditor and records nothing. Ask one in the mode writer, or "
                + "start this one in that mode (mode: .writer, INDELIBLE_MODE=writer)")
    }
}
