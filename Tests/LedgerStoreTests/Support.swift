import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

extension TestBook {
    /// A connection of the owner, with the driver's general SQL: for looking, and for doing what the ledger never does.
    func withOwner<T>(_ body: (MariaDBConnection) async throws -> T) async throws -> T {
        try await withConnection(role: nil, user: server.adminUser, password: "", body)
    }

    /// A connection of the book's login in one of its roles, with the driver's general SQL.
    func withConnection<T>(
        role: BookRole?, user: String? = nil, password: String? = nil, _ body: (MariaDBConnection) async throws -> T
    ) async throws -> T {
        let connection = try await MariaDBConnection.connect(
            ConnectionConfiguration(
                address: .socket(server.socketPath), user: user ?? location.user,
                password: Password(password ?? self.password), database: name, role: role?.name(book: name)))
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Opens `count` accounts in EUR: `a0`, `a1` …
    func openAccounts(_ count: Int) async throws -> [Account] {
        var accounts: [Account] = []
        for number in 0..<count {
            accounts.append(
                try await ledger.openAccount(try AccountPath("a\(number)"), in: .eur, type: .liability))
        }
        return accounts
    }

    /// The number that the first row's first column holds, by a query of the owner.
    func number(_ sql: SQL) async throws -> Int {
        try await withOwner { connection in
            switch try await connection.query(sql)[0][0] {
            case .int(let number): Int(number)
            case .uint(let number): Int(number)
            case .text(let text): Int(text) ?? -1
            default: 0
            }
        }
    }
}

/// A random generator that a failing test can be run again with: its seed is printed.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    let seed: UInt64

    init(_ name: String) {
        let given = ProcessInfo.processInfo.environment["INDELIBLE_SEED"].flatMap(UInt64.init)
        self.init(seed: given ?? UInt64.random(in: 1...UInt64(UInt32.max)))
        print("\(name): INDELIBLE_SEED=\(seed)")
    }

    init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func transfer(
    _ from: Account, _ to: Account, _ minorUnits: Int64, id: EntryID = .minted(), kind: EntryKind = "transfer"
) -> Entry {
    Entry(
        id: id, kind: kind,
        postings: [Posting(debit: to.path, credit: from.path, amount: Amount(minorUnits: minorUnits, .eur))])
}

extension Draft {
    /// A transfer with its accounts found already.
    init(_ from: Account, _ to: Account, _ minorUnits: Int64) {
        let entry = transfer(from, to, minorUnits)
        self.init(
            id: entry.id, kind: entry.kind, payload: nil,
            postings: [JournalPosting(line: 1, debit: to.id, credit: from.id, amount: UInt64(minorUnits), status: .posted)],
            account: { [from.id: from, to.id: to][$0] })
    }
}

/// The `indelible` that was built with these tests.
enum Tool {
    static var path: String { path(of: "indelible") }

    static func path(of program: String) -> String {
        Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }?.deletingLastPathComponent()
            .appendingPathComponent(program).path
            ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent(program).path
    }

    /// Starts it. The caller waits for it or kills it.
    static func start(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Runs it to its end; what it said is printed if it failed.
    static func run(_ arguments: [String], program: String = "indelible") async throws -> Int32 {
        let log = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: log) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path(of: program))
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: log)
        process.standardError = process.standardOutput
        try process.run()
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        if process.terminationStatus != 0 {
            print("indelible \(arguments.joined(separator: " ")): \(process.terminationReason) \(process.terminationStatus)")
            print((try? String(contentsOf: log, encoding: .utf8)) ?? "")
        }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
}

/// The repository's folder.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// Runs `scripts/evidence` on a server's folder; its exit code.
func evidence(_ folder: String) async throws -> Int32 {
    let process = Process()
    process.executableURL = repository.appendingPathComponent("scripts/evidence")
    process.arguments = [folder]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
    return process.terminationStatus
}
