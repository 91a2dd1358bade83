import Foundation
import HTTPTypes
import Hummingbird
import Indelible
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

@testable import LedgerAPI

/// Somebody who is sent webhooks, on a port of its own. It refuses the first ones, and notes every delivery whose signature is right.
final class Receiver: Sendable {
    struct Delivery: Sendable {
        let id: String
        let event: JSON
    }

    private struct State {
        var deliveries: [Delivery] = []
        var refusals: Int
        var forgeries = 0
    }

    static let secret = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()
    private let state: Mutex<State>

    /// - Parameter refusals: so many deliveries are noted and answered with 500: the sender cannot know that they arrived.
    init(refusals: Int = 0) { state = Mutex(State(refusals: refusals)) }

    var deliveries: [Delivery] { state.withLock { $0.deliveries } }
    /// Deliveries whose signature is wrong.
    var forgeries: Int { state.withLock { $0.forgeries } }

    /// Runs while `body` runs.
    func run<T>(_ body: (WebhookTarget) async throws -> T) async throws -> T {
        let (ports, told) = AsyncStream<Int>.makeStream()
        let router = Router()
        router.post("/hook") { request, _ in try await self.receive(request) }
        let server = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { told.yield($0.localAddress?.port ?? 0) }, logger: quiet)
        let group = ServiceGroup(services: [server], logger: quiet)
        let running = Task { try await group.run() }
        var port = ports.makeAsyncIterator()
        let target = try WebhookTarget(url: "http://127.0.0.1:\(await port.next() ?? 0)/hook", secret: Self.secret)
        let result: Result<T, any Error>
        do { result = .success(try await body(target)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running.value
        return try result.get()
    }

    private func receive(_ request: Request) async throws -> HTTPResponse.Status {
        let body = String(buffer: try await request.body.collect(upTo: 1 << 20))
        func header(_ name: String) -> String { HTTPField.Name(name).flatMap { request.headers[$0] } ?? "" }
        let (id, seconds) = (header("webhook-id"), Int(header("webhook-timestamp")) ?? 0)
        let isFresh = abs(seconds - Int(Date().timeIntervalSince1970)) < 300
        let secret = try WebhookTarget(url: "http://x", secret: Self.secret).secret
        let isSigned = header("webhook-signature") == WebhookSender.signature(id, seconds, body, secret)
        return state.withLock { state in
            guard isSigned, isFresh else {
                state.forgeries += 1
                return .unauthorized
            }
            state.deliveries.append(Delivery(id: id, event: (try? JSON(parsing: body)) ?? .null))
            guard state.refusals > 0 else { return .noContent }
            state.refusals -= 1
            return .internalServerError
        }
    }
}
