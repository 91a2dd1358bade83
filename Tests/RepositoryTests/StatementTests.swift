import Foundation
import Testing

/// INSERT is the only verb: no file holds a statement that changes or removes a row.
@Suite struct StatementTests {
    /// What such a statement looks like, wherever it stands in a line.
    private static func isForbidden(_ text: some StringProtocol) -> Bool {
        let text = text.uppercased()
        let patterns: [Regex<Substring>] = [
            /\bUPDATE\s+[`\w.{}\\(]+\s+SET\b/, /\bDELETE\s+FROM\b/, /\bREPLACE\s+INTO\b/, /\bON\s+DUPLICATE\s+KEY\b/, /\bTRUNCATE\b/,
            /\bGET_LOCK\b/, /["(]\s*(?:UPDATE|DELETE|REPLACE)\s/, /^\s*(?:UPDATE|DELETE|REPLACE)\b/,
        ]
        return patterns.contains { text.contains($0) }
    }

    @Test func `no source and no file of sql changes or removes a row`() throws {
        let files = try Repository.sources() + Repository.files(in: "sql", ".sql")
        #expect(files.count > 80)
        for file in files {
            // A statement may be broken over lines, so the text is looked at as a whole and line by line.
            let code = Self.withoutComments(file)
            for (number, line) in code.enumerated() where Self.isForbidden(Self.withoutTriggers(line)) {
                Issue.record("\(file.path):\(number + 1): \(line)")
            }
            let whole = code.map(Self.withoutTriggers).joined(separator: " ")
            #expect(!whole.uppercased().contains(/\bON\s+DUPLICATE\s+KEY\s+UPDATE\b|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\b/), "\(file.path)")
        }
    }

    @Test(arguments: [
        "UPDATE entry SET kind = 'x'", "update `entry` set kind = 'x'", "DELETE FROM entry", "delete  from entry",
        "REPLACE INTO entry VALUES (1)", "INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE n = 2", "TRUNCATE entry",
        "let sql: SQL = \"UPDATE \\(identifier: table) SET n = 1\"", "query(\"DELETE entry FROM entry\")", "SELECT GET_LOCK('a', 1)",
    ])
    func `a forbidden statement is recognised`(_ text: String) { #expect(Self.isForbidden(text)) }

    @Test(arguments: [
        "SELECT position FROM entry FOR UPDATE", "INSERT IGNORE INTO entry (position, kind) VALUES (1, 'a')",
        "text.replacing(\"a\", with: \"b\")", "[\"UPDATE\", \"DELETE\"].map { $0 }", "bank.updated(set)",
    ])
    func `an innocent line is not`(_ text: String) { #expect(!Self.isForbidden(text)) }

    @Test func `INSERT IGNORE is written once, for tombstones`() throws {
        let places = try Repository.sources().flatMap { file in
            Self.withoutComments(file).filter { $0.uppercased().contains("INSERT IGNORE") }.map { "\(file.path): \($0)" }
        }
        #expect(places.count == 1)
        #expect(places.first?.contains("Sources/LedgerDatabase/InsertOnlySQL.swift") == true)
        #expect(places.first?.contains("INSERT IGNORE INTO entry (position, kind) VALUES") == true)
    }

    @Test func `every trigger is one against UPDATE or DELETE, and every table has both`() throws {
        for file in try Repository.files(in: "sql", ".sql") {
            var tables = file.text.matches(of: /CREATE TABLE IF NOT EXISTS (\S+)/).map { String($0.1) }.sorted()
            // Every table of a generation gets those of generation_guards.
            if file.path.hasSuffix("generation_guards.sql") { tables = ["{table}"] } else if file.path.contains("generation_") { tables = [] }
            for verb in ["UPDATE", "DELETE"] {
                let pattern = try Regex<(Substring, Substring)>("BEFORE \(verb) ON (\\S+) FOR EACH ROW SIGNAL SQLSTATE '45000'")
                #expect(file.text.matches(of: pattern).map { String($0.output.1) }.sorted() == tables, "\(file.path): \(verb)")
            }
        }
    }

    private static func withoutComments(_ file: Repository.File) -> [String] {
        let mark = file.path.hasSuffix(".sql") ? "--" : "//"
        return file.lines.map { line in
            line.drop { $0 == " " }.hasPrefix(mark) ? "" : line.firstRange(of: " " + mark).map { String(line[..<$0.lowerBound]) } ?? String(line)
        }
    }

    private static func withoutTriggers(_ line: String) -> String {
        line.replacing(/BEFORE (UPDATE|DELETE) ON/, with: "").replacing(/SET MESSAGE_TEXT = '[^']*'/, with: "")
    }
}
