import LedgerModel
public import Logging
import Tracing

extension Logger.MetadataProvider {
    /// Unit of work, correlation and causation of the task, for every log line: `indelible.unit`, `indelible.correlation`,
    /// `indelible.causation`.
    ///
    /// ```swift
    /// LoggingSystem.bootstrap(MyHandler.init, metadataProvider: .indelible)
    /// ```
    /// Spans of statements have the same, if the connection's logger has this provider.
    public static let indelible = Logger.MetadataProvider {
        Trace.current.words.reduce(into: [:]) { $0[$1.0] = "\($1.1)" }
    }
}

extension Trace {
    fileprivate var words: [(String, String)] {
        [("indelible.unit", unit), ("indelible.correlation", correlation), ("indelible.causation", causation)].compactMap { name, text in
            text.map { (name, $0) }
        }
    }

    /// A span that says what the work belongs to.
    func span<T>(_ name: String, _ body: () async throws -> T) async throws -> T {
        try await withSpan(name) { span in
            for (name, text) in words { span.attributes[name] = text }
            return try await body()
        }
    }
}
