import Crypto
import Foundation

/// The proof of a prefix of the journal: how many entries and postings it has, and a hash over all of them.
///
/// A job keeps it beside its checkpoint, so that an entry that was skipped, doubled or altered is found. The hash is a
/// chain: `SHA256(previous ‖ text of the entry)`, beginning with 32 zero bytes; so it does not depend on how
/// the journal was cut into batches. The text of an entry is
/// `position|ID|kind|lines|effective|recorded|SHA256(payload)|postings`, where ID is upper-case hexadecimal, times are
/// as the database writes them, the payload's hash is lower-case hexadecimal or empty, and postings are
/// `line,debit,credit,amount,status` joined by `;`.
public struct JournalProof: Sendable, Hashable {
    public private(set) var entries: UInt64
    public private(set) var postings: UInt64
    /// 32 bytes.
    public private(set) var hash: [UInt8]

    public init(entries: UInt64 = 0, postings: UInt64 = 0, hash: [UInt8] = [UInt8](repeating: 0, count: 32)) {
        self.entries = entries
        self.postings = postings
        self.hash = hash
    }

    /// Takes the next entries into the proof. Entries come in the order of their positions.
    public mutating func append(_ batch: JournalBatch) { batch.extend(&self) }

    /// Takes the next entry into the proof.
    public mutating func append(_ entry: JournalEntry) {
        let (effective, recorded) = (Array(entry.effectiveAt.sqlText.utf8), Array(entry.recordedAt.sqlText.utf8))
        var text = ByteText()
        text.append(
            position: entry.position.number, entry.id, entry.kind, lines: entry.lines, effective: effective.span, recorded: recorded.span,
            entry.payload)
        text.append(entry.postings[...])
        append(text, postings: entry.postings.count)
    }

    /// Takes the next entry, by its text, into the proof.
    mutating func append(_ text: ByteText, postings: Int) {
        entries += 1
        self.postings += UInt64(postings)
        var next = SHA256()
        unsafe hash.withUnsafeBytes { unsafe next.update(bufferPointer: $0) }
        text.withSpan { span in unsafe span.withUnsafeBytes { unsafe next.update(bufferPointer: $0) } }
        let digest = next.finalize()
        unsafe hash.withUnsafeMutableBytes { place in
            unsafe digest.withUnsafeBytes { unsafe place.copyMemory(from: $0) }
        }
    }

    /// Lower-case hexadecimal.
    static func payloadHash(_ payload: String) -> String {
        SHA256.hash(data: Data(payload.utf8)).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }
}
