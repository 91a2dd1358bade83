import Foundation
import Indelible
import IndelibleTesting
import Testing

@Suite struct AccountTests {
    @Test func `an account is opened once, and told with what is in force on it`() async throws {
        try await withService { client, book in
            let body: JSON = ["path": "customers:zoë", "currency": "EUR", "type": "liability", "floor": "-5.00"]
            let opened = try await client.post("/accounts", body)
            #expect(opened.status == 200 && opened["floor"] == "-5.00" && opened["status"] == "open")
            #expect(try await client.post("/accounts", body).json == opened.json)
            #expect(try await client.get("/accounts/customers:zo%C3%AB?currency=EUR").json == opened.json)
            let other = try await client.post("/accounts", ["path": "customers:zoë", "currency": "EUR", "type": "asset"])
            #expect(other.status == 422 && other.code == "conflict")
            try await book.ledger.setStatus(.frozen, of: "customers:zoë", in: .eur)
            #expect(try await client.post("/accounts", body)["status"] == "frozen")
        }
    }

    private static let wrong: [(body: String, status: Int, code: String, member: String)] = [
        (#"{"path": "a::b", "currency": "EUR", "type": "asset"}"#, 400, "invalidAccount", "path"),
        (#"{"path": "a", "currency": "E R", "type": "asset"}"#, 400, "invalidCurrency", "currency"),
        (#"{"path": "a", "currency": "XQZ", "type": "asset"}"#, 422, "unknownCurrency", "currency"),
        (#"{"path": "a", "currency": "EUR", "type": "wallet"}"#, 400, "invalidType", "type"),
        (#"{"path": "a", "currency": "EUR", "type": "asset", "floor": "1,00"}"#, 400, "invalidAmount", "floor"),
    ]

    @Test func `what cannot be opened is refused by name`() async throws {
        try await withService { client, _ in
            for row in Self.wrong {
                let refused = try await client.send("POST", "/accounts", row.body)
                #expect(refused.status == row.status && refused.code == row.code && refused["member"] == .string(row.member), "\(row.body): \(refused.body)")
            }
        }
    }

    @Test func `a balance is asked for at any time`() async throws {
        try await withService { client, book in
            try await client.openBank()
            let before = try await client.get("/accounts/customers:alice/balance?currency=EUR")
            _ = try await client.post("/transfers", transfer("customers:alice", "customers:bob", "30.00"), key: "t1")
            try await book.project()
            #expect(try await client.balance("customers:alice") == "70.00")
            #expect(try await client.balance("customers:alice", at: "projected") == "70.00")
            guard case .integer(let through)? = before["through"] else { throw NeverRan() }
            #expect(try await client.balance("customers:alice", at: "\(through)") == "100.00")
            #expect(try await client.balance("customers:alice", at: "2020-01-01") == "0.00")
            #expect(try await client.balance("customers:alice", at: "2020-01-01T00:00:00Z") == "0.00")
            #expect(try await client.balance("customers:alice", at: "9999-12-30") == "70.00")
        }
    }

    private static let missing: [(query: String, status: Int, code: String, member: String?)] = [
        ("?currency=EUR&at=99999", 404, "historyUnavailable", nil), ("?currency=EUR&at=yesterday", 400, "invalidTime", "at"),
        ("?currency=USD", 422, "currencyMismatch", nil), ("", 400, "missingParameter", "currency"), ("?currency=%20", 400, "invalidCurrency", "currency"),
    ]

    @Test func `a balance that there is not`() async throws {
        try await withService { client, _ in
            try await client.openBank()
            for row in Self.missing {
                let refused = try await client.get("/accounts/bank/balance" + row.query)
                #expect(refused.status == row.status && refused.code == row.code && refused["member"]?.string == row.member, "\(row.query): \(refused.body)")
            }
            let unknown = try await client.get("/accounts/nobody/balance?currency=EUR")
            #expect(unknown.status == 404 && unknown.code == "unknownAccount")
        }
    }

    @Test func `lines come in pages, in either order`() async throws {
        try await withService { client, book in
            try await client.openBank()
            for number in 1...7 {
                _ = try await client.post("/transfers", transfer("customers:alice", "customers:bob", "\(number).00"), key: "t\(number)")
            }
            try await book.project()
            for order in ["oldest", "newest"] {
                let amounts = try await Self.amounts(client, "/accounts/customers:bob/lines?currency=EUR", "&limit=3&order=\(order)")
                let expected = (1...7).map { "\($0).00" }
                #expect(amounts == (order == "oldest" ? expected : expected.reversed()))
            }
            let page = try await client.get("/accounts/customers:bob/lines?currency=EUR&order=newest&limit=1")
            #expect(page["closing"] == "28.00" && page["opening"] == "21.00")
            let refused = try await client.get("/accounts/customers:bob/lines?currency=EUR&cursor=AAAA")
            #expect(refused.status == 400 && refused.code == "invalidCursor")
            #expect(try await client.get("/accounts/customers:bob/lines?currency=EUR&limit=0")["member"] == "limit")
            #expect(try await client.get("/accounts/customers:bob/lines?currency=EUR&order=up")["member"] == "order")
        }
    }

    /// Follows the cursors to the end.
    private static func amounts(_ client: Client, _ path: String, _ first: String) async throws -> [String] {
        var (amounts, rest): ([String], String) = ([], first)
        while true {
            let page = try await client.get(path + rest)
            guard case .array(let lines)? = page["lines"] else { throw NeverRan() }
            amounts += lines.compactMap { $0["amount"]?.string }
            guard let next = page["next"]?.string else { return amounts }
            rest = "&limit=3&cursor=\(next)"
        }
    }
}
