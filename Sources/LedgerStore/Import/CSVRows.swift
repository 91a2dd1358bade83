import LedgerModel

/// The rows of a CSV file under its header, and which of them belong together.
struct CSVRows {
    let columns: [String]
    let header: CSVReader.Record
    private let keyColumn: String
    private var reader: CSVReader
    /// The first row of the next group, read already.
    private var pending: Row?
    /// The line of an unreadable row just before, if the next group's first rows may be in it.
    private var doubtBefore: Int?

    /// - Parameter keyColumn: rows that follow each other and have the same text here belong together.
    /// - Throws: a problem in the header.
    init(_ bytes: [UInt8], keyColumn: (Set<String>) -> String) throws(ImportProblem) {
        reader = CSVReader(bytes)
        guard let header = reader.next() else {
            throw ImportProblem(line: 1, column: 1, reason: "the file is empty", text: "")
        }
        if let problem = header.problem { throw problem }
        self.header = header
        columns = header.fields.map(\.text)
        self.keyColumn = keyColumn(Set(columns))
        for (index, field) in header.fields.enumerated() where columns[..<index].contains(field.text) {
            throw problem("the column “\(field.text)” is there twice", field.column)
        }
    }

    /// A problem of the header.
    func problem(_ reason: String, _ column: Int) -> ImportProblem {
        ImportProblem(line: header.line, column: column, reason: reason, text: header.text)
    }

    /// - Throws: a problem for each column that is needed and not there, or there and not known.
    func check(needed: [String], known: [String], _ hint: String) throws(ImportProblem) {
        for name in needed where !columns.contains(name) {
            throw problem("the header has no column “\(name)”: \(hint)", 1)
        }
        for field in header.fields where !known.contains(field.text) {
            throw problem("the column “\(field.text)” is not known: \(known.joined(separator: ", "))", field.column)
        }
    }

    /// Rows that belong together.
    struct Group {
        let rows: [Row]
        /// The line of a row beside them that cannot be read and may belong to them.
        let doubt: Int?
        var text: String { rows.map(\.fields.row.text).joined(separator: "\n") }
        var first: Fields { rows[0].fields }

        /// The fields of all rows.
        /// - Throws: what is wrong with the form of one of them: one bad row refuses all, so that nothing is posted without
        ///   a part of it.
        func fields() throws(ImportProblem) -> [Fields] {
            for row in rows { if let problem = row.problem { throw problem } }
            if let doubt {
                throw first.problem("the row in line \(doubt) cannot be read and may belong to this entry", "")
            }
            return rows.map(\.fields)
        }
    }

    /// The next row alone.
    mutating func nextRow() -> Row? {
        if let pending {
            self.pending = nil
            return pending
        }
        return reader.next().map { Row(Fields(columns, $0), keyColumn) }
    }

    /// The next row, and those behind it with the same key. A row whose key cannot be read refuses the rows beside it too.
    mutating func nextGroup() -> Group? {
        guard let first = nextRow() else { return nil }
        var rows = [first]
        // An empty key is a problem of its own row.
        while let next = nextRow() {
            guard let key = first.key, !key.isEmpty, next.key == key else {
                pending = next
                break
            }
            rows.append(next)
        }
        let doubt = doubtBefore ?? pending.flatMap { $0.key == nil ? $0.fields.row.line : nil }
        doubtBefore = rows.last.flatMap { $0.hidesNext ? $0.fields.row.line : nil }
        return Group(rows: rows, doubt: doubt)
    }

    /// A row, or what is wrong with its form.
    struct Row {
        let fields: Fields
        let problem: ImportProblem?
        /// nil if the row is so wrong that its key is not certain.
        let key: String?

        init(_ fields: Fields, _ keyColumn: String) {
            self.fields = fields
            let row = fields.row
            let keyIndex = fields.columns.firstIndex(of: keyColumn) ?? 0
            if let unreadable = row.problem {
                problem = unreadable
                // The fields before the problem are certain.
                key = keyIndex < row.fields.count ? row.fields[keyIndex].text : nil
            } else if row.fields.count != fields.columns.count {
                let last = row.fields.last
                problem = ImportProblem(
                    line: last?.line ?? row.line, column: last?.column ?? 1,
                    reason: "\(row.fields.count) fields, and the header has \(fields.columns.count)", text: row.text)
                // Nobody knows where the field is missing or too much.
                key = keyIndex == 0 ? row.fields.first?.text : nil
            } else {
                problem = nil
                key = fields[keyColumn]
            }
        }

        /// A quote that is not closed in time may have taken in the rows behind.
        var hidesNext: Bool { problem != nil && (key == nil || fields.row.text.utf8.contains(UInt8(ascii: "\n"))) }
    }

    /// The fields of a row by the names of the header.
    struct Fields {
        let columns: [String]
        let row: CSVReader.Record

        init(_ columns: [String], _ row: CSVReader.Record) {
            self.columns = columns
            self.row = row
        }

        subscript(column: String) -> String {
            guard let index = columns.firstIndex(of: column), index < row.fields.count else { return "" }
            return row.fields[index].text
        }

        func optional(_ column: String) -> String? { self[column].isEmpty ? nil : self[column] }

        func place(_ column: String) -> (line: Int, column: Int) {
            guard let index = columns.firstIndex(of: column), index < row.fields.count else { return (row.line, 1) }
            return (row.fields[index].line, row.fields[index].column)
        }

        func problem(_ reason: String, _ column: String) -> ImportProblem {
            let place = place(column)
            return ImportProblem(line: place.line, column: place.column, reason: reason, text: row.text)
        }

        func parse<T>(_ column: String, _ read: (String) throws(LedgerError) -> T) throws(ImportProblem) -> T {
            do throws(LedgerError) { return try read(self[column]) } catch { throw problem(error.message, column) }
        }

        func record(_ content: ImportRecord.Content) -> ImportRecord {
            ImportRecord(content: content, line: row.line, places: ["": (row.line, 1)], text: row.text)
        }
    }
}
