import AsyncHTTPClient
import Foundation
import Indelible
import IndelibleTesting
import NIOCore
import NIOHTTP1
import Testing

@testable import LedgerAPI

/// What a follower was sent.
struct Followed {
    var contentType = ""
    var status = 0
    /// Positions and events.
    var events: [(position: UInt64, event: PublicEvent)] = []
    var heartbeats = 0
    /// The server ended it, not the follower.
    var hasEnded = false

    /// Takes what stands between two empty lines.
    mutating func take(_ frame: Substring) throws {
        if frame.hasPrefix(":") { return heartbeats += 1 }
        let lines = frame.split(separator: "\n")
        let position = try #require(lines.first.flatMap { UInt64($0.dropFirst("id: ".count)) })
        events.append((position, try PublicEvent(parsing: String(lines[1].dropFirst("data: ".count)))))
    }
}

extension Client {
    /// Follows the events until it is enough, and goes away; or until it is cut off.
    func follow(_ query: String = "", headers: [String: String] = [:], until isEnough: (Followed) -> Bool) async throws -> Followed {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/events\(query)")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(Self.timeoutSeconds))
        var followed = Followed(contentType: response.headers.first(name: "Content-Type") ?? "", status: Int(response.status.code))
        var text = ""
        var parts = response.body.makeAsyncIterator()
        while let part = try? await parts.next() {
            text += String(buffer: part)
            while let end = text.firstRange(of: "\n\n") {
                try followed.take(text[..<end.lowerBound])
                text.removeSubrange(..<end.upperBound)
                if isEnough(followed) { return followed }
            }
        }
        followed.hasEnded = true
        return followed
    }
}

@Suite struct EventTests {
    @Test func `what happened is told in order, in public words`() async throws {
        try await withService { client, book in
            try await client.openBank()
            _ = try await client.post("/holds", transfer("customers:alice", "customers:bob", "40.00"), key: "h1", headers: ["X-Correlation-ID": "order-1"])
            _ = try await client.post("/holds/h1/capture", ["amount": "25.00"])
            try await book.ledger.post(Entry(kind: "internal.secret", payload: ["secret": "swordfish"]))
            _ = try await client.post("/transfers", transfer("customers:alice", "customers:bob", "1.00"), key: "t1")
            let followed = try await client.follow { $0.events.count == 7 }
            #expect(followed.status == 200 && followed.contentType == "text/event-stream")
            #expect(Documented.document["paths"]?["/events"]?["get"]?["responses"]?["200"]?["content"]?[followed.contentType] != nil)
            let events = followed.events.map(\.event)
            #expect(
                events.map(\.type) == [
                    "com.example.account-opened.v1", "com.example.account-opened.v1", "com.example.account-opened.v1", "com.example.transferred.v1",
                    "com.example.held.v1", "com.example.hold-captured.v1", "com.example.transferred.v1",
                ])
            #expect(events[4].subject == "h1" && events[4].correlation == "order-1" && events[4].id == EntryID(key: "h1").description)
            #expect(events[4].data == ["debit": "customers:alice", "credit": "customers:bob", "minor_units": 4000, "currency": "EUR"])
            #expect(events[5].data == ["hold": .string(EntryID(key: "h1").description), "minor_units": 2500, "currency": "EUR"])
            #expect(events[5].subject == "h1")
            #expect(events[6].source == "/books/\(book.name)" && !events.map(\.json).joined().contains("swordfish"))
            #expect(followed.events.allSatisfy { $0.position == $0.event.position?.number })
            for event in events { #expect(event.data["ledger"] == nil && event.data["key"] == nil) }
        }
    }

    @Test func `charges are told too`() async throws {
        try await withService { client, _ in
            try await client.open("acquirer:receivable", "asset")
            try await client.open("merchants:bob", "liability", floor: "0.00")
            _ = try await client.post("/charges", ["merchant": "bob", "amount": "100.00", "currency": "EUR"], key: "c1")
            _ = try await client.post("/charges/c1/capture", ["amount": "80.00"])
            _ = try await client.post("/charges/c1/refunds", ["amount": "30.00"], key: "r1")
            let events = try await client.follow { $0.events.count == 5 }.events.suffix(3).map(\.event)
            #expect(events.map(\.type) == ["authorised", "captured", "refunded"].map { "com.example.charge-\($0).v1" })
            #expect(events.allSatisfy { $0.subject == "c1" } && events.map { $0.data["minor_units"] } == [10000, 8000, 3000])
        }
    }

    /// A follower that is cut off again and again has, in the end, what one who was never cut off has.
    @Test(.timeLimit(.minutes(2))) func `who resumes misses nothing and gets nothing twice, while others write`() async throws {
        try await withService { client, book in
            try await client.openBank()
            let count = 240
            async let writing: Void = Self.write(client, count)
            var random = Random(17, 1)
            var (seen, cuts): ([UInt64], Int) = ([], 0)
            while seen.count < count + 4 {
                let wanted = min(count + 4 - seen.count, Int(1 + random.next() % 25))
                let last = String(seen.last ?? 0)
                let followed =
                    random.next() % 2 == 0
                    ? try await client.follow("?after=\(last)") { $0.events.count == wanted }
                    // The header is newer than the address that the client began with.
                    : try await client.follow("?after=0", headers: ["Last-Event-ID": last]) { $0.events.count == wanted }
                seen += followed.events.map(\.position)
                cuts += 1
            }
            try await writing
            var query = EntryQuery()
            query.limit = 10_000
            let kinds = PublicEvents.translator(book.name).kinds
            #expect(seen == (try await book.ledger.entries(query)).filter { kinds.contains($0.kind) }.map(\.position.number))
            #expect(cuts > 5)
        }
    }

    private static func write(_ client: Client, _ count: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<6 {
                group.addTask {
                    for number in 0..<count / 6 {
                        _ = try await client.post("/transfers", transfer("bank", "customers:bob", "0.01"), key: "t-\(writer)-\(number)")
                        // A refused one takes no position.
                        _ = try await client.post("/transfers", transfer("customers:alice", "bank", "900.00"), key: "no-\(writer)-\(number)")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a quiet stream has heartbeats, and a graceful shutdown ends it`() async throws {
        try await withBook { book in
            var settings = Settings(location: book.location)
            settings.heartbeat = .milliseconds(30)
            let (begun, told) = AsyncStream<Void>.makeStream()
            let following = try await serve(settings) { client in
                let following = Task {
                    try await client.follow { followed in
                        if followed.heartbeats == 3 { told.yield() }
                        return false
                    }
                }
                for await _ in begun { break }
                return following
            }
            // The service has ended, so it did not wait for the follower.
            let followed = try await following.value
            #expect(followed.hasEnded && followed.heartbeats >= 3 && followed.events.isEmpty)
        }
    }

    @Test func `what is no position is refused`() async throws {
        try await withService { client, _ in
            for (query, headers, member) in [("?after=x", [:], "after"), ("", ["Last-Event-ID": "-1"], "Last-Event-ID")] as [(String, [String: String], String)] {
                let refused = try await client.get("/events" + query, headers: headers)
                #expect(refused.status == 400 && refused.code == "invalidPosition" && refused["member"] == .string(member))
            }
        }
    }
}
