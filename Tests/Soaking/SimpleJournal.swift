/// A committed journal as plain values.
struct SimpleJournal: Sendable {
    /// 16 bytes, the most significant first.
    struct ID: Hashable, Comparable, Sendable {
        let high: UInt64
        let low: UInt64

        init(_ high: UInt64, _ low: UInt64) { (self.high, self.low) = (high, low) }

        /// 32 hexadecimal digits.
        init?(hex: String) {
            guard hex.utf8.count == 32, let high = UInt64(hex.prefix(16), radix: 16), let low = UInt64(hex.suffix(16), radix: 16) else { return nil }
            (self.high, self.low) = (high, low)
        }

        static func < (left: ID, right: ID) -> Bool { left.high == right.high ? left.low < right.low : left.high < right.high }

        var hex: String { [high, low].map { String(repeating: "0", count: $0.leadingZeroBitCount / 4 - ($0 == 0 ? 1 : 0)) + String($0, radix: 16) }.joined() }
    }

    struct Entry: Sendable {
        let position: UInt64
        let id: ID
        let effective: Int64
        /// In ``words``.
        let words: Int32
        /// In ``postings``.
        var lines: Range<Int32>
    }

    /// A kind and a payload: entries that have the same share them.
    struct Words: Sendable {
        let kind: String
        let payload: SimpleJSON
    }

    struct Posting: Sendable {
        let debit: UInt32
        let credit: UInt32
        let amount: UInt64
        let isPosted: Bool
    }

    struct Account: Sendable {
        let path: String
        let currency: String
    }

    let calendar: SimpleCalendar
    var accounts: [UInt32: Account]
    /// Of the currencies of the book.
    var exponents: [String: Int]
    private(set) var entries: [Entry] = []
    private(set) var postings: [Posting] = []
    private(set) var words: [Words] = []
    private var known: [String: Int32] = [:]
    private var place = 0

    init(_ calendar: SimpleCalendar, accounts: [UInt32: Account], exponents: [String: Int]) {
        (self.calendar, self.accounts, self.exponents) = (calendar, accounts, exponents)
    }

    mutating func add(_ position: UInt64, _ id: ID, kind: String, effective: Int64, payload: String?) throws {
        let text = kind + "\n" + (payload ?? "")
        var number = known[text]
        if number == nil {
            number = Int32(words.count)
            known[text] = number
            words.append(Words(kind: kind, payload: try payload.map { try SimpleJSON($0) } ?? .null))
        }
        entries.append(Entry(position: position, id: id, effective: effective, words: number ?? 0, lines: 0..<0))
    }

    /// After all entries, in their order.
    mutating func add(_ posting: Posting, at position: UInt64) throws {
        while place < entries.count, entries[place].position < position { place += 1 }
        guard place < entries.count, entries[place].position == position else {
            throw SimpleJSON.Malformed(description: "a posting without its entry, at \(position)")
        }
        let end = Int32(postings.count)
        postings.append(posting)
        entries[place].lines = (entries[place].lines.isEmpty ? end : entries[place].lines.lowerBound)..<end + 1
    }

    func postings(of entry: Entry) -> ArraySlice<Posting> { postings[Int(entry.lines.lowerBound)..<Int(entry.lines.upperBound)] }
}
