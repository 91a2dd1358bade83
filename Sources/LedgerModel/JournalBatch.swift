/// Entries of the journal in a row, without a gap: the ones right after a position.
///
/// It keeps them column by column, since a job reads millions; each ``JournalEntry`` is made when it is asked for.
public struct JournalBatch: Sendable, RandomAccessCollection {
    /// The position before the first one.
    public let after: Position
    /// When each counts and when it was recorded, in microseconds since 1970.
    public private(set) var effective: [Int64] = []
    public private(set) var recorded: [Int64] = []
    /// The postings of all entries, one entry after the other.
    public private(set) var postings: [JournalPosting] = []

    private var ids: [EntryID?] = []
    private var kinds: [EntryKind] = []
    private var lines: [UInt32] = []
    private var payloads: [String?] = []
    private var postingEnds: [Int] = []
    /// What the proof hashes of each entry, without its postings.
    private var texts = ByteText()
    private var textEnds: [Int] = []
    private var (effectiveText, recordedText) = (TimestampWriter(), TimestampWriter())

    public init(after: Position) { self.after = after }

    public var startIndex: Int { 0 }
    /// Entries whose postings are here too.
    public var endIndex: Int { postingEnds.count }
    /// The last position; that before the first if there is none.
    public var through: Position { Position(after.number + UInt64(count)) }

    public func position(_ index: Int) -> Position { Position(after.number + UInt64(index) + 1) }
    public func kind(_ index: Int) -> EntryKind { kinds[index] }
    /// nil for a tombstone.
    public func id(_ index: Int) -> EntryID? { ids[index] }
    /// JSON as it is stored.
    public func payload(_ index: Int) -> String? { payloads[index] }
    /// Where in ``postings`` those of an entry are.
    public func postingRange(_ index: Int) -> Range<Int> { (index == 0 ? 0 : postingEnds[index - 1])..<postingEnds[index] }

    public subscript(index: Int) -> JournalEntry {
        JournalEntry(
            position: position(index), id: ids[index], kind: kinds[index], lines: lines[index],
            effectiveAt: Timestamp(microseconds: effective[index]), recordedAt: Timestamp(microseconds: recorded[index]),
            payload: payloads[index], postings: Array(postings[postingRange(index)]))
    }

    // MARK: - Filling

    /// Entries that were appended; their postings may still be missing.
    package var appended: Int { ids.count }

    package mutating func reserve(_ entries: Int) {
        effective.reserveCapacity(entries)
        recorded.reserveCapacity(entries)
        postings.reserveCapacity(entries)
        ids.reserveCapacity(entries)
        kinds.reserveCapacity(entries)
        lines.reserveCapacity(entries)
        payloads.reserveCapacity(entries)
        postingEnds.reserveCapacity(entries)
        textEnds.reserveCapacity(entries)
        texts.reserve(entries * 128)
    }

    /// Appends the next entry; its postings follow with ``append(_:)``, those of all entries in order.
    /// - Parameter effective: microseconds since 1970, as `recorded`.
    package mutating func append(
        id: EntryID?, kind: EntryKind, lines: UInt32, effective: Int64, recorded: Int64, payload: String?
    ) {
        effectiveText.write(effective)
        recordedText.write(recorded)
        let position = after.number + UInt64(ids.count) + 1
        let (effectiveText, recordedText) = (effectiveText.text, recordedText.text)
        texts.append(
            position: position, id, kind, lines: lines, effective: effectiveText.span, recorded: recordedText.span, payload)
        textEnds.append(texts.count)
        ids.append(id)
        kinds.append(kind)
        self.lines.append(lines)
        self.effective.append(effective)
        self.recorded.append(recorded)
        payloads.append(payload)
    }

    /// Appends the next posting, which belongs to the entry at `position`.
    /// - Throws: `integrity` if an entry has not as many postings as were recorded with it.
    package mutating func append(_ posting: JournalPosting, at position: UInt64) throws(LedgerError) {
        while after.number + UInt64(endIndex) + 1 < position { try endPostings() }
        postings.append(posting)
    }

    /// Ends the postings of all entries.
    package mutating func finish() throws(LedgerError) {
        while endIndex < ids.count { try endPostings() }
    }

    private mutating func endPostings() throws(LedgerError) {
        let start = postingEnds.last ?? 0
        guard postings.count - start == Int(lines[endIndex]) else {
            throw LedgerError(
                .integrity, "the entry at position \(position(endIndex)) was recorded with \(lines[endIndex]) postings and has "
                    + "\(postings.count - start): somebody added or removed some. The jobs stop here until that is explained")
        }
        postingEnds.append(postings.count)
    }

    /// Takes all entries into a proof.
    package func extend(_ proof: inout JournalProof) {
        var start = 0
        var text = ByteText()
        for index in indices {
            text.removeAll()
            text.append(texts, start..<textEnds[index])
            start = textEnds[index]
            let range = postingRange(index)
            text.append(postings[range])
            proof.append(text, postings: range.count)
        }
    }
}

/// Bytes to which text is appended fast.
struct ByteText: Sendable {
    private var bytes: [UInt8] = []
    private(set) var count = 0

    mutating func removeAll() { count = 0 }

    mutating func reserve(_ more: Int) {
        if bytes.count < count + more { bytes += [UInt8](repeating: 0, count: max(count + more - bytes.count, bytes.count)) }
    }

    mutating func append(_ byte: UInt8) {
        reserve(1)
        bytes[count] = byte
        count += 1
    }

    mutating func append(_ span: Span<UInt8>) {
        reserve(span.count)
        let place = count
        unsafe bytes.withUnsafeMutableBytes { to in
            unsafe span.withUnsafeBytes { from in
                if let start = from.baseAddress { unsafe (to.baseAddress! + place).copyMemory(from: start, byteCount: from.count) }
            }
        }
        count += span.count
    }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { unsafe append($0.span) }
    }

    mutating func append(_ other: ByteText, _ range: Range<Int>) {
        append(other.bytes.span.extracting(range))
    }

    mutating func append(number: UInt64) {
        if number < 10 { return append(UInt8(48 + number)) }
        reserve(20)
        var rest = number
        var digits = 0
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        rest = number
        for place in (0..<digits).reversed() {
            bytes[count + place] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
        count += digits
    }

    mutating func append(hex id: EntryID) {
        reserve(32)
        for word in [id.words.high, id.words.low] {
            for shift in stride(from: 60, through: 0, by: -4) {
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift) & 15)
                bytes[count] = digit + (digit < 10 ? 48 : 55)
                count += 1
            }
        }
    }

    /// `position|ID|kind|lines|effective|recorded|SHA256(payload)|`
    mutating func append(
        position: UInt64, _ id: EntryID?, _ kind: EntryKind, lines: UInt32, effective: Span<UInt8>, recorded: Span<UInt8>, _ payload: String?
    ) {
        append(number: position)
        append(UInt8(ascii: "|"))
        if let id { append(hex: id) }
        append(UInt8(ascii: "|"))
        append(kind.text)
        append(UInt8(ascii: "|"))
        append(number: UInt64(lines))
        append(UInt8(ascii: "|"))
        append(effective)
        append(UInt8(ascii: "|"))
        append(recorded)
        append(UInt8(ascii: "|"))
        if let payload { append(JournalProof.payloadHash(payload)) }
        append(UInt8(ascii: "|"))
    }

    /// `line,debit,credit,amount,status`, joined by `;`.
    mutating func append(_ postings: ArraySlice<JournalPosting>) {
        for (index, posting) in zip(postings.indices, postings) {
            if index > postings.startIndex { append(UInt8(ascii: ";")) }
            append(number: UInt64(posting.line))
            append(UInt8(ascii: ","))
            append(number: UInt64(posting.debit.number))
            append(UInt8(ascii: ","))
            append(number: UInt64(posting.credit.number))
            append(UInt8(ascii: ","))
            append(number: posting.amount)
            append(UInt8(ascii: ","))
            append(number: UInt64(posting.status.rawValue))
        }
    }

    func withSpan<T>(_ body: (Span<UInt8>) -> T) -> T { body(bytes.span.extracting(0..<count)) }
}
