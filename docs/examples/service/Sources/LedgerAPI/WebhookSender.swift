import AsyncHTTPClient
import Crypto
import Foundation
import Indelible
import NIOCore
import NIOHTTP1

/// Sends events, signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp` and `webhook-signature`.
struct WebhookSender: Sendable {
    let target: WebhookTarget
    /// The name of the job that sends them.
    static let job = "events_webhook"
    static let timeoutSeconds: Int64 = 10

    /// The receiver did not say that it has the event.
    struct Refused: Error {
        let status: UInt
    }

    /// The job that sends them: a subscription, whose place is kept in the book. Each event is sent until the receiver has it.
    func subscription(_ translator: Translator, _ ledger: Ledger) -> Subscription {
        Subscription("webhook", of: translator.kinds, on: ledger) { entry in
            guard let event = try translator.event(of: entry) else { return }
            try await send(event.id, event.json)
        }
    }

    /// Sends one event, and returns when the receiver has it.
    /// - Parameter id: the same for the same event, however often it is sent.
    func send(_ id: String, _ body: String) async throws {
        let seconds = Int(Date().timeIntervalSince1970)
        var request = HTTPClientRequest(url: target.url)
        request.method = .POST
        request.headers = [
            "content-type": "application/cloudevents+json", "webhook-id": id, "webhook-timestamp": "\(seconds)",
            "webhook-signature": Self.signature(id, seconds, body, target.secret),
        ]
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(Self.timeoutSeconds))
        guard (200..<300).contains(response.status.code) else { throw Refused(status: response.status.code) }
    }

    /// `v1,` and the HMAC-SHA256 of `id.timestamp.body` in Base64.
    static func signature(_ id: String, _ seconds: Int, _ body: String, _ secret: Data) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Data("\(id).\(seconds).\(body)".utf8), using: SymmetricKey(data: secret))
        return "v1," + Data(code).base64EncodedString()
    }
}
