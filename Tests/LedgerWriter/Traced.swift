import Foundation
import InMemoryTracing
import Indelible
import Logging
import Synchronization
import Tracing

/// Works in a unit with a tracer and a log of its own, and prints what both were told: one line of JSON each.
enum Traced {
    struct Told: Codable {
        let what: String
        let name: String
        var unit: String?
        var correlation: String?
        var statement: String?
    }

    private struct Handler: LogHandler {
        static let lines = Mutex<[Told]>([])
        var metadataProvider: Logger.MetadataProvider?
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let own = metadataProvider?.get() ?? [:]
            let line = Told(
                what: "line", name: "\(event.message)", unit: own["indelible.unit"].map { "\($0)" },
                correlation: own["indelible.correlation"].map { "\($0)" }, statement: event.metadata?["sql"].map { "\($0)" })
            Self.lines.withLock { $0.append(line) }
        }
    }

    struct Note: Aggregate {
        static let category: StreamCategory = "note"
        static var events: [any DomainEvent<Note>.Type] { [NoteMade.self] }
        init(id: String) {}
    }

    struct NoteMade: DomainEvent {
        static let name: EntryKind = "note.made"
        let text: String
        func fold(into note: inout Note) {}
    }

    static func run(_ settings: Settings) async throws {
        let tracer = InMemoryTracer()
        InstrumentationSystem.bootstrap(tracer)
        LoggingSystem.bootstrap({ _, provider in Handler(metadataProvider: provider) }, metadataProvider: .indelible)
        let ledger = Ledger(settings.location)
        let unit = try await Trace.withCorrelation("request-7") {
            try await Units(ledger).run { unit in
                let note = try await unit.load(Note.self, "1")
                try note.apply(NoteMade(text: "hello"))
                Logger(label: "own").info("in the unit")
                return unit
            }
        }
        Logger(label: "own").info("after the unit")
        await ledger.close()
        var told = [Told(what: "unit", name: "unit", unit: unit.trace.unit, correlation: unit.trace.correlation)]
        told += Handler.lines.withLock { $0 }
        told += tracer.finishedSpans.map { span in
            func text(_ key: String) -> String? {
                if case .string(let text)? = span.attributes.get(key) { return text }
                return span.attributes.get(key).map { "\($0)" }
            }
            return Told(
                what: "span", name: span.operationName, unit: text("indelible.unit"), correlation: text("indelible.correlation"),
                statement: text("db.query.text"))
        }
        let encoder = JSONEncoder()
        for one in told { print(String(decoding: try encoder.encode(one), as: UTF8.self)) }
    }
}
