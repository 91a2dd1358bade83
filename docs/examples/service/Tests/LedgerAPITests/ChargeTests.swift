import Charges
import Foundation
import Indelible
import IndelibleTesting
import Testing

@testable import LedgerAPI

@Suite struct ChargeTests {
    private static func openAccounts(_ client: Client) async throws {
        try await client.open("acquirer:receivable", "asset")
        try await client.open("merchants:bob", "liability", floor: "0.00")
    }

    @Test func `a charge is authorised, captured and refunded, each once`() async throws {
        try await withService { client, book in
            try await Self.openAccounts(client)
            let body: JSON = ["merchant": "bob", "amount": "100.00", "currency": "EUR"]
            let authorised = try await client.post("/charges", body, key: "c1")
            #expect(authorised.status == 201 && authorised["state"] == "held" && authorised["repeat"] == false)
            let again = try await client.post("/charges", body, key: "c1")
            #expect(again.status == 200 && again["repeat"] == true)
            let other = try await client.post("/charges", ["merchant": "bob", "amount": "90.00", "currency": "EUR"], key: "c1")
            #expect(other.status == 422 && other.code == "conflict")

            #expect(try await client.post("/charges/c1/capture", ["amount": "100.01"]).code == "aboveHold")
            #expect(try await client.post("/charges/c1/refunds", ["amount": "1.00"], key: "r0").code == "notCaptured")
            let captured = try await client.post("/charges/c1/capture", ["amount": "80.00"])
            #expect(captured.status == 201 && captured["captured"] == "80.00")
            #expect(try await client.post("/charges/c1/capture", ["amount": "80.00"]).status == 200)
            let twice = try await client.post("/charges/c1/capture")
            #expect(twice.status == 409 && twice.code == "alreadyCaptured")

            let refund: JSON = ["amount": "30.00", "reason": "one shirt came back"]
            #expect(try await client.post("/charges/c1/refunds", refund, key: "r1").status == 201)
            let repeated = try await client.post("/charges/c1/refunds", refund, key: "r1")
            #expect(repeated.status == 200 && repeated["repeat"] == true && repeated["refunded"] == "30.00")
            let differs = try await client.post("/charges/c1/refunds", ["amount": "31.00"], key: "r1")
            #expect(differs.status == 422 && differs.code == "refundDiffers")
            #expect(try await client.post("/charges/c1/refunds", ["amount": "60.00"], key: "r2").code == "aboveRest")

            let charge = try await client.get("/charges/c1")
            #expect(charge["state"] == "captured" && charge["rest"] == "50.00")
            #expect(try await client.balance("merchants:bob") == "50.00")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `what cannot be charged is refused`() async throws {
        try await withService { client, _ in
            try await Self.openAccounts(client)
            #expect(try await client.get("/charges/c1").code == "unknownEntry")
            #expect(try await client.post("/charges/c1/capture").code == "unknownEntry")
            #expect(try await client.post("/charges", ["merchant": "bob"], key: "c1")["member"] == "currency")
            let euros: (String, String) -> JSON = { ["merchant": .string($0), "amount": .string($1), "currency": "EUR"] }
            #expect(try await client.post("/charges", euros("bob", "0.00"), key: "c1").code == "notPositive")
            #expect(try await client.post("/charges", euros("b:ob", "1.00"), key: "c1").code == "invalidMerchant")
            #expect(try await client.post("/charges", euros("eve", "1.00"), key: "c1").code == "unknownAccount")
            #expect(try await client.post("/charges", euros("bob", "1.00")).code == "missingKey")
            #expect(try await client.post("/charges", ["merchant": "bob", "amount": "1.00", "currency": "XQZ"], key: "c1").code == "unknownCurrency")
        }
    }
}
