/// Reads comma-separated values (RFC 4180) and knows the line and column of each field.
///
/// A refused file has to say where; the CSV packages at hand do not know, so this is our own. Fields may be quoted, quotes
/// in them are doubled, and line ends are LF or CRLF. A byte order mark is skipped; empty lines are passed over.
struct CSVReader {
    struct Field {
        var text: String
        /// From 1: where the field begins. A quoted field before it may have more than one line.
        var line: Int
        /// From 1, in bytes of that line.
        var column: Int
    }

    struct Record {
        /// All fields, or those before the problem.
        var fields: [Field]
        /// From 1: where the record begins.
        var line: Int
        /// The record as it stands in the file.
        var text: String
        /// Why it cannot be read.
        var problem: ImportProblem?
    }

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var lineStart = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { (index, lineStart) = (3, 3) }
    }

    /// The next record, or nil at the end. After one that cannot be read the rest of its line is passed over.
    mutating func next() -> Record? {
        while index < bytes.count, isLineEnd { skipLineEnd() }
        guard index < bytes.count else { return nil }
        var record = Record(fields: [], line: line, text: "")
        let start = index
        do throws(ImportProblem) {
            while true {
                let field = try field()
                // Behind bytes that are no text the structure goes on, and the text is needed no more.
                if let place = firstInvalid(from: field, to: index), record.problem == nil {
                    record.problem = ImportProblem(line: place.line, column: place.column, reason: "this is not UTF-8", text: "")
                }
                if record.problem == nil {
                    record.fields.append(
                        Field(text: String(decoding: field.content, as: UTF8.self), line: field.line, column: field.column))
                }
                guard index < bytes.count, bytes[index] == UInt8(ascii: ",") else { break }
                index += 1
            }
        } catch {
            record.problem = record.problem ?? error
            while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        }
        record.text = String(decoding: bytes[start..<index], as: UTF8.self)
        if let problem = record.problem {
            record.problem = ImportProblem(
                line: problem.line, column: problem.column, reason: problem.reason, text: record.text)
        }
        skipLineEnd()
        return record
    }

    private struct RawField {
        var content: [UInt8] = []
        let start: Int
        let line: Int
        let column: Int
    }

    private mutating func field() throws(ImportProblem) -> RawField {
        var field = RawField(start: index, line: line, column: index - lineStart + 1)
        if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
            index += 1
            while true {
                guard index < bytes.count else {
                    throw problem("a quoted field is not closed", field.line, field.column)
                }
                let byte = bytes[index]
                if byte == UInt8(ascii: "\"") {
                    if index + 1 < bytes.count, bytes[index + 1] == byte {
                        field.content.append(byte)
                        index += 2
                        continue
                    }
                    index += 1
                    break
                }
                if byte == UInt8(ascii: "\n") {
                    line += 1
                    lineStart = index + 1
                }
                field.content.append(byte)
                index += 1
            }
            guard index >= bytes.count || bytes[index] == UInt8(ascii: ",") || isLineEnd else {
                throw problem("text stands behind a closing quote", line, index - lineStart + 1)
            }
        } else {
            while index < bytes.count, bytes[index] != UInt8(ascii: ","), !isLineEnd {
                guard bytes[index] != UInt8(ascii: "\"") else {
                    throw problem(
                        "a quote stands in a field that does not begin with one", line, index - lineStart + 1)
                }
                field.content.append(bytes[index])
                index += 1
            }
        }
        return field
    }

    /// The place of the first byte of a field that is not UTF-8.
    private func firstInvalid(from field: RawField, to end: Int) -> (line: Int, column: Int)? {
        let raw = bytes[field.start..<end]
        guard let offset = UTF8Check.firstInvalid(raw) else { return nil }
        let before = raw.prefix(offset)
        guard let lineEnd = before.lastIndex(of: UInt8(ascii: "\n")) else { return (field.line, field.column + offset) }
        let lines = before.count { $0 == UInt8(ascii: "\n") }
        return (field.line + lines, field.start + offset - lineEnd)
    }

    private var isLineEnd: Bool {
        bytes[index] == UInt8(ascii: "\n")
            || bytes[index] == UInt8(ascii: "\r") && (index + 1 == bytes.count || bytes[index + 1] == UInt8(ascii: "\n"))
    }

    private mutating func skipLineEnd() {
        while index < bytes.count {
            index += 1
            if bytes[index - 1] == UInt8(ascii: "\n") {
                line += 1
                lineStart = index
                return
            }
        }
    }

    private func problem(_ reason: String, _ line: Int, _ column: Int) -> ImportProblem {
        ImportProblem(line: line, column: column, reason: reason, text: "")
    }
}

enum UTF8Check {
    /// How many bytes stand before the first sequence that is not UTF-8; nil if all of it is.
    static func firstInvalid(_ bytes: ArraySlice<UInt8>) -> Int? {
        var parser = Unicode.UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        var valid = 0
        while true {
            switch parser.parseScalar(from: &rest) {
            case .valid(let scalar): valid += scalar.count
            case .emptyInput: return nil
            case .error: return valid
            }
        }
    }
}
