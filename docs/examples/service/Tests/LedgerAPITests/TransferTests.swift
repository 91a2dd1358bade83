import Foundation
import Indelible
import IndelibleTesting
import LedgerAPI
import Testing

@Suite struct TransferTests {
    @Test func `a key is done once: the same again is the first receipt, another content is refused`() async throws {
        try await withService { client, book in
            try await client.openBank()
            let body = transfer("customers:alice", "customers:bob", "12.50", ["description": "lunch", "reference": "r-1"])
            let first = try await client.post("/transfers", body, key: "t1")
            #expect(first.status == 201 && first["repeat"] == false && first["key"] == "t1")
            #expect(first["id"] == .string(EntryID(key: "t1").description))

            let again = try await client.post("/transfers", body, key: "t1")
            #expect(again.status == 200 && again["repeat"] == true && again.position == first.position && again["recorded_at"] == first["recorded_at"])
            // Without quotes it is the same key.
            let bare = try await client.post("/transfers", body, headers: ["Idempotency-Key": "t1"])
            #expect(bare.status == 200 && bare.position == first.position)

            let other = try await client.post("/transfers", transfer("customers:alice", "customers:bob", "13.50"), key: "t1")
            #expect(other.status == 422 && other.code == "conflict")
            #expect(other["standing"]?["position"] == .integer(Int64(first.position)))
            #expect(try await client.balance("customers:alice") == "87.50")

            let told = try await client.get("/transfers/t1")
            #expect(told["debit"] == "customers:alice" && told["amount"] == "12.50" && told["description"] == "lunch" && told.position == first.position)
            #expect(try await client.get("/transfers/t2").code == "unknownEntry")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `the same key from many clients at once, and after the service was started again`() async throws {
        try await withBook { book in
            let body = transfer("customers:alice", "customers:bob", "1.00")
            let settings = Settings(location: book.location)
            let positions = try await serve(settings) { client in
                try await client.openBank()
                return try await Self.atOnce(client, body, 20)
            }
            #expect(positions.count == 1)
            let later = try await serve(settings) { try await $0.post("/transfers", body, key: "same") }
            #expect(later.status == 200 && [later.position] == Array(positions))
        }
    }

    private static func atOnce(_ client: Client, _ body: JSON, _ count: Int) async throws -> Set<UInt64> {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<count { group.addTask { try await client.post("/transfers", body, key: "same") } }
            var (positions, created): (Set<UInt64>, Int) = ([], 0)
            for try await answer in group {
                positions.insert(answer.position)
                created += answer.status == 201 ? 1 : 0
            }
            #expect(created == 1)
            return positions
        }
    }

    @Test func `a limit says no, and a key that was refused may be used again`() async throws {
        try await withService { client, _ in
            try await client.openBank()
            let much = transfer("customers:bob", "customers:alice", "50.00")
            let refused = try await client.post("/transfers", much, key: "t1")
            #expect(refused.status == 409 && refused.code == "limitExceeded")
            #expect(refused["detail"]?.string?.contains("50.00 missing") == true, "\(refused.body)")
            _ = try await client.post("/transfers", transfer("customers:alice", "customers:bob", "50.00"), key: "t2")
            #expect(try await client.post("/transfers", much, key: "t1").status == 201)
        }
    }

    private static let wrong: [(body: String, status: Int, code: String, member: String?)] = [
        (#"{"debit": "bank", "credit": "customers:bob", "amount": "1.00"}"#, 400, "missingMember", "currency"),
        (#"{"debit": "bank", "credit": "customers:bob", "amount": 1.00, "currency": "EUR"}"#, 400, "wrongType", "amount"),
        (#"{"debit": "bank", "credit": "customers:bob", "amount": "1.005", "currency": "EUR"}"#, 400, "invalidAmount", "amount"),
        (#"{"debit": "bank", "credit": "customers:bob", "amount": "1.00", "currency": "EUR", "amout": "2"}"#, 400, "unknownMember", "amout"),
        (#"{"debit": "bank:", "credit": "customers:bob", "amount": "1.00", "currency": "EUR"}"#, 400, "invalidAccount", "debit"),
        (#"{"debit": "bank", "credit": "customers:bob", "amount": "1.00", "currency": "EUR", "effective_at": "soon"}"#, 400, "invalidTime", "effective_at"),
        (#"{"debit": "bank", "credit": "customers:eve", "amount": "1.00", "currency": "EUR"}"#, 404, "unknownAccount", "credit"),
        (#"{"debit": "customers:eve", "credit": "customers:bob", "amount": "1.00", "currency": "EUR"}"#, 404, "unknownAccount", "debit"),
        (#"{"debit": "bank", "credit": "customers:bob", "amount": "1.00", "currency": "USD"}"#, 422, "currencyMismatch", "debit"),
        (#"{"debit": "bank", "credit": "bank", "amount": "1.00", "currency": "EUR"}"#, 400, "invalidEntry", nil),
        (#"{"debit": "bank", "credit": "customers:bob", "amount": "0.00", "currency": "EUR"}"#, 400, "invalidAmount", nil),
        (#"[1, 2]"#, 400, "invalidJSON", nil), (#"{"debit": "#, 400, "invalidJSON", nil),
    ]

    @Test func `what is wrong is told by name, and nothing is recorded`() async throws {
        try await withService { client, _ in
            try await client.openBank()
            for row in Self.wrong {
                let refused = try await client.send("POST", "/transfers", row.body, headers: ["Idempotency-Key": "t1"])
                #expect(refused.status == row.status && refused.code == row.code && refused["member"]?.string == row.member, "\(row.body): \(refused.body)")
            }
            #expect(try await client.get("/transfers/t1").status == 404)
        }
    }

    @Test func `a transfer without a key, or with one that can be none, is refused`() async throws {
        try await withService { client, _ in
            let body = transfer("bank", "customers:bob", "1.00")
            let unnamed = try await client.post("/transfers", body)
            #expect(unnamed.code == "missingKey" && unnamed["member"] == "Idempotency-Key")
            for key in ["", "a b", "a/b", String(repeating: "k", count: 101)] {
                let refused = try await client.post("/transfers", body, key: key)
                #expect(refused.code == "invalidKey", "\(key)")
            }
        }
    }

    @Test func `a body of more than 64 KiB is not read`() async throws {
        try await withService { client, _ in
            let body = transfer("bank", "customers:bob", "1.00", ["description": .string(String(repeating: "x", count: 70_000))])
            let refused = try await client.post("/transfers", body, key: "t1")
            #expect(refused.status == 413 && refused.code == "contentTooLarge", "\(refused.body)")
        }
    }

    @Test func `a path that there is not is a problem too`() async throws {
        try await withService { client, _ in
            let missing = try await client.get("/nowhere")
            #expect(missing.status == 404 && missing.code == "notFound")
            #expect(missing.header("Content-Type") == "application/problem+json")
        }
    }

    @Test(arguments: [("DELETE", "/transfers/t1", "GET, HEAD"), ("GET", "/transfers", "POST"), ("PUT", "/accounts/bank", "GET, HEAD"), ("OPTIONS", "/holds/h/void", "POST")])
    func `a path that is asked in another way says in which it can be`(_ method: String, _ path: String, _ allowed: String) async throws {
        try await withService { client, _ in
            let refused = try await client.send(method, path, nil)
            #expect(refused.status == 405 && refused.code == "methodNotAllowed" && refused.header("Allow") == allowed, "\(refused)")
        }
    }

    @Test func `HEAD is GET without its body`() async throws {
        try await withService { client, _ in
            try await client.openBank()
            let head = try await client.undocumented("HEAD", "/transfers/funding", nil)
            #expect(head.status == 200 && head.body.isEmpty && head.header("Content-Type") == "application/json", "\(head)")
            #expect(try await client.undocumented("HEAD", "/transfers/none", nil).status == 404)
        }
    }
}
