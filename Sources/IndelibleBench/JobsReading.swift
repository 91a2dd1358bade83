import BareClient
import Foundation
import Indelible
import MariaDBDriver

extension Bench {
    /// One account's balance: now, and as of a position in the middle of a journal that was rebuilt.
    func balances() async throws {
        let (entries, calls) = size == .full ? (2_000_000, 4000) : (20_000, 100)
        let (current, asOf) = ("balance, current, p50", "balance as of mid-journal after a rebuild, p50")
        guard isAsked(current) || isAsked(asOf) else { return }
        let location = try await journal("read", entries: entries)
        _ = try await seconds(projecting: ["balance"], nil, location)
        let ledger = Ledger(location)
        _ = try await ledger.accounts()
        var times: (bound: [Double], current: [Double], asOf: [Double]) = ([], [], [])
        for _ in 0..<repetitions {
            let accounts = (0..<calls).map { _ in UInt64.random(in: 1...UInt64(Self.accounts)) }
            times.bound.append(
                try await unsafe bare(location.book) { server, error in
                    unsafe bare_select_median(server, Self.pointSQL.description, accounts, 1, Int32(accounts.count), error)
                })
            times.current.append(try await medianBalance(accounts, ledger) { _ in .current })
            times.asOf.append(
                try await medianBalance(accounts, ledger) { _ in
                    .position(Position(UInt64.random(in: UInt64(entries) * 2 / 5...UInt64(entries) * 3 / 5)))
                })
        }
        await ledger.close()
        let conditions = settings(["repetitions": String(repetitions), "reads": String(calls), "entries": String(entries), "projector": "caught up"])
        report(
            Figure(
                current, Self.median(times.current) * 1000, "ms", bound: Self.median(times.bound) * 1000,
                is: "a primary-key SELECT of one row through the bare C client", atMost: 3, settings: conditions))
        report(
            Figure(
                asOf, Self.median(times.asOf) * 1000, "ms", bound: Self.median(times.current) * 1000, is: "the current balance in the same run",
                atMost: 5, settings: conditions))
        try await drop(location.book)
    }

    private static let pointSQL: StaticString = "SELECT id, path, currency, type, floor, ceiling FROM account WHERE id = ?"

    private func medianBalance(_ accounts: [UInt64], _ ledger: Ledger, _ time: (UInt64) -> BalanceTime) async throws -> Double {
        var times: [Double] = []
        for account in accounts {
            let path = try AccountPath("a:\(account)")
            let at = time(account)
            let begun = ContinuousClock.now
            _ = try await ledger.balance(of: path, in: .eur, at: at)
            times.append(Self.number(begun.duration(to: .now)))
        }
        return Self.median(times)
    }
}
