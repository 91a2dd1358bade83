import Foundation
import Indelible
import IndelibleTesting
import Testing

@testable import LedgerAPI

@Suite struct WebhookTests {
    /// A service that sends what happens to the receiver.
    private static func serving(_ book: TestBook, _ target: WebhookTarget, _ body: (Client) async throws -> Void) async throws {
        var settings = Settings(location: book.owner)
        settings.webhook = target
        try await LedgerAPI(settings, logger: quiet).prepare()
        settings.location = book.location
        try await serve(settings, body)
    }

    @Test(.timeLimit(.minutes(2))) func `a receiver that fails at first is sent everything, in order and at least once, signed`() async throws {
        let receiver = Receiver(refusals: 3)
        try await withBook { book in
            try await receiver.run { target in
                try await Self.serving(book, target) { client in
                    try await client.openBank()
                    for number in 1...5 { _ = try await client.post("/transfers", transfer("bank", "customers:bob", "1.00"), key: "t\(number)") }
                    try await eventually("everything was sent") { Set(receiver.deliveries.map(\.id)).count == 9 }
                }
                // Another service goes on where that one was.
                try await Self.serving(book, target) { client in
                    _ = try await client.post("/transfers", transfer("bank", "customers:bob", "1.00"), key: "t6")
                    try await eventually("the rest was sent") { Set(receiver.deliveries.map(\.id)).count == 10 }
                }
            }
        }
        let deliveries = receiver.deliveries
        #expect(receiver.forgeries == 0)
        // The first was refused three times, and each came with the same id and content.
        #expect(deliveries.prefix(4).allSatisfy { $0.id == deliveries[0].id && $0.event == deliveries[0].event })
        #expect(deliveries.allSatisfy { $0.event["id"] == .string($0.id) && $0.event["specversion"] == "1.0" })
        // Without repeats it is the journal.
        var seen: Set<String> = []
        let once = deliveries.filter { seen.insert($0.id).inserted }
        #expect(once.suffix(6).map(\.id) == (1...6).map { EntryID(key: "t\($0)").description })
        #expect(once.compactMap { $0.event["sequence"]?.string } == once.compactMap { $0.event["sequence"]?.string }.sorted())
    }

    @Test func `a webhook that nobody has prepared is not ready`() async throws {
        try await withBook { book in
            var settings = Settings(location: book.location)
            settings.webhook = try WebhookTarget(url: "http://127.0.0.1:9/hook", secret: Receiver.secret)
            try await serve(settings) { client in
                try await eventually("the jobs run") { if case .array(let jobs)? = try await client.get("/health")["jobs"] { jobs.count == 3 } else { false } }
                let health = try await client.get("/health")
                #expect(health.status == 503 && health["ready"] == false)
            }
        }
    }

    @Test(.timeLimit(.minutes(2))) func `a receiver that is down is seen, and the service stays ready`() async throws {
        let receiver = Receiver(refusals: .max)
        try await withBook { book in
            try await receiver.run { target in
                try await Self.serving(book, target) { client in
                    try await client.open("bank", "asset")
                    try await eventually("the webhook is stuck", seconds: 30) { try await client.get("/health")["jobs"].map(Self.isStuck) ?? false }
                    let health = try await client.get("/health")
                    #expect(health.status == 200 && health["ready"] == true)
                    #expect(!health.body.contains("127.0.0.1"))
                }
            }
        }
    }

    /// The job of the webhook, and no other, does not get on.
    private static func isStuck(_ jobs: JSON) -> Bool {
        guard case .array(let jobs) = jobs else { return false }
        return jobs.filter { $0["ready"] == false }.map { $0["job"] } == ["events_webhook"]
    }

    /// The example of the Standard Webhooks specification.
    @Test func `a signature is what the specification's is`() throws {
        let target = try WebhookTarget(url: "http://x", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let signature = WebhookSender.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, #"{"test": 2432232314}"#, target.secret)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }
}
