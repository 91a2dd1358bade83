import Foundation
import Indelible
import LocalMariaDB
import MariaDBDriver

extension Bench {
    func fees() async throws {
        try await feesOn(each: 1)
        try await feesOn(each: 4)
        try await assess()
    }

    /// Catching up with fees beside balances, when one entry in so many is charged.
    private func feesOn(each: Int) async throws {
        let entries = size == .full ? 1_000_000 : 20_000
        let shape = "catch-up of balances and fees, \(each == 1 ? "every entry" : "1 entry in \(each)") charged"
        guard isAsked(shape) else { return }
        let location = try await journal("fees", entries: entries, chargedEach: each) { ledger in
            try await Self.publish(ledger, #"{"basis_points": 150, "fixed": "0.25", "minimum": "0.30"}"#)
        }
        _ = try await seconds(projecting: ["balance", "fee"], nil, location)
        var (alone, both): ([Double], [Double]) = ([], [])
        for _ in 0..<repetitions {
            let owner = try owner(location)
            let first = try await owner.createGeneration(of: Self.balance)
            alone.append(Double(entries) / (try await seconds(projecting: ["balance"], first, location)))
            _ = try await owner.createGeneration(of: Self.balance)
            _ = try await owner.createGeneration(of: Self.fee)
            both.append(Double(entries) / (try await seconds(projecting: ["balance", "fee"], nil, location)))
        }
        report(
            Figure(
                shape, Self.median(both), "entries/s", bound: Self.median(alone), is: "balances alone, in the same run", atLeast: 0.5,
                settings: settings(["entries": String(entries), "repetitions": String(repetitions), "accounts": "10,000, uniform", "prices": "flat"])))
        try await drop(location.book)
    }

    /// Posting what a month's fees are, for many customers, beside posting as many entries in bulk.
    private func assess() async throws {
        let customers = size == .full ? 100_000 : 10_000
        let shape = "fees assess, \(customers) customers"
        guard isAsked(shape) else { return }
        var (bounds, alike, values): ([Double], [Double], [Double]) = ([], [], [])
        for _ in 0..<repetitions {
            let location = try await journal("assess", entries: customers, accounts: customers, touching: .inTurn, chargedEach: 1) { ledger in
                try await Self.publish(ledger, #"{"basis_points": 150, "fixed": "0.25"}"#)
            }
            _ = try await seconds(projecting: ["fee"], nil, location)
            let ledger = Ledger(location)
            _ = try await ledger.accounts()
            var posted = 0
            values.append(
                try await Self.seconds { posted = try await ledger.assessFees(for: AccountingMonth(year: 2026, month: 1)).posted.count })
            guard posted > customers * 9 / 10 else { throw BareFailure(description: "fees of \(posted) customers were posted") }
            await ledger.close()
            try await drop(location.book)
            let other = try await book(Self.bookName())
            let batches = max(1, posted / Self.batch)
            let seconds = try await Self.postBatches(batches, callers: 2, other)
            bounds.append(seconds * Double(posted) / Double(batches * Self.batch))
            let same = try await Self.postBatches(batches, callers: 2, other, Self.feeEntry)
            alike.append(same * Double(posted) / Double(batches * Self.batch))
            await other.close()
            try await drop(other.location.book)
        }
        report(
            Figure(
                shape, Self.median(values), "s", bound: Self.median(alike),
                is: "as many entries like these in bulk: an id of one's own, a time, a payload; 2 callers", settings: settings(["repetitions": String(repetitions)])))
        report(
            Figure(
                shape, Self.median(values), "s", bound: Self.median(bounds), is: "as many entries in bulk, batches of 8,192, 2 callers", atMost: 2,
                settings: settings(["repetitions": String(repetitions)])))
    }

    /// An entry that carries what one that posts fees carries.
    @Sendable private static func feeEntry(_ number: UInt64) -> Entry {
        var entry = Self.entry(number)
        entry.id = EntryID(key: "fees of \(number)")
        entry.effectiveAt = Timestamp(microseconds: 1_769_903_999_999_999)
        entry.payload = [
            "schedule": "bench", "month": "2026-01", "account": .string("a:\(number)"), "currency": "EUR", "number": 1, "fees": "0.27",
        ]
        return entry
    }

    // MARK: - Work

    private static var fee: any Job { Projector.builtIn[2] }

    private static func publish(_ ledger: Ledger, _ price: String) async throws {
        try await ledger.openAccount("fees", in: .eur, type: .income)
        try await ledger.publishFeeSchedule(
            """
            {"schedule": "bench", "version": 1, "effective_from": "2020-01-01", "income": "fees", "rules": [
             {"name": "charges", "kinds": ["card.charged"], "accounts": ["a:*", "b:*"], "side": "credit", "prices": {"EUR": \(price)}}]}
            """)
    }
}
