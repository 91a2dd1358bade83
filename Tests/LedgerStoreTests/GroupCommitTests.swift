import Foundation
import IndelibleTesting
import LocalMariaDB
import LossyProxy
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Many posts at once: each gets its own answer, and the answer is true.
@Suite struct GroupCommitTests {
    // MARK: - Neighbours

    @Test func `a bad or repeated entry is answered alone, and its neighbours stand`() async throws {
        try await withTwo(paid: 100) { book, one, two in
            let standing = try await one.post(LimitTests.paid("alice", 1, id: EntryID(key: "stands")))
            // As deep as no JSON of the database may be; nobody foresees it.
            let deep = (0..<60).reduce(JSON.string("x")) { inner, _ in .array([inner]) }
            var bad = LimitTests.drawn("alice", 1)
            bad.payload = ["deep": deep]
            let twin = LimitTests.drawn("alice", 2, id: EntryID(key: "twin"))
            let requests: [(name: String, entry: Entry)] =
                (0..<20).map { ("good", LimitTests.drawn("alice", 1, id: EntryID(key: "good \($0)"))) } + [
                    ("refused row", bad), ("repeat", LimitTests.paid("alice", 1, id: standing.id)),
                    ("conflict", LimitTests.paid("alice", 9, id: standing.id)), ("too much", LimitTests.drawn("alice", 1000)),
                    ("twin", twin), ("twin", twin),
                ]
            // While somebody else holds the next claim all of them gather behind the first.
            let answers = try await book.withOwner { connection in
                try await connection.execute(unprepared: "START TRANSACTION")
                _ = try await connection.query(
                    """
                    INSERT INTO account_claim SELECT id, 1 + COALESCE((SELECT MAX(revision) FROM account_claim c WHERE c.account = a.id), 0)
                    FROM account a WHERE path = 'alice'
                    """)
                async let answers = Self.answers(requests.map(\.entry), one)
                try await Task.sleep(for: .milliseconds(300))
                try await connection.execute(unprepared: "ROLLBACK")
                return await answers
            }
            for ((name, entry), answer) in zip(requests, answers) {
                switch (name, answer) {
                case ("good", .success(let receipt)), ("twin", .success(let receipt)): #expect(receipt.id == entry.id)
                case ("repeat", .success(let receipt)): #expect(receipt.isRepeat && receipt.position == standing.position)
                case ("conflict", .failure(let error)): #expect(error.code == .conflict && error.standing?.position == standing.position)
                case ("too much", .failure(let error)): #expect(error.code == .limitExceeded && error.id == entry.id)
                case ("refused row", .failure(let error)): #expect(error.id == entry.id, "\(error)")
                default: Issue.record("\(name): \(answer)")
                }
            }
            try await book.expect(available: 79, balance: 79)
        }
    }

    @Test func `one that is refused beside one that ends an expired hold gets its refusal`() async throws {
        try await withTwo(paid: 100) { book, one, two in
            let expiresAt = Timestamp(microseconds: Timestamp(.now).microseconds + 300_000)
            let hold = try await one.post(LimitTests.drawn("alice", 80, hold: Hold(expiresAt: expiresAt)))
            try await RegressionTests.sleep(until: expiresAt.microseconds + 1000)
            let requests = [try await one.drafts([LimitTests.drawn("alice", 50)]), try await one.drafts([LimitTests.drawn("alice", 500)])]
            let outcome = try await one.database.write { transaction in
                try WriteStep(catalog: one.catalog, memory: nil, tailMax: 1000).run(requests, attempt: 0, transaction)
            }
            #expect(try outcome.results[0].get().map(\.id) == requests[0].map(\.id))
            #expect(throws: LedgerError.self) { try outcome.results[1].get() }
            #expect(try await two.entry(.settlement(of: hold.id))?.kind == .holdExpired)
            try await book.expect(available: 50, balance: 50)
        }
    }

    private static func answers(_ entries: [Entry], _ ledger: Ledger) async -> [Result<Receipt, LedgerError>] {
        await withTaskGroup(of: (Int, Result<Receipt, LedgerError>).self) { group in
            for (index, entry) in entries.enumerated() {
                group.addTask {
                    let result: Result<Receipt, LedgerError>
                    do throws(LedgerError) { result = .success(try await ledger.post(entry)) } catch { result = .failure(error) }
                    return (index, result)
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    // MARK: - Lost answers, cancellation, closing

    @Test func `a reply that is lost after COMMIT is found again, and the request is done once`() async throws {
        try await withTwo(paid: 1000) { book, one, two in
            let proxy = try LossyProxy(to: book.server.socketPath) { $0 % 2 == 1 }
            let ledger = Ledger(
                try BookLocation(
                    server: .socket(path: proxy.socketPath), book: book.name, user: book.location.user, password: Secret(book.password)))
            var receipts: [Receipt] = []
            for number in 0..<10 { receipts.append(try await ledger.post(LimitTests.drawn("alice", Int64(10 + number)))) }
            let results = await race(40) { number in
                try await ledger.post(number % 2 == 0 ? LimitTests.drawn("alice", 1) : LimitTests.paid("alice", 1))
            }
            receipts += results.receipts
            #expect(results.errors.isEmpty, "\(results.errors)")
            let hold = try await ledger.post(LimitTests.drawn("alice", 100, hold: Hold()))
            receipts += [hold, try await ledger.capture(hold.id), try await ledger.setLimits(.creditLine(5), of: "alice", in: .eur)]
            for receipt in receipts { #expect(try await two.entry(at: receipt.position)?.id == receipt.id) }
            #expect(Set(receipts.map(\.position)).count == receipts.count)
            #expect(proxy.lost > 6, "\(proxy.lost) of \(proxy.committed) answers were lost")
            await ledger.close()
            proxy.stop()
            try await book.expect(available: 1000 - 145 - 100, balance: 1000 - 145 - 100)
            // The first payment, and these.
            #expect(try await book.number("SELECT COUNT(*) FROM entry WHERE kind IN ('paid', 'drawn')") == 1 + 10 + 40 + 1)
        }
    }

    @Test func `who is cancelled gets a true answer`() async throws {
        try await withTwo(paid: 100_000) { book, one, two in
            var random = Seeded("cancelled posts")
            var answers: [(Entry, Result<Receipt, LedgerError>)] = []
            for _ in 0..<6 {
                let tasks = (0..<40).map { number in
                    let entry = number % 2 == 0 ? LimitTests.drawn("alice", 1) : LimitTests.paid("alice", 1)
                    return (
                        entry,
                        Task<Result<Receipt, LedgerError>, Never> {
                            do throws(LedgerError) { return .success(try await one.post(entry)) } catch { return .failure(error) }
                        }
                    )
                }
                try await Task.sleep(for: .microseconds(Int.random(in: 0...6000, using: &random)))
                for (_, task) in tasks where Bool.random(using: &random) { task.cancel() }
                for (entry, task) in tasks { answers.append((entry, await task.value)) }
            }
            var refused = 0
            for (entry, answer) in answers {
                let standing = try await two.entry(entry.id)
                switch answer {
                case .success(let receipt): #expect(standing?.position == receipt.position)
                case .failure(let error):
                    refused += 1
                    #expect(standing == nil && error.code == .busy && error.retry == .sameRequest, "\(error)")
                    try await two.post(entry)
                }
            }
            print("cancelled posts: \(refused) of \(answers.count) posted nothing")
            try await book.expect(available: 100_000, balance: 100_000)
        }
    }

    @Test func `closing a ledger answers everybody, truly`() async throws {
        try await withTwo(paid: 100_000) { book, one, two in
            for round in 0..<5 {
                let ledger = Ledger(book.location)
                let entries = (0..<200).map { $0 % 2 == 0 ? LimitTests.drawn("alice", 1) : LimitTests.paid("alice", 1) }
                async let answering = Self.answers(entries, ledger)
                try await Task.sleep(for: .milliseconds(2 + 4 * round))
                await ledger.close()
                for (entry, answer) in zip(entries, await answering) {
                    let standing = try await two.entry(entry.id)
                    switch answer {
                    case .success(let receipt): #expect(standing?.position == receipt.position)
                    case .failure(let error): #expect(standing == nil && error.code == .unavailable && error.retry == .never, "\(error)")
                    }
                }
            }
        }
    }
}
