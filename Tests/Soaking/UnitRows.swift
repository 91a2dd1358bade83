import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver

/// The journal and the places in streams, by plain SQL.
enum UnitRows {
    static func read(_ book: TestBook) async throws -> UnitHistory {
        let connection = try await JobProof.connect(book)
        do {
            let history = try await read(connection)
            await connection.close()
            return history
        } catch {
            await connection.close()
            throw error
        }
    }

    private static func read(_ connection: MariaDBConnection) async throws -> UnitHistory {
        var history = UnitHistory()
        var places: [String: [UnitHistory.Place]] = [:]
        for row in try await connection.query("SELECT HEX(entry_id), stream, revision FROM stream_entry") {
            places[text(row[0]), default: []].append(.init(stream: text(row[1]), revision: JobProof.number(row[2]).map { UInt64($0) }))
        }
        var last: UInt64 = 0
        while true {
            let rows = try await connection.query(
                """
                SELECT position, HEX(id), kind, payload FROM entry WHERE position > \(last) AND id IS NOT NULL
                AND kind NOT IN ('ledger.account-opened', 'ledger.currency-defined') ORDER BY position LIMIT 20000
                """)
            if rows.isEmpty { break }
            let begin = history.rows.count
            for row in rows {
                let id = text(row[1])
                last = JobProof.number(row[0]).map { UInt64($0) } ?? 0
                history.rows.append(
                    .init(
                        position: last, id: id, kind: text(row[2]), payload: try SimpleJSON(text(row[3])), streams: places.removeValue(forKey: id) ?? []))
            }
            try await readMoves(connection, &history, begin)
        }
        history.orphans = places.values.joined().map { "\($0.stream) \($0.revision.map(String.init) ?? "")" }
        return history
    }

    /// The postings of what was read last.
    private static func readMoves(_ connection: MariaDBConnection, _ history: inout UnitHistory, _ begin: Int) async throws {
        var index: [UInt64: Int] = [:]
        for place in begin..<history.rows.count { index[history.rows[place].position] = place }
        let (first, last) = (history.rows[begin].position, history.rows[history.rows.count - 1].position)
        let rows = try await connection.query(
            """
            SELECT p.position, debit.path, credit.path, p.amount FROM posting p JOIN account debit ON debit.id = p.debit
            JOIN account credit ON credit.id = p.credit WHERE p.position BETWEEN \(first) AND \(last) ORDER BY p.position, p.line
            """)
        for row in rows {
            guard let position = JobProof.number(row[0]), let place = index[UInt64(position)], let amount = JobProof.number(row[3]) else {
                history.orphans.append("a posting at \(text(row[0]))")
                continue
            }
            history.rows[place].moves.append(.init(debit: text(row[1]), credit: text(row[2]), amount: Int64(amount)))
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
}

/// Follows the log of a program that runs units.
struct UnitLogReader {
    /// What was said last of each unit, by its label.
    private(set) var said: [String: UnitHistory.Said] = [:]
    private(set) var acknowledged = 0
    /// Lines that no program writes.
    private(set) var findings: [String] = []
    private let handle: FileHandle
    private var rest: [UInt8] = []

    init(_ path: String) throws {
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    }

    /// Reads what was added. A line without an end was never said.
    mutating func follow() throws {
        while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
            rest += data
            var start = 0
            while let end = rest[start...].firstIndex(of: 10) {
                hear(String(decoding: rest[start..<end], as: UTF8.self))
                start = end + 1
            }
            rest.removeFirst(start)
        }
    }

    func close() { try? handle.close() }

    private mutating func hear(_ line: String) {
        let words = line.split(separator: " ", maxSplits: 3).map(String.init)
        var news: UnitHistory.Said?
        if words.count > 1 {
            switch words[0] {
            case "begun": news = .begun
            case "unknown": news = .unknown
            case "done" where words.count == 3: news = .done(words[2])
            case "repeated" where words.count == 4: news = UInt64(words[3]).map { .repeated(key: words[2], position: $0) }
            case "refused" where words.count >= 3: news = .refused(words[2])
            default: break
            }
        }
        guard let news, said[words[1]] == (news == .begun ? nil : .begun) else { return findings.append("a log says “\(line)”") }
        said[words[1]] = news
        if case .done = news { acknowledged += 1 }
    }
}
