/// Where an entry came from: it is kept with the entry, and is no part of its content.
public struct Trace: Sendable, Hashable {
    /// The unit of work that wrote it, and everything beside it.
    public var unit: String?
    /// What all of it belongs to: a request of somebody's, a message.
    public var correlation: String?
    /// What it follows from: the id of an entry, or of a message.
    public var causation: String?

    /// Correlation and causation are cut to so many.
    public static let charactersMax = 128

    public init(unit: String? = nil, correlation: String? = nil, causation: String? = nil) {
        (self.unit, self.correlation, self.causation) = (unit, correlation, causation)
    }

    public var isEmpty: Bool { unit == nil && correlation == nil && causation == nil }

    @TaskLocal static var bound = Trace()

    /// What holds for this task: entries, log lines and spans have it. It follows the task through its calls and children, and not into
    /// `Task.detached`.
    public static var current: Trace {
        var trace = bound
        if let unit = UnitOfWork.current { trace = unit.trace }
        return trace
    }

    /// Runs `body` with a correlation id that everything in it has.
    ///
    /// An id longer than 128 characters is cut there.
    public static func withCorrelation<T>(
        _ correlation: String, causation: String? = nil, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T
    ) async rethrows -> T {
        let trace = Trace(correlation: String(correlation.prefix(charactersMax)), causation: causation.map { String($0.prefix(charactersMax)) })
        return try await $bound.withValue(trace, operation: body)
    }
}
