import Foundation
import Indelible
import Synchronization

/// What was asked and what was answered: one line of JSON each.
struct Report: Encodable {
    struct Asked: Encodable {
        struct Move: Encodable {
            let debit: String
            let credit: String
            let amount: Int64
        }
        let id: String
        let kind: String
        let effectiveAt: Int64?
        let isRedated: Bool
        let isHold: Bool
        let expiresAt: Int64?
        let note: String?
        let moves: [Move]
    }

    struct Receipted: Encodable {
        let id: String
        let position: UInt64
        let recordedAt: Int64
        let isRepeat: Bool
    }

    struct Refused: Encodable {
        let code: String
        let message: String
        let index: Int?
        let standing: Receipted?
        let account: String?
        let bound: String?
        let limit: Int64?
        let balance: Int64?
        let shortfall: Int64?
    }

    struct Read: Encodable {
        let account: String
        let debitsPosted: Int64
        let creditsPosted: Int64
        let debitsPending: Int64
        let creditsPending: Int64
        let through: UInt64
    }

    var verb: String
    /// By the clock, before the call and after it.
    var begin: Int64
    var end: Int64 = 0
    var asked: [Asked] = []
    /// The entry that the call is about.
    var about: String?
    var amounts: [Int64]?
    var account: String?
    var floor: Int64?
    var ceiling: Int64?
    var status: String?
    /// For a period: what counts before this is closed.
    var closesBefore: Int64?
    /// For a read: as of which position.
    var position: UInt64?
    var isRolledBack = false
    var receipts: [Receipted] = []
    var refused: Refused?
    var reads: [Read] = []
    /// For each entry of a batch what a preview said.
    var previews: [[Read]] = []

    init(_ verb: String) {
        self.verb = verb
        begin = now()
    }

    private static let lock = Mutex(())

    mutating func ended() { end = now() }

    /// Writes the line.
    func print() {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard var line = try? encoder.encode(self) else { fatalError("a report is JSON") }
        line.append(10)
        Self.lock.withLock { _ in FileHandle.standardOutput.write(line) }
    }
}

extension Report.Asked {
    init(_ entry: Entry) {
        id = entry.id.description
        kind = entry.kind.text
        effectiveAt = entry.effectiveAt?.microseconds
        isRedated = entry.backdating == .redate
        isHold = entry.hold != nil
        expiresAt = entry.hold?.expiresAt?.microseconds
        note = entry.description
        moves = entry.postings.map { Move(debit: $0.debit.text, credit: $0.credit.text, amount: $0.amount.minorUnits) }
    }
}

extension Report.Receipted {
    init(_ receipt: Receipt) {
        id = receipt.id.description
        position = receipt.position.number
        recordedAt = receipt.recordedAt.microseconds
        isRepeat = receipt.isRepeat
    }
}

extension Report.Refused {
    init(_ error: LedgerError) {
        code = error.code.rawValue
        message = error.message
        index = error.index
        standing = error.standing.map(Report.Receipted.init)
        account = error.shortfall?.account.text
        bound = error.shortfall?.bound.rawValue
        limit = error.shortfall.map { Int64($0.limit) }
        balance = error.shortfall.map { Int64($0.balance) }
        shortfall = error.shortfall.map { Int64($0.shortfall) }
    }
}

extension Report.Read {
    init(_ balance: Balance) {
        account = balance.account.path.text
        debitsPosted = Int64(balance.totals.debitsPosted)
        creditsPosted = Int64(balance.totals.creditsPosted)
        debitsPending = Int64(balance.totals.debitsPending)
        creditsPending = Int64(balance.totals.creditsPending)
        through = balance.through.number
    }
}
