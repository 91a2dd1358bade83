import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Random concurrent histories of several programs, and a single-threaded ledger that agrees with every answer.
@Suite struct ModelTests {
    @Test(.timeLimit(.minutes(3))) func `a ledger too simple to be wrong agrees with every answer of three programs`() async throws {
        let random = Seeded("model")
        try await withBook { book in
            let history = try await Self.history(book, seed: random.seed, programs: 3, tasks: 4, count: 100)
            let checker = HistoryChecker(history)
            print(checker.counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))
            if !checker.findings.isEmpty { print("The book is \(book.name); what its writers said is in \(FileManager.default.temporaryDirectory.path)/\(book.name)-*") }
            for finding in checker.findings.prefix(20) { Issue.record("INDELIBLE_SEED=\(random.seed): \(finding)") }
            #expect(checker.findings.count == 0)
            let (told, untold) = (checker.counts[HistoryChecker.told] ?? 0, checker.counts[HistoryChecker.untold] ?? 0)
            #expect(told > 500 && untold * 20 < told, "\(untold) of \(told + untold) answers could not be told right from wrong")
            try await Self.checkEnd(book, checker)
        }
    }

    /// What is done to a good history, and what of it has to be found.
    private static let tampers: [(name: String, found: String, tamper: @Sendable (inout History) -> Void)] = [
        ("a draw more", "limitExceeded", { history in
            let last = history.journal[history.journal.count - 1]
            let draw = SimpleLedger.Move(debit: "alice", credit: "cash", amount: 1_000_000, status: .posted)
            history.journal.append(
                History.Entry(
                    position: last.position + 1, id: "ff", kind: "own", lines: 1, effectiveAt: last.effectiveAt, recordedAt: last.recordedAt,
                    words: [:], moves: [draw]))
        }),
        ("an acknowledged entry lost", "is lost", { history in
            let place = history.journal.firstIndex { $0.kind == "own" }!
            let lost = history.journal[place]
            history.journal[place] = History.Entry(
                position: lost.position, id: nil, kind: "ledger.tombstone", lines: 0, effectiveAt: lost.effectiveAt, recordedAt: lost.recordedAt,
                words: [:], moves: [])
        }),
        ("an entry twice", "twice", { history in
            let twice = history.journal.last { $0.kind == "own" }!
            history.journal.append(
                History.Entry(
                    position: history.journal.count + 1, id: twice.id, kind: twice.kind, lines: twice.lines, effectiveAt: twice.effectiveAt,
                    recordedAt: twice.recordedAt, words: twice.words, moves: twice.moves))
        }),
        ("an amount altered", "holds something else", { history in
            let place = history.journal.firstIndex { $0.kind == "own" }!
            let move = history.journal[place].moves[0]
            history.journal[place].moves[0] = .init(debit: move.debit, credit: move.credit, amount: move.amount + 1, status: move.status)
        }),
        ("a receipt for another place", "was acknowledged at", { history in
            let place = history.reports.firstIndex { $0.verb == "post" && !$0.receipts.isEmpty }!
            history.reports[place].receipts[0].position += 1
        }),
        ("one request done twice", "acknowledged twice as new", { history in
            let place = history.reports.firstIndex { $0.receipts.contains { $0.isRepeat } }!
            for index in history.reports[place].receipts.indices { history.reports[place].receipts[index].isRepeat = false }
        }),
        ("a balance one off", "this read", { history in
            let place = history.reports.firstIndex { $0.verb == "balance" && $0.reads.count == 1 && $0.position == nil }!
            history.reports[place].reads[0].debitsPosted += 1
        }),
        ("a balance of a position one off", "this read", { history in
            let place = history.reports.firstIndex { !$0.reads.isEmpty && $0.position != nil }!
            history.reports[place].reads[0].debitsPosted += 1
        }),
        ("a shortfall one off", "this refusal", { history in
            let place = history.reports.firstIndex { $0.refused?.code == "limitExceeded" && $0.verb == "post" }!
            history.reports[place].refused!.balance! += 1
        }),
        ("a refusal for nothing", "this refusal", { history in
            let place = history.reports.firstIndex { $0.verb == "post" && $0.refused?.code == "limitExceeded" }!
            history.reports[place].refused!.code = "accountClosed"
        }),
        ("a preview one off", "this preview", { history in
            let place = history.reports.firstIndex { !$0.previews.joined().isEmpty }!
            history.reports[place].previews[0][0].debitsPosted += 1
        }),
    ]

    @Test(.timeLimit(.minutes(3))) func `a history that was tampered with is found out, whatever was done to it`() async throws {
        var random = Seeded("tampered")
        // What is done to a random history may happen to be allowed in it; then it is done to another one.
        var left = Self.tampers.map { ($0.name, $0.found, $0.tamper, "") }
        for _ in 0..<3 where !left.isEmpty {
            let seed = random.next()
            try await withBook { book in
                let history = try await Self.history(book, seed: seed, programs: 2, tasks: 2, count: 150)
                #expect(HistoryChecker(history).findings.isEmpty)
                left = left.compactMap { name, found, tamper, _ in
                    var tampered = history
                    tamper(&tampered)
                    let findings = HistoryChecker(tampered).findings
                    return findings.contains { $0.contains(found) } ? nil : (name, found, tamper, "\(findings.prefix(3))")
                }
            }
        }
        for (name, _, _, findings) in left { Issue.record("\(name) is never found: \(findings)") }
    }

    // MARK: - A history

    static func openAccounts(_ ledger: Ledger) async throws {
        try await ledger.openAccount("cash", in: .eur, type: .asset)
        try await ledger.openAccount("fees", in: .eur, type: .income)
        try await ledger.openAccount("spare", in: .eur, type: .equity)
        try await ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
        try await ledger.openAccount("bob", in: .eur, type: .liability, limits: .noOverdraft)
        try await ledger.openAccount("credit", in: .eur, type: .liability, limits: .creditLine(500))
        try await ledger.openAccount("jar", in: .eur, type: .liability, limits: AccountLimits(ceiling: 1000))
        try await ledger.openAccount("both", in: .eur, type: .liability, limits: AccountLimits(floor: 0, ceiling: 800))
        try await ledger.openAccount("wallet", in: .eur, type: .asset, limits: .noOverdraft)
    }

    /// Some programs work on the book at once, while a projector comes and goes.
    static func history(_ book: TestBook, seed: UInt64, programs: Int, tasks: Int, count: Int) async throws -> History {
        try await openAccounts(book.ledger)
        let start = Timestamp(Date()).microseconds
        let writers = try (1...programs).map { number in
            try Writer.start(book, "history", seed: seed, number: number, count: count, tasks: tasks, start: start)
        }
        let projecting = Task {
            while !Task.isCancelled {
                try await book.project()
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...1500)))
            }
        }
        var reports: [History.Report] = []
        for writer in writers {
            #expect(try await writer.end() == 0)
            reports += try History.reports(writer.output)
        }
        projecting.cancel()
        _ = await projecting.result
        try await book.project()
        return History(reports: reports, journal: try await History.journal(book))
    }

    /// What the book says at the end is what the simple ledger has.
    private static func checkEnd(_ book: TestBook, _ checker: HistoryChecker) async throws {
        for time in [BalanceTime.current, .projected] {
            let balances = try await book.ledger.balances(at: time)
            let ledger = checker.states[checker.states.count - 1].released(at: Timestamp(Date()).microseconds)
            #expect(balances.count == ledger.accounts.count)
            for balance in balances {
                let account = try #require(ledger.accounts[balance.account.path.text])
                #expect(balance.minorUnits == Int128(account.balance) && balance.available == Int128(account.available), "\(balance.account.path)")
            }
        }
        let result = try await book.reconcile()
        #expect(result.verdict == .clean, "\(result.checks.flatMap(\.findings)) \(result.notCovered)")
    }
}

/// A program that writes to a book: `Tests/LedgerWriter`.
struct Writer {
    let process: Process
    let output: URL

    static func start(
        _ book: TestBook, _ verb: String, seed: UInt64, number: Int, count: Int, tasks: Int, start: Int64, socket: String? = nil
    ) throws -> Writer {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Tool.path).deletingLastPathComponent().appendingPathComponent("LedgerWriter")
        process.arguments = [verb]
        process.environment = ProcessInfo.processInfo.environment.merging(
            [
                "SOCKET": socket ?? book.server.socketPath, "BOOK": book.name, "USER": book.location.user, "PASSWORD": book.password,
                "SEED": String(seed), "NUMBER": String(number), "COUNT": String(count), "TASKS": String(tasks), "START": String(start),
            ].map { ("LEDGER_WRITER_" + $0, $1) }, uniquingKeysWith: { $1 })
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("\(book.name)-\(number)")
        _ = FileManager.default.createFile(atPath: output.path, contents: nil)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        try process.run()
        return Writer(process: process, output: output)
    }

    /// Waits for its end; the exit code.
    func end() async throws -> Int32 {
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        return process.terminationStatus
    }
}
