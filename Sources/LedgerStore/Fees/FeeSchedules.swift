import Foundation
import LedgerDatabase
public import LedgerModel

/// A version of a fee schedule as the book has it.
public struct PublishedFeeSchedule: Sendable, Hashable {
    public let schedule: FeeSchedule
    /// Of the entry that publishes it.
    public let receipt: Receipt
    public let actor: String?
}

extension Ledger {
    func currenciesByCode() async throws(LedgerError) -> [CurrencyCode: Currency] {
        Dictionary(try await primary.currencies().map { ($0.code, $0) }) { first, _ in first }
    }

    /// Reads a document for this book, and checks what can only be checked here: that its currencies and its income accounts are there.
    /// - Throws: `invalidEntry`, `invalidTime`, `invalidAccount`, `unknownCurrency` or `unknownAccount`, with the place in the document.
    public func checkFeeSchedule(_ document: String) async throws(LedgerError) -> FeeSchedule {
        try await translated {
            let currencies = try await currenciesByCode()
            let schedule = try FeeSchedule(try JSON(parsing: document), currencies: { currencies[$0] }, zone: try await primary.timeZone())
            let accounts = try await catalog.accounts([schedule.income])[schedule.income] ?? []
            let known = Set((accounts.isEmpty ? [] : try await catalog.fresh(schedule.income)).map(\.currency.code))
            for (index, rule) in schedule.rules.enumerated() {
                for code in rule.prices.keys.sorted() where !known.contains(code) {
                    throw LedgerError(
                        .unknownAccount, "fee schedule, rules[\(index)].prices.\(code): fees in \(code) are income of \(schedule.income), which the book does not "
                            + "have in \(code): open it (`indelible account open \(schedule.income) \(code) --type income`)")
                }
            }
            return schedule
        }
    }

    /// Publishes a version of a fee schedule: an entry with the document. The same document again returns the first receipt.
    ///
    /// It applies to all entries that count from its `effective_from` on, also to those that are recorded already: the projector adjusts
    /// their fees.
    /// - Parameter document: JSON, as `docs/fees.md` describes it.
    /// - Throws: as ``checkFeeSchedule(_:)``; `conflict` if the version is published with another document.
    @discardableResult
    public func publishFeeSchedule(_ document: String, actor: String? = nil) async throws(LedgerError) -> Receipt {
        try requireWriter()
        let schedule = try await checkFeeSchedule(document)
        return try await publish(schedule, Telling(id: .feeSchedule(schedule.name, schedule.version), actor: actor))
    }

    func publish(_ schedule: FeeSchedule, _ telling: Telling) async throws(LedgerError) -> Receipt {
        try requireWriter()
        guard case .object(var payload) = schedule.document else { throw LedgerError(.invalidEntry, "a fee schedule is an object") }
        if let actor = telling.actor { payload["actor"] = .string(actor) }
        let id = telling.id
        let draft = Draft(
            id: id, kind: .feeSchedulePublished, effectiveAt: telling.effectiveAt, payload: .object(payload), postings: [], account: { _ in nil })
        guard draft.payloadText.map({ $0.utf8.count <= Entry.payloadBytesMax }) ?? true else {
            throw LedgerError(.invalidEntry, "the fee schedule has more than \(Entry.payloadBytesMax) bytes: make several schedules of it", id: id)
        }
        let row = InsertOnlySQL.insert(
            into: .feeSchedule, ["name", "version", "effective_from", "entry_id"],
            rows: [[.text(schedule.name), .uint(schedule.version), .text(schedule.effectiveFrom.sqlText), .bytes(id.bytes)]])
        return try await translated {
            var retrying = Retrying()
            while true {
                do {
                    return try await database.write { transaction in
                        if let stands = try JournalRows.entries([id], transaction)[id] {
                            // Who publishes it again need not be who did.
                            var standing = try stands.payload.map { try JSON(parsing: $0) }
                            if case .object(var members) = standing {
                                members["actor"] = nil
                                standing = .object(members)
                            }
                            guard standing == schedule.document else {
                                throw LedgerError(
                                    .conflict, "version \(schedule.version) of the fee schedule \(schedule.name) is published, at position \(stands.position), with "
                                        + "another document: give this one another version", id: id, standing: stands.receipt(isRepeat: true))
                            }
                            return stands.receipt(isRepeat: true)
                        }
                        try transaction.run(row)
                        return try JournalWriter.append([draft], in: transaction)[0]
                    }
                } catch let error as DatabaseError {
                    try await retrying.pause(after: error)
                } catch { throw retrying.final(error) }
            }
        }
    }

    /// The versions that are published, by name and number.
    /// - Parameter name: only of this schedule.
    public func feeSchedules(named name: String? = nil) async throws(LedgerError) -> [PublishedFeeSchedule] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.feeSchedules(named: name) }
        return try await translated {
            let (currencies, zone) = (try await currenciesByCode(), try await timeZone())
            return try await database.read { transaction in
                let rows = try transaction.run(.select("name, entry_id FROM fee_schedule ORDER BY name, version"))
                let ids = try rows.filter { try name == nil || $0.text(0) == name }.map { try EntryID(bytes: try $0.bytes(1)) }
                let entries = try JournalRows.entries(ids, transaction)
                return try ids.map { id in
                    guard let entry = entries[id], let payload = entry.payload, case .object(var members) = try JSON(parsing: payload) else {
                        throw LedgerError(.integrity, "a fee schedule has no entry that publishes it: run `indelible reconcile`", id: id)
                    }
                    let actor = members.removeValue(forKey: "actor")?.string
                    let schedule = try FeeSchedule(.object(members), currencies: { currencies[$0] }, zone: zone)
                    return PublishedFeeSchedule(schedule: schedule, receipt: entry.receipt(isRepeat: false), actor: actor)
                }
            }
        }
    }
}
