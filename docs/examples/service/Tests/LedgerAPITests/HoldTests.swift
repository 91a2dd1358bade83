import Foundation
import Indelible
import IndelibleTesting
import Testing

@Suite struct HoldTests {
    @Test func `what is held is captured once, all or a part`() async throws {
        try await withService { client, book in
            try await client.openBank()
            let held = try await client.post("/holds", transfer("customers:alice", "customers:bob", "40.00"), key: "h1")
            #expect(held.status == 201)
            #expect(try await client.post("/holds", transfer("customers:alice", "customers:bob", "40.00"), key: "h1").position == held.position)
            let balance = try await client.get("/accounts/customers:alice/balance?currency=EUR")
            #expect(balance["balance"] == "100.00" && balance["available"] == "60.00")

            let much = try await client.post("/holds/h1/capture", ["amount": "40.01"])
            #expect(much.status == 400 && much.code == "invalidAmount")
            let captured = try await client.post("/holds/h1/capture", ["amount": "25.00"])
            #expect(captured.status == 201)
            let again = try await client.post("/holds/h1/capture", ["amount": "25.00"])
            #expect(again.status == 200 && again.position == captured.position && again["repeat"] == true)
            let other = try await client.post("/holds/h1/capture")
            #expect(other.status == 409 && other.code == "holdSettled")
            #expect(other["standing"]?["position"] == .integer(Int64(captured.position)))
            #expect(try await client.post("/holds/h1/void").code == "holdSettled")
            #expect(try await client.balance("customers:alice") == "75.00")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a hold is voided, or ends by itself`() async throws {
        try await withService { client, _ in
            try await client.openBank()
            _ = try await client.post("/holds", transfer("customers:alice", "customers:bob", "40.00"), key: "h1")
            #expect(try await client.send("POST", "/holds/h1/void", #"{"amount": "1.00"}"#).code == "unknownMember")
            let voided = try await client.post("/holds/h1/void")
            #expect(voided.status == 201)
            #expect(try await client.post("/holds/h1/void").status == 200)
            #expect(try await client.post("/holds/h1/capture").code == "holdSettled")

            let soon = Timestamp(Date(timeIntervalSinceNow: 0.5)).description
            _ = try await client.post("/holds", transfer("customers:alice", "customers:bob", "40.00", ["expires_at": .string(soon)]), key: "h2")
            try await eventually("the hold has expired") {
                try await client.get("/accounts/customers:alice/balance?currency=EUR")["available"] == "100.00"
            }
            let late = try await client.post("/holds/h2/capture")
            #expect(late.status == 409 && late.code == "holdExpired")
        }
    }

    @Test func `only a hold is settled`() async throws {
        try await withService { client, _ in
            try await client.openBank()
            #expect(try await client.post("/holds/none/capture").code == "unknownEntry")
            #expect(try await client.post("/holds/funding/void").code == "unknownEntry")
            #expect(try await client.get("/transfers/h1").code == "unknownEntry")
            #expect(try await client.post("/holds", transfer("customers:bob", "bank", "1.00"), key: "h1").code == "limitExceeded")
            let wrong = try await client.post("/holds", transfer("bank", "customers:bob", "1.00", ["expires_at": "soon"]), key: "h1")
            #expect(wrong.code == "invalidTime" && wrong["member"] == "expires_at")
            // A key names one thing: a transfer's is no hold's.
            #expect(try await client.post("/holds", transfer("bank", "customers:alice", "100.00"), key: "funding").code == "conflict")
        }
    }
}
