import Foundation
import Indelible
import Synchronization

/// Random operations on one book by a few tasks at once, each reported with its answer.
struct RandomHistory: Sendable {
    /// As the test has opened them.
    static let accounts: [AccountPath] = ["cash", "fees", "spare", "alice", "bob", "credit", "jar", "both", "wallet"]
    static let limited: [AccountPath] = ["alice", "bob", "credit", "jar", "both", "wallet"]
    /// A new number of what all programs share comes so often, in microseconds.
    static let pace: Int64 = 50_000

    let settings: Settings
    let ledger: Ledger
    let database: Database
    private let known = Known()

    /// What this program has posted, to be asked for again.
    private final class Known: Sendable {
        private let entries = Mutex<[Entry]>([])
        private let positions = Mutex<[Position]>([])

        func add(_ entry: Entry) { entries.withLock { $0.append(entry) } }
        func add(_ position: Position) { positions.withLock { $0.append(position) } }
        func entry(_ random: inout Random) -> Entry? {
            let last = entries.withLock { Array($0.suffix(30)) }
            return last.isEmpty ? nil : random.one(of: last)
        }
        func position(_ random: inout Random) -> Position? {
            let last = positions.withLock { Array($0.suffix(200)) }
            return last.isEmpty ? nil : random.one(of: last)
        }
    }

    init(_ settings: Settings) {
        self.settings = settings
        ledger = Ledger(settings.location)
        database = Database(settings.location, role: .writer, connectionsMax: 4)
    }

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<settings.tasks {
                group.addTask {
                    var random = Random(settings.seed, UInt64(settings.number), UInt64(task))
                    for step in 0..<settings.count { await operate(&random, "\(settings.number)-\(task)-\(step)") }
                }
            }
        }
        await ledger.close()
        await database.close()
    }

    func recentPosition(_ random: inout Random) -> Position? { known.position(&random) }

    // MARK: - What is asked

    private func operate(_ random: inout Random, _ name: String) async {
        switch random.number(1...100) {
        case ...30: await post(random.chance(15) ? known.entry(&random) ?? entry(&random, name) : entry(&random, name))
        case ...38: await post(other(known.entry(&random) ?? entry(&random, name)))
        case ...48: await post(batch: batch(&random, name))
        case ...58: await post(shared(&random, isOther: random.chance(15)))
        case ...63: await post(entry(&random, name), rollsBack: random.chance(30))
        case ...75: await settle(&random)
        case ...80: await reverse(random.chance(50) ? shared(&random).id : known.entry(&random)?.id ?? .minted())
        case ...83: await setLimits(&random)
        case ...86: await setStatus(&random)
        case 87: await closePeriod(&random)
        case ...89: await expireHolds()
        case ...93: await preview(batch(&random, name))
        default: await read(&random)
        }
    }

    private func moves(_ random: inout Random) -> [Posting] {
        (0..<random.one(of: [1, 1, 1, 1, 2, 3])).map { _ in
            var debit = random.chance(35) ? "cash" : random.one(of: Self.accounts)
            let credit = random.one(of: Self.accounts.filter { $0 != debit })
            if credit == "wallet", random.chance(50) { debit = "fees" }
            return Posting(debit: debit, credit: credit, amount: Amount(minorUnits: Int64(random.number(1...200)), .eur))
        }
    }

    private func entry(_ random: inout Random, _ name: String) -> Entry {
        var entry = Entry(
            id: random.chance(50) ? .minted() : EntryID(key: name), kind: "own", postings: moves(&random))
        switch random.number(1...20) {
        case 1: entry.hold = Hold()
        case 2...3: entry.hold = Hold(expiresAt: Timestamp(microseconds: now() + Int64(random.number(50...500)) * 1000))
        case 4...6:
            entry.effectiveAt = Timestamp(microseconds: 1_577_836_800_000_000 + Int64(random.number(0...9_000)) * 3_600_000_000)
            if random.chance(50) { entry.backdating = .redate }
        default: break
        }
        if random.chance(20) { entry.description = name }
        return entry
    }

    /// The same id for something else.
    private func other(_ entry: Entry) -> Entry {
        var other = entry
        other.description = (entry.description ?? "") + "?"
        return other
    }

    private func batch(_ random: inout Random, _ name: String) -> [Entry] {
        var batch = (0..<random.number(2...4)).map { entry(&random, "\(name)-\($0)") }
        if random.chance(15) { batch.append(batch[0]) }
        if random.chance(10), let known = known.entry(&random) { batch.append(known) }
        return batch
    }

    /// An entry, often a hold, that every program knows by its number, which follows from the time.
    private func shared(_ random: inout Random, isOther: Bool = false) -> Entry {
        let newest = Int((now() - settings.start) / Self.pace)
        let number = max(0, newest - random.one(of: [0, 0, 1, 1, 2, 3, 4, 6, 8]))
        var its = Random(settings.seed, UInt64(number))
        var entry = Entry(id: EntryID(key: "shared-\(number)"), kind: "shared", postings: moves(&its))
        if its.chance(75) {
            entry.hold = Hold()
            if its.chance(65) {
                let expiresAt = settings.start + Int64(number) * Self.pace + Int64(its.number(50...500)) * 1000
                entry.hold?.expiresAt = Timestamp(microseconds: expiresAt)
            }
        }
        return isOther ? other(entry) : entry
    }

    // MARK: - Asking

    private func report(_ report: Report, _ body: (inout Report) async throws(LedgerError) -> Void) async {
        var report = report
        do throws(LedgerError) { try await body(&report) } catch { report.refused = Report.Refused(error) }
        report.ended()
        report.print()
    }

    private func note(_ receipts: [Receipt], _ report: inout Report) {
        report.receipts = receipts.map(Report.Receipted.init)
        for receipt in receipts { known.add(receipt.position) }
    }

    private func post(_ entry: Entry) async {
        known.add(entry)
        var asked = Report("post")
        asked.asked = [.init(entry)]
        await report(asked) { report throws(LedgerError) in note([try await ledger.post(entry)], &report) }
    }

    private func post(batch: [Entry]) async {
        for entry in batch { known.add(entry) }
        var asked = Report("batch")
        asked.asked = batch.map(Report.Asked.init)
        await report(asked) { report throws(LedgerError) in note(try await ledger.post(batch), &report) }
    }

    /// In a transaction of the caller's own.
    private func post(_ entry: Entry, rollsBack: Bool) async {
        struct RolledBack: Error {}
        var asked = Report("in")
        asked.asked = [.init(entry)]
        asked.isRolledBack = rollsBack
        await report(asked) { report throws(LedgerError) in
            do {
                let receipt = try await database.write { transaction in
                    let receipt = try ledger.post(entry, in: transaction)
                    if rollsBack { throw RolledBack() }
                    return receipt
                }
                note([receipt], &report)
            } catch is RolledBack {} catch { throw LedgerError.translating(error) }
        }
    }

    private func settle(_ random: inout Random) async {
        let hold = random.chance(70) ? shared(&random) : known.entry(&random) ?? shared(&random)
        let whole = hold.postings.map(\.amount)
        switch random.number(1...3) {
        case 1:
            var asked = Report("void")
            asked.about = hold.id.description
            await report(asked) { report throws(LedgerError) in note([try await ledger.void(hold.id)], &report) }
        case 2:
            var asked = Report("capture")
            asked.about = hold.id.description
            await report(asked) { report throws(LedgerError) in note([try await ledger.capture(hold.id)], &report) }
        default:
            let part = whole.map { Amount(minorUnits: $0.minorUnits * 5 / Int64(random.number(4...9)), .eur) }
            var asked = Report("capture")
            asked.about = hold.id.description
            asked.amounts = part.map(\.minorUnits)
            await report(asked) { report throws(LedgerError) in
                note([try await ledger.capture(hold.id, amounts: part)], &report)
            }
        }
    }

    private func reverse(_ id: EntryID) async {
        var asked = Report("reverse")
        asked.about = id.description
        await report(asked) { report throws(LedgerError) in note([try await ledger.reverse(id)], &report) }
    }

    private func expireHolds() async {
        await report(Report("expire")) { report throws(LedgerError) in _ = try await ledger.expireHolds() }
    }
}
