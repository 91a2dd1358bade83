/// Reads comma-separated values (RFC 4180) and knows the line and column of each field.
///
/// A refused file has to say where; the CSV packages at hand do not know, so this is our own. Fields may be quoted, quotes
/// in them are doubled, and line ends are LF or CRLF. A byte order mark is skipped; empty lines are passed over.
struct CSVReader {
    struct Field {
        var text: String
        /// From 1, in bytes of the line where the field begins.
        var column: Int
    }

    struct Record {
        var fields: [Field]
        /// From 1: where the record begins.
        var line: Int
        /// The record as it stands in the file.
        var text: String
    }

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var lineStart = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { (index, lineStart) = (3, 3) }
    }

    /// The next record, or nil at the end. After a problem the rest of its line is passed over.
    mutating func next() throws(ImportProblem) -> Record? {
        while index < bytes.count, isLineEnd { skipLineEnd() }
        guard index < bytes.count else { return nil }
        let (start, startLine) = (index, line)
        var fields: [Field] = []
        while true {
            fields.append(try field(recordStart: start, recordLine: startLine))
            guard index < bytes.count, bytes[index] == UInt8(ascii: ",") else { break }
            index += 1
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        skipLineEnd()
        return Record(fields: fields, line: startLine, text: text)
    }

    private mutating func field(recordStart: Int, recordLine: Int) throws(ImportProblem) -> Field {
        let column = index - lineStart + 1
        let (startLine, startLineStart) = (line, lineStart)
        var content: [UInt8] = []
        let contentStart = index
        if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
            index += 1
            while true {
                guard index < bytes.count else {
                    throw problem("a quoted field is not closed", startLine, column, recordStart)
                }
                let byte = bytes[index]
                if byte == UInt8(ascii: "\"") {
                    if index + 1 < bytes.count, bytes[index + 1] == byte {
                        content.append(byte)
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
                content.append(byte)
                index += 1
            }
            guard index >= bytes.count || bytes[index] == UInt8(ascii: ",") || isLineEnd else {
                throw problem("text stands behind a closing quote", line, index - lineStart + 1, recordStart)
            }
        } else {
            while index < bytes.count, bytes[index] != UInt8(ascii: ","), !isLineEnd {
                guard bytes[index] != UInt8(ascii: "\"") else {
                    throw problem(
                        "a quote stands in a field that does not begin with one", line, index - lineStart + 1, recordStart)
                }
                content.append(bytes[index])
                index += 1
            }
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            let wrong = content.indices.first { String(validating: content[...$0], as: UTF8.self) == nil
                && !UTF8Check.mayContinue(content[...$0]) } ?? 0
            throw problem("this is not UTF-8", startLine, contentStart - startLineStart + 1 + wrong, recordStart)
        }
        return Field(text: text, column: column)
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

    private mutating func problem(_ reason: String, _ line: Int, _ column: Int, _ recordStart: Int) -> ImportProblem {
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        let text = String(decoding: bytes[recordStart..<index], as: UTF8.self)
        skipLineEnd()
        return ImportProblem(line: line, column: column, reason: reason, text: text)
    }
}

enum UTF8Check {
    /// True if the bytes may be the beginning of valid UTF-8 whose last character is not complete.
    static func mayContinue(_ bytes: ArraySlice<UInt8>) -> Bool {
        for length in 1...3 where bytes.count >= length {
            let tail = bytes.suffix(length)
            guard let lead = tail.first, lead >= 0xC2 else { continue }
            let needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
            guard needed > length, tail.dropFirst().allSatisfy({ $0 & 0xC0 == 0x80 }) else { continue }
            return String(validating: bytes.dropLast(length), as: UTF8.self) != nil
        }
        return false
    }
}
