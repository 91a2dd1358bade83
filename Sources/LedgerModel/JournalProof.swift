import Crypto
import Foundation

/// The proof of a prefix of the journal: how many entries and postings it has, and a hash over all of them.
///
/// A job keeps it beside its checkpoint, so that an entry that was skipped, doubled or altered is found. The hash is a
/// chain: `SHA256(previous ‖ SHA256(text of the entry))`, beginning with 32 zero bytes; so it does not depend on how
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

    /// Takes the next entry into the proof. Entries come in the order of their positions.
    public mutating func append(_ entry: JournalEntry) {
        entries += 1
        postings += UInt64(entry.postings.count)
        let leaf = SHA256.hash(data: Data(Self.text(entry).utf8))
        var next = SHA256()
        next.update(data: hash)
        next.update(data: Array(leaf))
        hash = Array(next.finalize())
    }

    static func text(_ entry: JournalEntry) -> String {
        let payload = entry.payload.map { hex(SHA256.hash(data: Data($0.utf8)), digits: "0123456789abcdef") } ?? ""
        let id = entry.id.map { hex($0.bytes, digits: "0123456789ABCDEF") } ?? ""
        let postings = entry.postings.map {
            "\($0.line),\($0.debit.number),\($0.credit.number),\($0.amount),\($0.status.rawValue)"
        }
        return "\(entry.position)|\(id)|\(entry.kind)|\(entry.lines)|\(entry.effectiveAt.sqlText)|"
            + "\(entry.recordedAt.sqlText)|\(payload)|\(postings.joined(separator: ";"))"
    }

    private static func hex(_ bytes: some Sequence<UInt8>, digits: String) -> String {
        let digits = Array(digits.utf8)
        var text: [UInt8] = []
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
