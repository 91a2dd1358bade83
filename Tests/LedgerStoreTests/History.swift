import Foundation
import IndelibleTesting
import MariaDBDriver

/// What the programs of `Tests/LedgerWriter` have reported, and the journal as plain SQL shows it afterwards.
struct History {
    /// One call and its answer.
    struct Report: Decodable {
        struct Asked: Decodable {
            struct Move: Decodable {
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
        struct Receipted: Decodable, Hashable {
            var id: String
            var position: Int
            var recordedAt: Int64
            var isRepeat: Bool
        }
        struct Refused: Decodable {
            var code: String
            let message: String
            let index: Int?
            let standing: Receipted?
            let account: String?
            let bound: String?
            let limit: Int64?
            var balance: Int64?
            let shortfall: Int64?
        }
        struct Read: Decodable {
            let account: String
            var debitsPosted: Int64
            let creditsPosted: Int64
            let debitsPending: Int64
            let creditsPending: Int64
            var through: Int
        }

        let verb: String
        let begin: Int64
        let end: Int64
        let asked: [Asked]
        let about: String?
        let amounts: [Int64]?
        let account: String?
        let floor: Int64?
        let ceiling: Int64?
        let status: String?
        let position: Int?
        let isRolledBack: Bool
        var receipts: [Receipted]
        var refused: Refused?
        var reads: [Read]
        var previews: [[Read]]
        /// For a period: what counts before this is closed.
        let closesBefore: Int64?
    }

    /// An entry of the journal. A tombstone has no id.
    struct Entry {
        let position: Int
        let id: String?
        let kind: String
        let lines: Int
        let effectiveAt: Int64
        let recordedAt: Int64
        /// The words of its payload that matter here.
        let words: [String: String]
        var moves: [SimpleLedger.Move]
    }

    var reports: [Report]
    var journal: [Entry]

    static func reports(_ file: URL) throws -> [Report] {
        let decoder = JSONDecoder()
        return try Data(contentsOf: file).split(separator: 10).map { try decoder.decode(Report.self, from: Data($0)) }
    }

    // MARK: - The journal

    private static let words = [
        "hold", "reverses", "account", "type", "floor", "ceiling", "status", "description", "redated_from", "expires_at", "closed_before",
    ]

    static func journal(_ book: TestBook) async throws -> [Entry] {
        let (entries, postings) = try await book.withOwner { connection in
            let entries = try await connection.query(
                """
                SELECT position, LOWER(HEX(id)), kind, `lines`, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', effective_at),
                TIMESTAMPDIFF(MICROSECOND, '1970-01-01', recorded_at), JSON_VALUE(payload, '$.hold'), JSON_VALUE(payload, '$.reverses'),
                JSON_VALUE(payload, '$.account'), JSON_VALUE(payload, '$.type'), JSON_VALUE(payload, '$.floor'),
                JSON_VALUE(payload, '$.ceiling'), JSON_VALUE(payload, '$.status'), JSON_VALUE(payload, '$.description'),
                TIMESTAMPDIFF(MICROSECOND, '1970-01-01', REPLACE(REPLACE(JSON_VALUE(payload, '$.redated_from'), 'T', ' '), 'Z', '')),
                TIMESTAMPDIFF(MICROSECOND, '1970-01-01', REPLACE(REPLACE(JSON_VALUE(payload, '$.expires_at'), 'T', ' '), 'Z', '')),
                TIMESTAMPDIFF(MICROSECOND, '1970-01-01', REPLACE(REPLACE(JSON_VALUE(payload, '$.closed_before'), 'T', ' '), 'Z', ''))
                FROM entry ORDER BY position
                """)
            let postings = try await connection.query(
                """
                SELECT p.position, d.path, c.path, p.amount, p.status FROM posting p
                JOIN account d ON d.id = p.debit JOIN account c ON c.id = p.credit ORDER BY p.position, p.line
                """)
            return (entries, postings)
        }
        var moves: [Int: [SimpleLedger.Move]] = [:]
        for row in postings {
            moves[Int(whole(row[0])!), default: []].append(
                SimpleLedger.Move(
                    debit: text(row[1])!, credit: text(row[2])!, amount: whole(row[3])!, status: .init(rawValue: Int(whole(row[4])!))!))
        }
        return entries.map { row in
            let position = Int(whole(row[0])!)
            var known: [String: String] = [:]
            for (index, word) in words.enumerated() { known[word] = text(row[6 + index]) }
            return Entry(
                position: position, id: text(row[1]), kind: text(row[2])!, lines: Int(whole(row[3])!), effectiveAt: whole(row[4])!,
                recordedAt: whole(row[5])!, words: known, moves: moves[position] ?? [])
        }
    }

    private static func whole(_ value: SQLValue) -> Int64? { text(value).flatMap { Int64($0) } }

    private static func text(_ value: SQLValue) -> String? {
        switch value {
        case .null: nil
        case .int(let number): String(number)
        case .uint(let number): String(number)
        case .text(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension History.Entry {
    /// What it does, for the simple ledger.
    func request(hold: (String) -> History.Entry?) -> SimpleLedger.Request {
        var request = SimpleLedger.Request(moves: moves, effectiveAt: effectiveAt)
        let number = { (word: String) in words[word].flatMap { Int64($0) } }
        switch kind {
        case "ledger.hold-captured", "ledger.hold-voided", "ledger.hold-expired":
            let id = words["hold"] ?? ""
            request.settles = (id, hold(id)?.words["expires_at"].flatMap { Int64($0) }, kind == "ledger.hold-expired")
        case "ledger.limits-set": request.newLimits = (words["account"]!, number("floor"), number("ceiling"))
        case "ledger.status-set": request.newStatus = (words["account"]!, words["status"]!)
        case "ledger.period-closed": request.newClosedBefore = number("closed_before")
        default:
            if moves.contains(where: { $0.status == .pending }) { request.expiresAt = number("expires_at") }
        }
        return request
    }
}

extension History.Report.Asked {
    var request: SimpleLedger.Request {
        .init(
            moves: moves.map { .init(debit: $0.debit, credit: $0.credit, amount: $0.amount, status: isHold ? .pending : .posted) },
            effectiveAt: effectiveAt, redates: isRedated, expiresAt: expiresAt)
    }

    /// The entry that stands is the one that was asked for.
    func isSame(as entry: History.Entry) -> Bool {
        let effective = entry.words["redated_from"].flatMap { Int64($0) } ?? entry.effectiveAt
        return kind == entry.kind && request.moves == entry.moves && note == entry.words["description"]
            && (effectiveAt == nil || effectiveAt == effective) && expiresAt == entry.words["expires_at"].flatMap { Int64($0) }
    }
}
