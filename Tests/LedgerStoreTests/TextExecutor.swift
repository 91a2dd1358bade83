import CMariaDB
import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB

/// An application's own way to its database, which shares nothing with the library's: the C client's text protocol, with values
/// written into the statement.
@safe final class TextExecutor: SQLExecutor {
    private let handle: UnsafeMutablePointer<MYSQL>

    init(_ book: TestBook, user: String, password: String, role: String?) throws(DatabaseError) {
        guard let handle = unsafe mysql_init(nil) else { throw DatabaseError(kind: .other, message: "out of memory") }
        unsafe self.handle = handle
        unsafe mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        guard unsafe mysql_real_connect(handle, nil, user, password, nil, 0, book.server.socketPath, 0) != nil else { throw failure() }
        if let role { try query("SET ROLE `\(role)`") }
        try query("USE `\(book.name)`")
    }

    deinit { unsafe mysql_close(handle) }

    /// A connection as the book's writer, on a thread of its own: who waits for a lock there keeps nobody else from working.
    static func with<T: Sendable>(_ book: TestBook, _ body: @escaping @Sendable (TextExecutor) throws -> T) async throws -> T {
        let role = BookRole.writer.name(book: book.name)
        return try await onThread { try body(try TextExecutor(book, user: book.location.user, password: book.password, role: role)) }
    }

    /// A connection as the server's administrator.
    static func withOwner<T: Sendable>(_ book: TestBook, _ body: @escaping @Sendable (TextExecutor) throws -> T) async throws -> T {
        try await onThread { try body(try TextExecutor(book, user: book.server.adminUser, password: "", role: nil)) }
    }

    private static func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result { try body() }) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    // MARK: - Statements

    @discardableResult
    func run(_ statement: InsertOnlySQL) throws(DatabaseError) -> Rows { try query(Self.filled(statement)) }

    /// Runs `body` in a transaction and commits it; rolls it back if `body` throws.
    func transaction<T>(_ isolation: String = "READ COMMITTED", begin: String = "START TRANSACTION", _ body: () throws -> T) throws -> T {
        try query("SET SESSION TRANSACTION ISOLATION LEVEL \(isolation)")
        try query(begin)
        do {
            let result = try body()
            try query("COMMIT")
            return result
        } catch {
            _ = try? query("ROLLBACK")
            throw error
        }
    }

    /// Any statement, with the rows that it gives.
    @discardableResult
    func query(_ text: String) throws(DatabaseError) -> Rows {
        guard unsafe text.withCString({ unsafe mysql_real_query(handle, $0, UInt(text.utf8.count)) }) == 0 else { throw failure() }
        guard let result = unsafe mysql_store_result(handle) else {
            guard unsafe mysql_errno(handle) == 0 else { throw failure() }
            return unsafe Rows(
                columns: [], values: [], affectedRows: UInt64(mysql_affected_rows(handle)), lastInsertID: UInt64(mysql_insert_id(handle)))
        }
        defer { unsafe mysql_free_result(result) }
        let count = unsafe Int(mysql_num_fields(result))
        guard let fields = unsafe mysql_fetch_fields(result) else { throw failure() }
        var values: [LedgerValue] = []
        while let row = unsafe mysql_fetch_row(result), let lengths = unsafe mysql_fetch_lengths(result) {
            for column in 0..<count {
                let bytes = unsafe row[column].map { start in
                    unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: Int(lengths[column])))
                }
                values.append(unsafe Self.value(bytes, fields[column]))
            }
        }
        return Rows(
            columns: (0..<count).map { unsafe String(cString: fields[$0].name) }, values: values, affectedRows: 0, lastInsertID: 0)
    }

    /// The number in the first column of the first row.
    func number(_ text: String) throws -> Int64 { Int64(try query(text)[0].decimal(0)) }

    // MARK: - Values

    /// The statement with its values in place of every `?`.
    private static func filled(_ statement: InsertOnlySQL) -> String {
        let parts = statement.text.split(separator: "?", omittingEmptySubsequences: false)
        precondition(parts.count == statement.values.count + 1, "every ? has its value")
        return zip(parts, statement.values.map(literal) + [""]).map { $0 + $1 }.joined()
    }

    private static func literal(_ value: LedgerValue) -> String {
        switch value.content {
        case .null: "NULL"
        case .int(let number): String(number)
        case .uint(let number): String(number)
        case .text(let text): "'" + text.map(escaped).joined() + "'"
        case .bytes(let bytes): "x'" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "'"
        }
    }

    private static func escaped(_ character: Character) -> String {
        switch character {
        case "'": "''"
        case "\\": "\\\\"
        case "\0": "\\0"
        default: String(character)
        }
    }

    private static func value(_ bytes: [UInt8]?, _ field: MYSQL_FIELD) -> LedgerValue {
        guard let bytes else { return .null }
        let text = String(decoding: bytes, as: UTF8.self)
        switch unsafe field.type {
        case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_YEAR:
            return unsafe field.flags & UInt32(UNSIGNED_FLAG) != 0 ? .uint(UInt64(text) ?? 0) : .int(Int64(text))
        case MYSQL_TYPE_STRING, MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_BLOB, MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_LONG_BLOB:
            // 63 is the character set of bytes.
            return unsafe field.charsetnr == 63 ? .bytes(bytes) : .text(text)
        default: return .text(text)
        }
    }

    private func failure() -> DatabaseError {
        let (number, message) = unsafe (mysql_errno(handle), String(cString: mysql_error(handle)))
        let kind: DatabaseError.Kind =
            switch number {
            case 1062: .duplicateKey(String(message.split(separator: "'").last ?? ""))
            case 1205: .lockWaitTimeout
            case 1213, 1020, 1467: .tryAgain
            case 2006, 2013: .connectionLost
            case 1044, 1045, 1142, 1143: .denied
            case 4025, 1264, 1406, 1644: .refusedRow
            default: .other
            }
        return DatabaseError(kind: kind, number: number, message: message)
    }
}
