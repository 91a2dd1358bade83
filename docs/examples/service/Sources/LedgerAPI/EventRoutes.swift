import AsyncAlgorithms
import HTTPTypes
import Hummingbird
import Indelible
import Logging
import NIOCore
import ServiceLifecycle

/// `GET /events`: the public events of the journal in order, as they come, as server-sent events.
///
/// The event's id is its position, so a client that was cut off says where it was, and misses nothing and gets nothing twice. Nothing is
/// kept here: whoever follows reads the journal, as fast as they take it.
struct EventRoutes: Sendable {
    let ledger: Ledger
    let translator: Translator
    /// Something is sent at least so often: else a client that is gone would not be noticed.
    let heartbeat: Duration

    /// Each follower looks for more so often.
    private static let pollInterval = Duration.milliseconds(100)

    func add(to router: Router<BasicRequestContext>) { router.get("/events", use: events) }

    @Sendable private func events(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let lines = lines(after: try after(request))
        let logger = context.logger
        let body = ResponseBody { writer in
            do {
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    // Also at a graceful shutdown: the client connects again, to somebody else.
                    for try await line in lines.cancelOnGracefulShutdown() { try await writer.write(ByteBuffer(string: line)) }
                }
            } catch is CancellationError {
            } catch { logger.warning("events have ended", metadata: ["error": "\(error)"]) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-cache"], body: body)
    }

    /// From the header that a browser sends when it connects again, else from the query, else from the beginning.
    private func after(_ request: Request) throws -> Position {
        func position(_ text: String) throws -> Position {
            guard let number = UInt64(text) else { throw Problem(.badRequest, "invalidPosition", "“\(text)” is no position") }
            return Position(number)
        }
        if let last = request.headers[.lastEventID] { return try Members.named("Last-Event-ID") { try position(last) } }
        return try request.parameter(ifAny: "after", position) ?? .zero
    }

    private func lines(after position: Position) -> some AsyncSequence<String, any Error> & Sendable {
        let translator = translator
        let events = ledger.entries(after: position, of: translator.kinds, following: true, pollInterval: Self.pollInterval).compactMap { entry -> String? in
            try translator.event(of: entry).map { "id: \(entry.position)\ndata: \($0.json)\n\n" }
        }
        return merge(events, AsyncTimerSequence(interval: heartbeat, clock: .continuous).map { _ in ":\n\n" })
    }
}
