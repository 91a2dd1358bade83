/// The fees as they must be, one account after the other, met by rows in the same order.
struct FeeQueue {
    private let fees: SimpleFees
    private var accounts: ArraySlice<UInt32>
    private var account: UInt32 = 0
    private var rows: ArraySlice<SimpleFees.Row> = []
    private(set) var charged = 0
    /// Of the accounts that it has come to.
    private(set) var months: [Key: SimpleFees.Month] = [:]

    struct Key: Hashable {
        let account: UInt32
        let schedule: String
        let month: String
    }

    init(_ fees: SimpleFees) {
        self.fees = fees
        accounts = fees.accounts[...]
        refill()
    }

    private mutating func refill() {
        while rows.isEmpty, let next = accounts.popFirst() {
            account = next
            let all = fees.fees(of: next)
            rows = all.rows[...]
            for month in all.months { months[Key(account: next, schedule: month.schedule, month: month.month)] = month }
        }
    }

    private mutating func take() -> SimpleFees.Row? {
        let row = rows.popFirst()
        if row != nil { charged += 1 }
        refill()
        return row
    }

    /// - Parameter row: the newest one of its key, in the book.
    mutating func meet(_ account: UInt32, _ row: SimpleFees.Row, _ result: inout FeeProof.Result) {
        while let should = rows.first, self.account < account || self.account == account && should.precedes(row) {
            result.find("account \(self.account): missing: \(should)")
            _ = take()
        }
        if self.account == account, let should = rows.first, should.isOfTheSame(row) {
            if should != row { result.find("account \(account):\n  is     \(row)\n  should \(should)") }
            _ = take()
        } else if row != SimpleFees.Row(schedule: row.schedule, effective: row.effective, id: row.id, position: row.position) {
            result.find("account \(account): nobody is charged: \(row)")
        }
    }

    /// No more rows.
    mutating func end(_ result: inout FeeProof.Result) {
        while let should = rows.first {
            result.find("account \(account): missing: \(should)")
            _ = take()
        }
    }
}
