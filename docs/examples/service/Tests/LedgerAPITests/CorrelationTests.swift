import Foundation
import HTTPTypes
import Indelible
import IndelibleTesting
import InMemoryLogging
import Logging
import Testing

@testable import LedgerAPI

@Suite struct CorrelationTests {
    @Test func `a correlation id is in the answer, in the log and in the entry`() async throws {
        let log = InMemoryLogHandler()
        try await withService(logger: Logger(label: "test") { _ in log }) { client, book in
            try await client.openBank()
            let answer = try await client.post(
                "/transfers", transfer("bank", "customers:bob", "1.00"), key: "t1", headers: ["X-Correlation-ID": "order-17"])
            #expect(answer.header("X-Correlation-ID") == "order-17")
            let payload = try #require(try await book.ledger.entry(EntryID(key: "t1"))?.payload)
            #expect(try JSON(parsing: payload)["ledger"]?["correlation"] == "order-17")

            let refused = try await client.post("/transfers", [:], key: "t2", headers: ["X-Correlation-ID": "order-18"])
            #expect(refused["correlation_id"] == "order-18")
            for (id, line) in [("order-17", "POST /transfers 201"), ("order-18", "POST /transfers 400")] {
                #expect(log.entries.contains { $0.metadata["correlation"] == "\(id)" && "\($0.message)" == line }, "\(line)")
            }
        }
    }

    @Test func `one that cannot be kept, or that is missing, is made up`() async throws {
        try await withService { client, book in
            try await client.openBank()
            for given in ["two words", String(repeating: "x", count: 129), "umläut"] {
                let id = try await client.get("/health/live", headers: ["X-Correlation-ID": given]).header("X-Correlation-ID")
                #expect(id?.count == 36, "\(given)")
            }
            let one = try await client.post("/transfers", transfer("bank", "customers:bob", "1.00"), key: "t1")
            let payload = try #require(try await book.ledger.entry(EntryID(key: "t1"))?.payload)
            #expect(try JSON(parsing: payload)["ledger"]?["correlation"]?.string == one.header("X-Correlation-ID"))
            let other = try await client.get("/health/live").header("X-Correlation-ID")
            #expect(other != one.header("X-Correlation-ID"))
        }
    }
}

@Suite struct ProblemTests {
    @Test(arguments: LedgerError.Code.allCases)
    func `every code of the ledger has a status; what is the service's own trouble shows nothing of it`(_ code: LedgerError.Code) {
        let problem = Problem(LedgerError(code, "at db.internal:3306 with the user ann"))
        #expect(problem.code == code.rawValue && (400..<600).contains(problem.status.code))
        #expect(problem.detail.contains("db.internal") == (problem.status.code < 500))
        // What may be sent again says so, and nothing else does.
        #expect((problem.headers[.retryAfter] != nil) == (problem.status == .serviceUnavailable))
        if LedgerError(code, "").retry != .never { #expect(problem.status == .serviceUnavailable) }
    }

    @Test func `an error that nobody has thought of shows nothing either`() {
        struct Odd: Error { let secret = "swordfish" }
        let problem = Problem(Odd())
        #expect(problem.status == .internalServerError && !problem.detail.contains("swordfish"))
    }
}
