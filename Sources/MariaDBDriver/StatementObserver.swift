import Logging
import Metrics
import Tracing

/// Tells logs, metrics and traces of statements: their text, how long they took, how they failed. Never a bound value.
///
/// Metrics: the timer `mariadb_statement_duration`, the counter `mariadb_statement_errors` with the dimension `number`.
/// Spans: of kind client, by OpenTelemetry's names for databases (`db.system.name`, `db.query.text`), and whatever the logger's
/// metadata provider says.
struct StatementObserver: Sendable {
    private let logger: Logger
    private let slow: Duration?
    private let timer = Timer(label: "mariadb_statement_duration")
    /// nil if nobody traces.
    private let tracer: (any Tracer)?

    /// Traces are told to the tracer that the program has at this moment.
    init(_ configuration: ConnectionConfiguration) {
        logger = configuration.logger
        slow = configuration.slowStatement
        let tracer = InstrumentationSystem.tracer
        self.tracer = tracer is NoOpTracer ? nil : tracer
    }

    func observe<T>(_ text: String, _ body: () throws(MariaDBError) -> T) throws(MariaDBError) -> T {
        let span = tracer?.startAnySpan(Self.verb(text), ofKind: .client)
        span?.attributes["db.system.name"] = "mariadb"
        span?.attributes["db.query.text"] = text
        if let span, let provider = logger.metadataProvider {
            for (name, value) in provider.get() { span.attributes[name] = "\(value)" }
        }
        let start = ContinuousClock.now
        defer { span?.end() }
        do throws(MariaDBError) {
            let result = try body()
            finished(text, start.duration(to: .now))
            return result
        } catch {
            timer.record(duration: start.duration(to: .now))
            Counter(label: "mariadb_statement_errors", dimensions: [("number", String(error.number))]).increment()
            span?.attributes["error.type"] = String(error.number)
            span?.setStatus(SpanStatus(code: .error))
            logger.debug("statement failed", metadata: ["sql": "\(text)", "error": "\(error.number)"])
            throw error
        }
    }

    private func finished(_ text: String, _ duration: Duration) {
        timer.record(duration: duration)
        if let slow, duration > slow {
            logger.warning("slow statement", metadata: ["sql": "\(text)", "duration": "\(duration)"])
        } else {
            logger.trace("statement", metadata: ["sql": "\(text)", "duration": "\(duration)"])
        }
    }

    /// `SELECT`, `INSERT` …: a name of few different values.
    private static func verb(_ text: String) -> String {
        String(text.prefix { $0.isLetter })
    }
}
