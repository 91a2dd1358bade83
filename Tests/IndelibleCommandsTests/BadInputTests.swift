import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

/// Whatever is wrong in the input is refused with a code and a reason, and nothing is written for it.
@Suite struct BadInputTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let what: String
        let arguments: String
        let status: Int32
        let message: String
        var input = ""
        init(_ what: String, _ arguments: String, _ status: Int32, _ message: String, input: String = "") {
            (self.what, self.arguments, self.status, self.message, self.input) = (what, arguments, status, message, input)
        }
        var testDescription: String { what }
    }

    /// A good post, but for what the row says after it: the last option wins.
    private static let post = "post --key new --debit cash --credit alice --amount 1.00 --currency EUR"

    static let rows: [Row] = [
        // Entries.
        .init("unknown account", "\(post) --credit nobody", 65, "there is no account nobody in EUR: open it first"),
        .init("currency mismatch", "\(post) --credit bob", 65, "the account bob is in USD, not in EUR"),
        .init("zero", "\(post) --amount 0", 65, "it must be more than 0"),
        .init("negative", "\(post) --amount=-1", 65, "it must be more than 0"),
        .init("overflow", "\(post) --amount 92233720368547758.08", 65, "does not fit into 64 bits"),
        .init("far overflow", "\(post) --amount 99999999999999999999999", 65, "does not fit into 64 bits"),
        .init("too many decimals", "\(post) --amount 1.234", 65, "3 decimals, and EUR has 2"),
        .init("an exponent", "\(post) --amount 1e3", 65, "write digits only"),
        .init("a comma", "\(post) --amount 1,5", 65, "write digits only"),
        .init("no digits", "\(post) --amount .", 65, "write digits"),
        .init("debit = credit", "\(post) --credit cash", 65, "debit and credit are the same account, cash"),
        .init("unknown currency", "\(post) --currency XXX", 65, "the book has no currency XXX"),
        .init("bad currency", "\(post) --currency E/R", 65, "“E/R” is no currency code"),
        .init("bad account path", "\(post) --debit cash:", 65, "a segment between two : is empty"),
        .init("invisible character", "\(post) --debit ca\u{200B}sh", 65, "a character that cannot be seen (U+200B)"),
        .init("a stream without an id", "entry find --stream story", 65, "“story” is no name of a stream: write category:id"),
        .init("a stream with a bad category", "entry find --stream Story:1", 65, "“Story” is no category of streams"),
        .init("bad kind", "\(post) --kind ü", 65, "kind"),
        .init("reserved kind", "\(post) --kind ledger.tombstone", 65, "reserved"),
        .init("bad time", "\(post) --effective-at yesterday", 65, "“yesterday” is no time"),
        .init("no such day", "\(post) --effective-at 2026-02-30", 65, "“2026-02-30” is no time"),
        .init("conflict: amount", "\(post) --key standing --amount 2", 65, "stands for another entry"),
        .init("conflict: kind", "\(post) --key standing --kind other", 65, "its kind is posted, asked: other"),
        .init(
            "conflict: payload", "\(post) --key standing --actor eve", 65, "its payload is none, asked: {\"actor\":\"eve\"}"),
        // Entries as JSON.
        .init("not JSON", "post --json", 65, "standard input:1:2: this is not JSON", input: "{nope"),
        .init("no object", "post --json", 65, "a line is one JSON object", input: "[]"),
        .init("nothing", "post --json", 65, "there is no entry in it"),
        .init("a number as key", "post --json", 65, "“key” is a string, in quotes", input: #"{"key":1}"#),
        .init("unknown member", "post --json", 65, "“amount” is not known", input: #"{"key":"a","amount":"1"}"#),
        .init(
            "a number as amount", "post --json", 65, "“amount” is a string, in quotes",
            input: #"{"key":"a","postings":[{"debit":"cash","credit":"alice","amount":1.5,"currency":"EUR"}]}"#),
        .init(
            "unknown account in JSON", "post --json", 65, "there is no account nobody in EUR",
            input: #"{"key":"a","postings":[{"debit":"cash","credit":"nobody","amount":"1","currency":"EUR"}]}"#),
        .init("two entries", "post --json", 65, "only one entry is expected", input: "{\"key\":\"a\"}\n{\"key\":\"b\"}"),
        // Accounts and currencies.
        .init("another type", "account open cash EUR --type liability", 65, "open already, as asset; asked: liability"),
        .init("currency of nobody", "account open x PTS --type asset", 65, "the book has no currency PTS"),
        .init("no account below", "balance nowhere", 65, "there is no account nowhere"),
        .init("no account to show", "account show nowhere", 65, "there is no account nowhere"),
        .init("another exponent", "currency define EUR --exponent 3", 65, "the exponent 2 in this book; asked: 3"),
        .init("exponent too large", "currency define PTS --exponent 19", 65, "it can be 0 to 18"),
        // What is not there.
        .init("no such entry", "entry show nope", 65, "there is no such entry"),
        .init("no such position", "entry show --position 999999", 65, "there is no such entry"),
        .init("position in the future", "balance --at 999999", 65, "position 999999 is not decided yet"),
        .init("no such file", "import nowhere.csv", 65, "the file nowhere.csv cannot be read"),
        .init("no such password file", "balance --password-file nowhere", 65, "the password file nowhere cannot be read"),
        // Addresses: the password would stand where others can read it.
        .init("not an address", "balance --database http://host/book", 65, "this is no database address: write mariadb://"),
        .init("no book in the address", "balance --database mariadb://u@host/", 65, "the address names no book"),
        .init("port out of range", "balance --database mariadb://u@host:99999/book", 65, "the port is not one"),
        .init("book of a bad name", "balance --database mariadb://u@host/Book-1", 65, "“Book-1” is no name of a book"),
        .init("no such host", "balance --database mariadb://u@no-such-host.invalid/book", 69, "no-such-host.invalid"),
        .init("port closed", "balance --database mariadb://u@127.0.0.1:1/book", 69, "no database answers"),
        .init(
            "no book in the folder", "balance --folder empty", 69, "there is no book in empty: create one with `indelible init`"),
        // The command line.
        .init("unknown verb", "transfer", 64, "Unexpected argument 'transfer'"),
        .init("unknown option", "balance --fast", 64, "Unknown option '--fast'"),
        .init("option without value", "\(post) --amount", 64, "Missing value for '--amount"),
        .init("options left out", "post --debit cash", 64, "Give --debit, --credit, --amount and --currency, or --json."),
        .init("unknown format", "balance --format xml", 64, "The value 'xml' is invalid"),
        .init("unknown type", "account open x EUR --type debt", 64, "The value 'debt' is invalid"),
        .init("no time of a balance", "balance --at never", 64, "--at is current, projected or a position, not “never”"),
        .init("an id that is none", "entry show --id xyz", 64, "“xyz” is no id: 32 hexadecimal digits"),
        .init("which entry", "entry show", 64, "Give a key, --id or --position."),
        .init("two ways to one entry", "entry show nope --position 1", 64, "Give a key, --id or --position."),
        .init("unknown kind of file", "import journal.txt", 64, "ends neither in .csv nor in .jsonl"),
        .init("reconcile as CSV", "reconcile --format csv", 64, "reconcile prints a table or JSON"),
        .init(
            "two places", "balance --book b --database mariadb://u@host/book", 64, "--book names a book of the private server"),
    ]

    @Test(arguments: rows) func `bad input is refused and writes nothing`(_ row: Row) async throws {
        let book = try await standing.value
        var arguments = row.arguments.split(separator: " ").map(String.init)
        var environment: [String: String] = [:]
        if !row.arguments.contains("--folder"), !row.arguments.contains("--database") {
            environment = ["INDELIBLE_FOLDER": book.folder, "INDELIBLE_BOOK": book.name]
        }
        // The options of the post stay good but for the one that is said again.
        if arguments[0] == "post" { arguments = Self.lastWins(arguments) }
        expectFailure(
            try await indelible(arguments, environment: environment, input: row.input), row.status, row.message, row.what)
        #expect(try await book.entries() == book.entriesAtStart, "\(row.what) wrote an entry")
    }

    @Test func `a password inside an address is refused and not repeated`() async throws {
        let arguments = ["balance", "--database", "mariadb://u:geheim123@127.0.0.1:1/book"]
        expectFailure(
            try await indelible(arguments), 65, "a password does not belong into the address", secret: "geheim123", "address")
    }

    private static func lastWins(_ arguments: [String]) -> [String] {
        var kept: [String] = []
        for argument in arguments {
            let name = argument.prefix { $0 != "=" }
            if name.hasPrefix("--"), let old = kept.firstIndex(of: String(name)), old + 1 < kept.count {
                kept.removeSubrange(old...old + 1)
            }
            kept.append(argument)
        }
        return kept
    }
}

/// A book with an asset and a liability in EUR, one in USD, and an entry with the key `standing`.
struct StandingBook: Sendable {
    let server: LocalMariaDB
    let name: String
    let entriesAtStart: String
    var folder: String { server.folder }

    func entries() async throws -> String { try await sql(server, "SELECT COUNT(*) FROM \(name).entry")[0] }

    static func make() async throws -> StandingBook {
        let server = try await TestServer.shared()
        let name = bookName()
        let place = ["--folder", server.folder, "--book", name]
        for arguments in [
            ["init"], ["account", "open", "cash", "EUR", "--type", "asset"],
            ["account", "open", "alice", "EUR", "--type", "liability"],
            ["account", "open", "bob", "USD", "--type", "liability"],
            ["post", "--key", "standing", "--debit", "cash", "--credit", "alice", "--amount", "1.00", "--currency", "EUR"],
        ] {
            let finished = try await indelible(arguments + place)
            guard finished.status == 0 else { throw TestFailure("\(arguments): \(finished.all)") }
        }
        return StandingBook(
            server: server, name: name, entriesAtStart: try await sql(server, "SELECT COUNT(*) FROM \(name).entry")[0])
    }
}

/// The book of all tests whose commands write nothing.
let standing = Task { try await StandingBook.make() }
