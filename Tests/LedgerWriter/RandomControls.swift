import Indelible

extension RandomHistory {
    func setLimits(_ random: inout Random) async {
        let account = random.one(of: Self.limited)
        var limits = AccountLimits(floor: Int64(random.number(-300...100)))
        if account == "jar" || account == "both" { limits.ceiling = Int64(random.number(200...3000)) }
        if account == "jar" || account == "bob" && random.chance(50) { limits.floor = nil }
        let id = EntryID.minted()
        var asked = Report("limits")
        (asked.about, asked.account) = (id.description, account.text)
        (asked.floor, asked.ceiling) = (limits.floor, limits.ceiling)
        await answer(asked) { () throws(LedgerError) in [try await ledger.setLimits(limits, of: account, in: .eur, id: id)] }
    }

    /// Freezes or closes an account for a moment.
    func setStatus(_ random: inout Random) async {
        let account = random.one(of: random.chance(40) ? ["spare"] : Self.limited)
        await setStatus(random.one(of: [.frozen, .closed]), account)
        try? await Task.sleep(for: .milliseconds(random.number(5...60)))
        await setStatus(.open, account)
    }

    private func setStatus(_ status: AccountStatus, _ account: AccountPath) async {
        let id = EntryID.minted()
        var asked = Report("status")
        (asked.about, asked.account, asked.status) = (id.description, account.text, status.rawValue)
        await answer(asked) { () throws(LedgerError) in [try await ledger.setStatus(status, of: account, in: .eur, id: id)] }
    }

    func closePeriod(_ random: inout Random) async {
        let id = EntryID.minted()
        var asked = Report("period")
        asked.about = id.description
        let (month, number) = (random.number(1...9), random.number(10...27))
        guard let day = try? AccountingDay("2020-0\(month)-\(number)"), let next = try? Timestamp("2020-0\(month)-\(number + 1)") else { return }
        asked.closesBefore = next.microseconds
        await answer(asked) { () throws(LedgerError) in [try await ledger.closePeriod(through: day, id: id)] }
    }

    func preview(_ batch: [Entry]) async {
        var asked = Report("preview")
        asked.asked = batch.map(Report.Asked.init)
        do throws(LedgerError) {
            for one in try await ledger.preview(batch) {
                if let standing = one.standing { asked.receipts.append(.init(standing)) }
                asked.previews.append(one.balances.map(Report.Read.init))
            }
        } catch { asked.refused = .init(error) }
        asked.ended()
        asked.print()
    }

    func read(_ random: inout Random) async {
        var time = BalanceTime.current
        if random.chance(50), let position = recentPosition(&random) { time = .position(position) }
        if random.chance(15) { time = .projected }
        var asked = Report("balance")
        switch time {
        case .position(let position): asked.position = position.number
        case .projected: asked.verb = "projected"
        default: break
        }
        do throws(LedgerError) {
            if random.chance(50) {
                asked.reads = try await ledger.balances(at: time).map(Report.Read.init)
            } else {
                asked.reads = [.init(try await ledger.balance(of: random.one(of: Self.accounts), in: .eur, at: time))]
            }
        } catch { asked.refused = .init(error) }
        asked.ended()
        asked.print()
    }

    private func answer(_ asked: Report, _ body: () async throws(LedgerError) -> [Receipt]) async {
        var asked = asked
        do throws(LedgerError) { asked.receipts = try await body().map(Report.Receipted.init) } catch { asked.refused = .init(error) }
        asked.ended()
        asked.print()
    }
}
