/// What a stream is about: `story`, `member`. The first part of its name.
public struct StreamCategory: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    public let text: String
    public static let charactersMax = 32

    /// - Throws: `invalidEntry` unless the text has 1 to 32 characters of `a`–`z`, `0`–`9`, `-`, and a letter first. Those that begin
    ///   with `ledger` or `process-` are the library's own.
    public init(_ text: String) throws(LedgerError) {
        let isWellFormed = text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard (1...Self.charactersMax).contains(text.utf8.count), isWellFormed, text.utf8.first.map({ $0 >= 97 }) == true,
            !text.hasPrefix("ledger"), !text.hasPrefix("process-")
        else {
            throw LedgerError(
                .invalidEntry, "“\(text)” is no category of streams: 1 to \(Self.charactersMax) characters of a-z 0-9 -, a letter first, and "
                    + "not beginning with “ledger” or “process-”")
        }
        self.text = text
    }

    /// A category written in the program. Anything that ``init(_:)`` refuses stops the program.
    public init(stringLiteral value: String) {
        do { try self.init(value) } catch { preconditionFailure(error.message) }
    }

    private init(own text: String) { self.text = text }

    /// What ``UnitOfWork/claim(_:_:for:)`` claims.
    static let claims = StreamCategory(own: "ledger-claim")

    /// The steps and timers of a process.
    package static func process(_ name: ProcessName) -> StreamCategory { StreamCategory(own: "process-\(name)") }

    public var description: String { text }
}

/// The name of a stream, which are the entries about one thing: `story:42`.
public struct StreamName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Category and id, with `:` between them.
    public let text: String
    /// Of category, `:` and id, in UTF-8.
    public static let bytesMax = 200

    /// - Throws: `invalidEntry` if the id is empty, has control characters, or makes the name longer than 200 bytes.
    public init(_ category: StreamCategory, _ id: String) throws(LedgerError) {
        let text = "\(category.text):\(id)"
        if let problem = Self.problem(id, text) {
            throw LedgerError(.invalidEntry, "“\(id)” is no id of a \(category): \(problem)")
        }
        self.text = text
    }

    /// Reads what ``description`` prints.
    /// - Throws: `invalidEntry` for anything else.
    public init(parsing text: String) throws(LedgerError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw LedgerError(.invalidEntry, "“\(text)” is no name of a stream: write category:id") }
        if parts[0] == StreamCategory.claims.text[...] {
            try self.init(.claims, String(parts[1]))
        } else if parts[0].hasPrefix("process-") {
            try self.init(.process(try ProcessName(String(parts[0].dropFirst("process-".count)))), String(parts[1]))
        } else {
            try self.init(try StreamCategory(String(parts[0])), String(parts[1]))
        }
    }

    /// With what the streams of all processes of a name begin.
    package static func prefix(of process: ProcessName) -> String { "process-\(process):" }

    private static func problem(_ id: String, _ text: String) -> String? {
        if id.isEmpty { return "it is empty" }
        if id.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) { return "it has control characters" }
        return text.utf8.count > bytesMax ? "category and id have \(text.utf8.count) bytes; at most \(bytesMax) are kept" : nil
    }

    // By bytes: two spellings of one character are two names, as they are for the database.
    public static func == (left: StreamName, right: StreamName) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
    public func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(byte) } }
    public static func < (left: StreamName, right: StreamName) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }
    public var description: String { text }
}

/// What an append relies on. The revision of a stream is the number of its entries that claimed one; appends as ``any`` belong to the
/// stream and claim none.
public enum ExpectedRevision: Sendable, Hashable {
    /// Nobody has claimed more than so many; the append claims the next. Else it is a `revisionConflict`.
    case exact(UInt64)
    /// Nobody has claimed one yet: `exact(0)`.
    case none
    /// The stream has entries. That cannot become untrue, so nothing is claimed.
    case exists
    /// Nothing is expected and nothing claimed: such appends conflict with nobody. Their order among each other means nothing.
    case any
}
