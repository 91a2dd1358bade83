import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Synchronization
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// kill -9 of whatever runs: afterwards the book is clean, nothing acknowledged is lost, nothing is there twice.
@Suite struct CrashTests {
    /// A book of the private server of a folder, as the command line uses it.
    private struct CommandBook {
        let folder: String
        let name: String
        let location: BookLocation
        var options: [String] { ["--folder", folder, "--book", name] }

        init(_ server: LocalMariaDB) async throws {
            folder = server.folder
            name = "k_" + UUID().uuidString.lowercased().prefix(8)
            #expect(try await Tool.run(["init", "--folder", folder, "--book", name]) == 0)
            let password = try String(contentsOfFile: folder + "/password", encoding: .utf8)
            location = try BookLocation(
                server: .socket(path: server.socketPath), book: name, user: "indelible", password: Secret(password))
        }

        func reconcile() async throws -> Reconciliation {
            let auditor = Auditor(location)
            let result = try await auditor.reconcile()
            await auditor.close()
            return result
        }
    }

    @Test func `a projector killed at 50 random moments counts everything once`() async throws {
        let book = try await CommandBook(try await TestServer.shared())
        let ledger = Ledger(book.location)
        try await ledger.openAccount("a", in: .eur, type: .asset)
        try await ledger.openAccount("b", in: .eur, type: .liability)
        var random = Seeded("projector kill")
        let stop = Mutex(false)
        async let posting: Int64 = {
            var posted: Int64 = 0
            while !stop.withLock({ $0 }) {
                let batch = (1...20).map { number in
                    Entry(kind: "t", postings: [Posting(debit: "a", credit: "b", amount: Amount(minorUnits: number, .eur))])
                }
                try await ledger.post(batch)
                posted += 210
                // Not so fast that one step takes longer than a projector lives here.
                try? await Task.sleep(for: .milliseconds(10))
            }
            return posted
        }()
        for _ in 0..<50 {
            let process = try Tool.start(["project", "run", "--quiet"] + book.options)
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...300, using: &random)))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        stop.withLock { $0 = true }
        let posted = try await posting
        let killedAt = try await Projector(book.location).status()
        #expect(killedAt.contains { $0.through > .zero }, "no projector got anything done before it was killed")
        #expect(try await Tool.run(["project", "once", "--quiet"] + book.options) == 0)
        #expect(try await ledger.balance(of: "b", in: .eur, at: .projected).minorUnits == Int128(posted))
        #expect(try await book.reconcile().verdict == .clean)
        #expect(try await Tool.run(["reconcile"] + book.options) == 0)
        await ledger.close()
    }

    @Test func `two projectors racing do each step once`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(4)
            let advanced = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        let projector = Projector(book.location)
                        var steps = 0
                        for _ in 0..<150 {
                            if case .advanced = try await projector.step() { steps += 1 }
                        }
                        await projector.close()
                        return steps
                    }
                }
                group.addTask {
                    for number in 1...100 {
                        try await book.ledger.post(transfer(accounts[number % 2], accounts[2 + number % 2], Int64(number)))
                    }
                    return 0
                }
                return try await group.reduce(0, +)
            }
            let checkpoints = try await book.number("SELECT COUNT(*) FROM checkpoint")
            #expect(checkpoints == advanced)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `the server killed during an import and during posts loses nothing and doubles nothing`() async throws {
        try await TestServer.withOwn { server in
            let book = try await CommandBook(server)
            let ledger = Ledger(book.location)
            try await ledger.openAccount("a", in: .eur, type: .asset)
            try await ledger.openAccount("b", in: .eur, type: .liability)
            let examples = repository.appendingPathComponent("docs/examples").path
            let files = ["accounts.csv", "journal-2025-q1.csv", "journal-2025-q2.csv", "journal-2025-q3.csv", "journal-2025-q4.jsonl"]
            let arguments = ["import", "--quiet"] + files.map { "\(examples)/\($0)" } + book.options

            let posting = Task { await Self.postUntilCancelled(ledger) }
            var random = Seeded("server kill")
            var running = server
            for _ in 0..<3 {
                let importing = try Tool.start(arguments)
                try await Task.sleep(for: .milliseconds(Int.random(in: 600...1800, using: &random)))
                running.kill()
                while importing.isRunning { try await Task.sleep(for: .milliseconds(5)) }
                running = try await LocalMariaDBAgain.start(server.folder)
            }
            posting.cancel()
            let (acknowledged, unknown) = await posting.value
            #expect(!acknowledged.isEmpty)

            // Asking again tells what became of those whose answer was lost; and posts them if nothing did.
            for entry in unknown { try await ledger.post(entry) }
            #expect(try await Tool.run(arguments) == 0)
            #expect(try await Tool.run(["project", "once", "--quiet"] + book.options) == 0)
            for receipt in acknowledged {
                #expect(try await ledger.entry(at: receipt.position)?.id == receipt.id)
            }
            var query = EntryQuery()
            query.kind = "crash.post"
            query.limit = 1_000_000
            let posts = try await ledger.entries(query)
            #expect(Set(posts.compactMap(\.id)) == Set(acknowledged.map(\.id)).union(unknown.map(\.id)))
            let result = try await book.reconcile()
            #expect(result.verdict == .clean, "\(result.checks.flatMap(\.findings)) \(result.notCovered)")
            // 9,282 entries in the example files (their README), each once.
            let imported = try await ledger.entries(Self.everything).filter { $0.kind != "crash.post" && !$0.kind.isReserved }
            #expect(imported.count == 9282)
            #expect(Set(imported.compactMap(\.id)).count == 9282)
            await ledger.close()
            #expect(try await evidence(server.folder) == 0)
        }
    }

    private static var everything: EntryQuery {
        var query = EntryQuery()
        query.limit = 1_000_000
        return query
    }

    /// Posts one entry after the other, whatever happens, and keeps the receipts and what got none.
    private static func postUntilCancelled(_ ledger: Ledger) async -> (receipts: [Receipt], unknown: [Entry]) {
        var receipts: [Receipt] = []
        var unknown: [Entry] = []
        while !Task.isCancelled {
            let entry = Entry(
                kind: "crash.post", postings: [Posting(debit: "a", credit: "b", amount: Amount(minorUnits: 1, .eur))])
            do { receipts.append(try await ledger.post(entry)) } catch {
                unknown.append(entry)
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        return (receipts, unknown)
    }
}

enum LocalMariaDBAgain {
    /// Starts the server of a folder again after it was killed.
    static func start(_ folder: String) async throws -> LocalMariaDB {
        try await LocalMariaDB.start(.init(folder: folder, idleShutdownSeconds: 120))
    }
}
