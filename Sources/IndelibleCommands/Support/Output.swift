import Foundation
import Indelible

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The one place that prints: data to stdout, everything else to stderr.
enum Output {
    /// Prints a line of data. When the reader of a pipe has gone (`indelible … | head`) the program ends quietly; when the
    /// disk is full it says so.
    static func line(_ text: String) { write(text + "\n") }

    static func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = unsafe bytes.withUnsafeBytes { unsafe platformWrite(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written >= 0 {
                bytes = bytes.dropFirst(written)
            } else if errno == EPIPE {
                exit(ExitStatus.ok.rawValue)
            } else if errno != EINTR {
                note("indelible: cannot write the output: \(unsafe String(cString: strerror(errno)))")
                exit(ExitStatus.tryAgain.rawValue)
            }
        }
    }

    static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    static func flush() { fflush(nil) }

    static var isStderrTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    private static func platformWrite(_ file: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
        unsafe Glibc.write(file, start, count)
        #else
        unsafe Darwin.write(file, start, count)
        #endif
    }
}

/// Rows under a header, in the format that was asked for. Amounts are strings in all of them.
struct Table {
    enum Align { case left, right }
    struct Column {
        let name: String
        let align: Align
        /// A count or a position: a number in JSON. Amounts of money are not; they are strings.
        let isNumber: Bool
        init(_ name: String, _ align: Align = .left) {
            self.name = name
            self.align = align
            isNumber = false
        }
        private init(number name: String) {
            self.name = name
            align = .right
            isNumber = true
        }
        static func number(_ name: String) -> Column { Column(number: name) }
    }

    let columns: [Column]
    var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// People see a column only if it says something; programs always have it.
    mutating func dropEmpty(_ names: Set<String>, _ format: OutputFormat) {
        guard format == .table else { return }
        let kept = columns.indices.filter { index in
            !names.contains(columns[index].name) || rows.contains { !$0[index].isEmpty }
        }
        let shown = kept.map { columns[$0] }
        let cells = rows.map { row in kept.map { row[$0] } }
        self = Table(shown)
        rows = cells
    }

    func print(_ format: OutputFormat) {
        switch format {
        case .table: printAligned()
        case .csv:
            Output.line(columns.map(\.name).map(Self.csv).joined(separator: ","))
            for row in rows { Output.line(row.map(Self.csv).joined(separator: ",")) }
        case .json: Output.line(JSON.array(objects).text)
        }
    }

    var objects: [JSON] {
        rows.map { row in
            .object(
                Dictionary(
                    uniqueKeysWithValues: zip(columns, row).map { column, cell in
                        (column.name, column.isNumber ? Int64(cell).map(JSON.integer) ?? .string(cell) : .string(cell))
                    }))
        }
    }

    private func printAligned() {
        var widths = columns.map(\.name.count)
        for row in rows { for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) } }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { index, cell in
                let space = String(repeating: " ", count: widths[index] - cell.count)
                return columns[index].align == .right ? space + cell : cell + space
            }
            let text = padded.joined(separator: "  ")
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
        Output.line(line(columns.map { $0.name.uppercased() }))
        for row in rows { Output.line(line(row)) }
    }

    private static func csv(_ cell: String) -> String {
        // By bytes: CR LF is one Character, and neither of the two.
        cell.utf8.contains { ",\"\n\r".utf8.contains($0) } ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
    }
}

/// Progress on stderr, only when it is a terminal.
final class Progress {
    private let what: String
    private let isShown: Bool
    private var lastShown = ContinuousClock.now - .seconds(1)
    private let started = ContinuousClock.now
    private var isEnded = false

    init(_ what: String, isQuiet: Bool) {
        self.what = what
        isShown = Output.isStderrTerminal && !isQuiet
    }

    /// - Parameter start: so much was done before it began.
    func show(_ done: UInt64, of all: UInt64, from start: UInt64 = 0) {
        guard isShown, done >= all || lastShown.duration(to: .now) > .milliseconds(100) else { return }
        lastShown = .now
        let text = Self.text(done, of: all, from: start, after: started.duration(to: .now))
        FileHandle.standardError.write(Data("\r\u{1B}[K\(what) \(text)".utf8))
    }

    /// `300 of 1200 (25 %, 100/s, 9 s left)`.
    static func text(_ done: UInt64, of all: UInt64, from start: UInt64, after elapsed: Duration) -> String {
        let seconds = UInt64(max(0, elapsed.components.seconds))
        let rate = seconds == 0 ? 0 : (done - min(done, start)) / seconds
        let percent = all == 0 ? 100 : min(100, done * 100 / all)
        guard rate > 0 else { return "\(done) of \(all) (\(percent) %)" }
        let left = done >= all ? "" : ", \(duration((all - done + rate - 1) / rate)) left"
        return "\(done) of \(all) (\(percent) %, \(rate)/s\(left))"
    }

    /// `45 s`, `12 min`, `3 h 20 min`.
    static func duration(_ seconds: UInt64) -> String {
        if seconds < 120 { return "\(seconds) s" }
        let minutes = (seconds + 59) / 60
        return minutes < 120 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }

    func end() {
        guard isShown, !isEnded else { return }
        isEnded = true
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    }
}
