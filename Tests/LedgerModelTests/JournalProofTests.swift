import LedgerModel
import Testing

@Suite struct JournalProofTests {
    static func journal(seed: UInt64, count: Int) -> [JournalEntry] {
        var random = Seeded(seed)
        return (0..<count).map { number in
            let position = Position(UInt64(number) + 1)
            let recorded = Timestamp(microseconds: 1_750_000_000_000_000 + Int64(number))
            if number % 11 == 10 {
                return JournalEntry(
                    position: position, id: nil, kind: .tombstone, lines: 0, effectiveAt: recorded, recordedAt: recorded,
                    payload: nil, postings: [])
            }
            let postings = (0..<Int.random(in: 0...3, using: &random)).map { line in
                JournalPosting(
                    line: UInt32(line + 1), debit: AccountID(UInt32.random(in: 1...9, using: &random)),
                    credit: AccountID(UInt32.random(in: 10...19, using: &random)), amount: UInt64.random(in: 1...9999, using: &random),
                    status: Bool.random(using: &random) ? .posted : .pending)
            }
            return JournalEntry(
                position: position, id: EntryID(key: "\(number)"), kind: "order.paid", lines: UInt32(postings.count),
                effectiveAt: Timestamp(microseconds: Int64(random.integer() % 1_000_000_000_000)), recordedAt: recorded,
                payload: number % 2 == 0 ? nil : #"{"n":\#(number)}"#, postings: postings)
        }
    }

    static func proof(_ entries: some Sequence<JournalEntry>) -> JournalProof {
        var proof = JournalProof()
        for entry in entries { proof.append(entry) }
        return proof
    }

    @Test func `the proof of nothing is zero`() {
        #expect(JournalProof().hash == [UInt8](repeating: 0, count: 32))
        #expect(JournalProof().entries == 0)
        #expect(JournalProof().postings == 0)
    }

    @Test func `the hash is the one that its description says`() {
        // Computed with Python's hashlib: SHA-256 over 32 zero bytes and
        // 1|BA7816BF8F01CFEA414140DE5DAE2223|k|1|1970-01-01 00:00:00.000000|1970-01-01 00:00:00.000001||1,2,3,4,0
        let entry = JournalEntry(
            position: Position(1), id: EntryID(key: "abc"), kind: "k", lines: 1, effectiveAt: Timestamp(microseconds: 0),
            recordedAt: Timestamp(microseconds: 1), payload: nil,
            postings: [JournalPosting(line: 1, debit: AccountID(2), credit: AccountID(3), amount: 4, status: .posted)])
        let hex = Self.proof([entry]).hash.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        #expect(hex == "2cc0128fd5082434eeddf7f2a7144920b34eee661edc7dc2118f995d25828dd5")
    }

    @Test func `the proof does not depend on how the journal is cut`() {
        let journal = Self.journal(seed: 1, count: 100)
        let whole = Self.proof(journal)
        #expect(whole.entries == 100)
        #expect(whole.postings == UInt64(journal.map(\.postings.count).reduce(0, +)))
        for size in [1, 2, 7, 33, 99] {
            var proof = JournalProof()
            for start in stride(from: 0, to: 100, by: size) {
                // As a job does: what it knows is what its last checkpoint holds.
                proof = JournalProof(entries: proof.entries, postings: proof.postings, hash: proof.hash)
                for entry in journal[start..<min(start + size, 100)] { proof.append(entry) }
            }
            #expect(proof == whole, "batches of \(size)")
        }
    }

    @Test func `any change of any field changes the hash`() {
        let first = JournalPosting(line: 1, debit: AccountID(1), credit: AccountID(2), amount: 100, status: .posted)
        let second = JournalPosting(line: 2, debit: AccountID(3), credit: AccountID(4), amount: 200, status: .posted)
        func entry(
            position: UInt64 = 5, id: EntryID? = EntryID(key: "k"), kind: EntryKind = "order.paid", lines: UInt32 = 2,
            effective: Int64 = 0, recorded: Int64 = 0, payload: String? = #"{"a":1}"#, _ postings: [JournalPosting]? = nil
        ) -> JournalEntry {
            JournalEntry(
                position: Position(position), id: id, kind: kind, lines: lines, effectiveAt: Timestamp(microseconds: effective),
                recordedAt: Timestamp(microseconds: recorded), payload: payload, postings: postings ?? [first, second])
        }
        func changed(
            line: UInt32 = 1, debit: UInt32 = 1, credit: UInt32 = 2, amount: UInt64 = 100, status: PostingStatus = .posted
        ) -> JournalPosting {
            JournalPosting(line: line, debit: AccountID(debit), credit: AccountID(credit), amount: amount, status: status)
        }
        let variants = [
            entry(), entry(position: 6), entry(id: nil), entry(id: EntryID(key: "l")), entry(kind: "order.paid2"), entry(lines: 1),
            entry(effective: 1), entry(recorded: 1), entry(effective: 1, recorded: 1), entry(payload: nil), entry(payload: ""),
            entry(payload: #"{"a":2}"#), entry(payload: #"{"a": 1}"#), entry([]), entry([first]), entry([second]),
            entry([second, first]), entry([first, second, second]), entry([first, first]), entry([changed(line: 3), second]),
            entry([changed(debit: 9), second]), entry([changed(credit: 9), second]), entry([changed(debit: 2, credit: 1), second]),
            entry([changed(amount: 101), second]), entry([changed(amount: 200), changed(line: 2, debit: 3, credit: 4)]),
            entry([changed(status: .pending), second]), entry([changed(debit: 12, credit: 3), second]),
            entry([changed(debit: 1, credit: 23), second]),
        ]
        #expect(Set(variants.map { Self.proof([$0]).hash }).count == variants.count)
    }

    @Test func `an entry that is left out, doubled or swapped changes the hash`() {
        let journal = Self.journal(seed: 2, count: 30)
        var hashes: Set<[UInt8]> = [Self.proof(journal).hash]
        var made = 1
        for index in journal.indices {
            var without = journal
            without.remove(at: index)
            var doubled = journal
            doubled.insert(journal[index], at: index)
            var variants = [without, doubled, Array(journal[..<index])]
            if index > 0 {
                var swapped = journal
                swapped.swapAt(index - 1, index)
                variants.append(swapped)
            }
            // Without the last entry the journal is its own prefix: the same variant.
            if index == journal.count - 1 { variants.removeFirst() }
            made += variants.count
            for variant in variants { hashes.insert(Self.proof(variant).hash) }
        }
        #expect(hashes.count == made)
    }
}
