import IndelibleTesting
import Testing

@testable import LedgerModel
@testable import LedgerStore
@testable import Soaking

/// Six events that decide each other's fees, in each of their 720 orders: every order has an account of its own, the 120 orders in which
/// the schedule changes at the same place have a schedule of their own, and all of them are in one book.
struct FeePermutations {
    enum Event: UInt8, CaseIterable {
        case charge = 1
        /// Of a hold that stands before all of them.
        case capture
        case refund
        /// A second version, effective from the middle of the month.
        case schedule
        /// It counts before all others of the month.
        case late
        /// It counts in the month before.
        case backDated
        /// Not in any order: it stands before all of them, and counts after them.
        case last
    }

    static let orders: [[Event]] = {
        var orders: [[Event]] = [[]]
        for event in Event.allCases.dropLast() {
            orders = orders.flatMap { order in (0...order.count).map { place in Array(order[..<place]) + [event] + Array(order[place...]) } }
        }
        return orders
    }()

    let book: TestBook
    private var holds: [JournalEntry] = []

    init(_ book: TestBook) { self.book = book }

    /// The schedule of an order: it changes as the first of the six events, or as a later one.
    static func name(_ number: Int) -> String { "g\(orders[number].firstIndex(of: .schedule) ?? 0)" }

    static func shop(_ number: Int) -> AccountPath { AccountPath(stringLiteral: "\(name(number)):p\(number):shop") }

    /// The same for every order but for its last two bytes, so that of equal times the same event is first.
    static func id(_ event: Event, _ number: Int) -> EntryID {
        EntryID(high: UInt64(event.rawValue) << 56, low: UInt64(number))
    }

    private static func hold(_ number: Int) -> EntryID { EntryID(high: 0x77 << 56, low: UInt64(number)) }

    /// What an entry of the book is.
    static func event(_ id: SimpleJournal.ID, captures: [SimpleJournal.ID: Int]) -> Event? {
        captures[id] != nil ? .capture : Event(rawValue: UInt8(id.high >> 56))
    }

    // MARK: - What happens

    static func document(_ name: String, version: Int) -> String {
        let tiers = version == 1
            ? #""graduated","steps":[{"from":"0.00","basis_points":290,"fixed":"0.30"},{"from":"100.00","basis_points":"250.5","fixed":"0.20"},{"from":"150.00","basis_points":200}]"#
            : #""whole","steps":[{"from":"0.00","basis_points":300,"fixed":"0.25"},{"from":"120.00","basis_points":150,"fixed":"0.10"},{"from":"180.00","basis_points":100}]"#
        let bounds = version == 1 ? #","minimum":"0.90""# : #","maximum":"2.00","rounding":"up""#
        let waivers = version == 1 ? "" : #","waivers":[{"reason":"spring","from":"2026-03-20","until":"2026-04-01","basis_points":2500}]"#
        let refund = #"{"name":"refund","kinds":["card.refunded"],"accounts":["\#(name):*:*"],"side":"debit","volume":"subtract","prices":{"EUR":{"basis_points":-140}}}"#
        return """
            {"schedule":"\(name)","version":\(version),"effective_from":"\(version == 1 ? "2026-01-01" : "2026-03-15")","income":"fees:platform","rules":[
            {"name":"card","kinds":["card.charged"],"accounts":["\(name):*:*"],"side":"credit","prices":{"EUR":{"tiers":{"by":"volume","mode":\(tiers)}\(bounds)}}\(waivers)},
            \(refund)]}
            """
    }

    static func entry(_ event: Event, _ number: Int) throws -> Entry {
        let (time, amount): (String, Int64) =
            switch event {
            case .charge: ("2026-03-10T12:00:00Z", 80_00)
            case .refund: ("2026-03-10T12:00:00Z", 30_01)
            case .late: ("2026-02-28T23:00:00Z", 45_55)  // The first instant of March in Berlin.
            case .backDated: ("2026-02-28T22:59:59.999999Z", 149_99)
            default: ("2026-03-28T10:00:00Z", 50_00)
            }
        let (shop, bank) = (shop(number), AccountPath(stringLiteral: "bank"))
        let isRefund = event == .refund
        return Entry(
            id: id(event, number), kind: isRefund ? "card.refunded" : "card.charged", effectiveAt: try Timestamp(time),
            postings: [Posting(debit: isRefund ? shop : bank, credit: isRefund ? bank : shop, amount: Amount(minorUnits: amount, .eur))])
    }

    /// Accounts, the first version, the holds and the last entry, of all orders.
    mutating func begin() async throws {
        let ledger = book.ledger
        for path in ["bank", "fees:platform"] { try await ledger.openAccount(try AccountPath(path), in: .eur, type: .liability) }
        let numbers = Self.orders.indices
        for name in Set(numbers.map(Self.name)).sorted() { try await ledger.publishFeeSchedule(Self.document(name, version: 1)) }
        try await Self.openAccounts(ledger)
        var held = try numbers.map { try Self.entry(.last, $0) }
        for number in numbers {
            held[number].id = Self.hold(number)
            held[number].hold = Hold()
        }
        try await ledger.post(held)
        try await ledger.post(try numbers.map { try Self.entry(.last, $0) })
        holds = try await ledger.standing(held.map(\.id)).values.map { $0 }
        holds.sort { $0.position < $1.position }
    }

    /// Ids of the captures, and of which order they are.
    var captures: [SimpleJournal.ID: Int] {
        var captures: [SimpleJournal.ID: Int] = [:]
        for number in Self.orders.indices {
            let words = EntryID.settlement(of: Self.hold(number)).words
            captures[SimpleJournal.ID(words.high, words.low)] = number
        }
        return captures
    }

    /// Lets these events happen, each of an order.
    /// - Returns: how many had happened before, but for schedules.
    func happen(_ events: [(event: Event, number: Int)]) async throws -> Int {
        let ledger = book.ledger
        var receipts: [Receipt] = []
        let entries = try events.filter { $0.event != .capture && $0.event != .schedule }.map { try Self.entry($0.event, $0.number) }
        receipts += try await ledger.post(entries)
        let drafts = try events.filter { $0.event == .capture }.map { event in
            // A part of it: 37.77 of 50.00.
            var draft = try Draft(settling: holds[event.number], by: .capture([37_77]), account: { _ in nil })
            draft.effectiveAt = try Timestamp("2026-03-16T08:00:00Z")
            return draft
        }
        if !drafts.isEmpty { receipts += try await ledger.commits.write(drafts) }
        for name in Set(events.filter { $0.event == .schedule }.map { Self.name($0.number) }).sorted() {
            try await ledger.publishFeeSchedule(Self.document(name, version: 2))
        }
        return receipts.count { $0.isRepeat }
    }

    /// Some at once.
    private static func openAccounts(_ ledger: Ledger) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in 0..<16 {
                group.addTask {
                    for number in stride(from: part, to: orders.count, by: 16) { try await ledger.openAccount(shop(number), in: .eur, type: .liability) }
                }
            }
            try await group.waitForAll()
        }
    }
}
