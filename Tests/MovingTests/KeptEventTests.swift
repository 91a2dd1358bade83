import Indelible
import IndelibleTesting
import Testing

/// The fee that is overwritten with NULL, as a unit of work would tell it. How it gets lost is in `LostFeeTests`, and how the ledger's own fees are
/// kept in `KeptFeeTests`.
@Suite struct KeptEventTests {
    private static func authorise(_ id: String, _ units: Units) async throws {
        try await units.run { try await $0.load(Charge.self, id).apply(Charge.Authorised(amount: 100_00)) }
    }

    @Test(.timeLimit(.minutes(2))) func `new: whichever of the two flows is overtaken, fee and capture are there`() async throws {
        try await withBook { book in
            let units = Units(book.ledger)
            func computeFee(_ id: String, meanwhile: () async throws -> Void = {}) async throws {
                try await units.run { unit in
                    let charge = try await unit.load(Charge.self, id)
                    try await meanwhile()
                    try charge.apply(charge.state.computeFee())
                }
            }
            func capture(_ id: String, meanwhile: () async throws -> Void = {}) async throws {
                try await units.run { unit in
                    let charge = try await unit.load(Charge.self, id)
                    try await meanwhile()
                    try charge.apply(Charge.Captured())
                }
            }
            for overtaken in ["fee", "event"] {
                try await Self.authorise(overtaken, units)
                var attempts = 0
                if overtaken == "fee" {
                    try await computeFee(overtaken) {
                        attempts += 1
                        if attempts == 1 { try await capture(overtaken) }
                    }
                } else {
                    try await capture(overtaken) {
                        attempts += 1
                        if attempts == 1 { try await computeFee(overtaken) }
                    }
                }
                #expect(attempts == 2)
                let charge = try await units.begin().load(Charge.self, overtaken).state
                #expect(charge.fee == 165 && charge.isCaptured, "\(overtaken)")
            }
            #expect(try await book.entries("charge.fee-computed") == 2)
            #expect(try await book.entries("charge.captured") == 2)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `new: a capture that expects nothing meets nobody`() async throws {
        try await withBook { book in
            let units = Units(book.ledger)
            try await Self.authorise("1", units)
            let fee = units.begin()
            let charge = try await fee.load(Charge.self, "1")
            try await units.run { try $0.append(Charge.Captured(), to: "1", expecting: .exists) }
            try charge.apply(charge.state.computeFee())
            // The first attempt goes through.
            try await fee.commit()
            let kept = try await units.begin().load(Charge.self, "1").state
            #expect(kept.fee == 165 && kept.isCaptured)
        }
    }
}
