import Foundation
import Indelible
import IndelibleTesting
import MariaDBDriver

/// Rows as the first version of ``First`` has written them: stream, revision, kind, payload. They are never changed here, so that whatever is
/// changed in the library still reads them.
enum ParcelRows {
    static let rows = [
        #"parcel:7|1|parcel.registered|{"kilograms":2,"ledger":{"revision":1,"stream":"parcel:7","unit":"019aa8c62f8b7f0e8d0a4a6b1c2d3e4f","version":1},"to":"Zoë"}"#,
        #"parcel:7|2|parcel.moved|{"ledger":{"revision":2,"stream":"parcel:7","unit":"019aa8c62f8b7f0e8d0a4a6b1c2d3e4f","version":1},"place":"Graz"}"#,
        #"parcel:7|3|parcel.labelled|{"ledger":{"correlation":"order-9","revision":3,"stream":"parcel:7","unit":"019aa8c62f9c7a5d9e1b5b7c2d3e4f50","version":1},"printer":"P1"}"#,
        #"sender:bob|1|sender.saved|{"id":"bob","ledger":{"correlation":"order-9","revision":1,"stream":"sender:bob","unit":"019aa8c62f9c7a5d9e1b5b7c2d3e4f50","version":1},"mail":"bob@example.org"}"#,
        #"parcel:7|4|parcel.moved|{"ledger":{"revision":4,"stream":"parcel:7","unit":"019aa8c62fad7c4eaf2c6c8d3e4f5061","version":1},"place":"Wien"}"#,
    ]

    /// Puts them into a book without asking the library.
    static func write(_ book: TestBook) async throws {
        for (index, row) in rows.enumerated() { try await insert(book, index + 1, row) }
    }

    static func insert(_ book: TestBook, _ position: Int, _ row: String) async throws {
        let parts = row.split(separator: "|", maxSplits: 3).map(String.init)
        let id = [UInt8](repeating: UInt8(position), count: 16)
        let revision = UInt64(parts[1]) ?? 0
        try await book.withOwner { connection in
            _ = try await connection.query("INSERT INTO stream_entry (stream, entry_id, revision) VALUES (\(parts[0]), \(id), \(revision))")
            _ = try await connection.query("INSERT INTO entry (position, id, kind, payload) VALUES (\(position), \(id), \(parts[2]), \(parts[3]))")
        }
    }

    /// The journal in the same form.
    static func read(_ book: TestBook) async throws -> [String] {
        try await texts(
            book,
            """
            SELECT s.stream, s.revision, e.kind, e.payload FROM entry e LEFT JOIN stream_entry s ON s.entry_id = e.id
            WHERE e.id IS NOT NULL ORDER BY e.position
            """)
    }

    /// Everything that there is about each entry.
    static func whole(_ book: TestBook) async throws -> [String] {
        try await texts(
            book,
            """
            SELECT e.position, HEX(e.id), e.kind, e.`lines`, e.effective_at, e.recorded_at, e.payload, s.stream, HEX(s.entry_id), s.revision
            FROM entry e LEFT JOIN stream_entry s ON s.entry_id = e.id ORDER BY e.position
            """)
    }

    static func texts(_ book: TestBook, _ sql: SQL) async throws -> [String] {
        try await book.withOwner { connection in
            try await connection.query(sql).map { row in (0..<row.count).map { text(row[$0]) }.joined(separator: "|") }
        }
    }

    private static func text(_ value: SQLValue) -> String {
        switch value {
        case .text(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .int(let number): "\(number)"
        case .uint(let number): "\(number)"
        case .null: ""
        }
    }

    /// Without the names of units, which are others each time.
    static func masked(_ row: String) -> String { row.replacing(/"unit":"[0-9a-f]{32}"/, with: #""unit":"…""#) }
}
