import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// What other projectors got wrong, each as a test: stuck and green, two owners, lag against one's own mark.
@Suite struct JobRegressionTests {
    @Test(
        arguments: [
            // failed, foreign, paused, lag, next is there, overdue
            (true, true, true, UInt64(5), true, true, JobStatus.State.failed),
            (false, true, true, 5, true, true, .foreign),
            (false, false, true, 5, true, true, .paused),
            (false, false, false, 0, false, false, .caughtUp),
            (false, false, false, 5, false, true, .waiting),
            (false, false, false, 5, true, true, .stuck),
            (false, false, false, 5, true, false, .behind),
        ])
    func `the worst is told first`(
        _ hasFailed: Bool, _ isForeign: Bool, _ isPaused: Bool, _ lag: UInt64, _ isNextVisible: Bool, _ isOverdue: Bool,
        _ state: JobStatus.State
    ) {
        let told = JobStatus.state(
            isForeign: isForeign, hasFailed: hasFailed, isPaused: isPaused, lag: lag, isNextVisible: isNextVisible, isOverdue: isOverdue)
        #expect(told == state)
    }

    @Test func `stuck but green: nobody works`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            try await book.project()
            #expect(try await book.status("balance", stuckAfter: .zero).state == .caughtUp)
            try await book.ledger.post(transfer(accounts[0], accounts[1], 5))
            let early = try await book.status("balance")
            #expect(early.state == .behind && !early.needsAttention)
            let late = try await book.status("balance", stuckAfter: .zero)
            #expect(late.state == .stuck && late.needsAttention && late.note?.contains("is a projector running") == true)
            try await book.project()
            #expect(try await book.status("balance", stuckAfter: .zero).state == .caughtUp)
        }
    }

    @Test func `stuck but green: a worker that gets nowhere`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            try await book.project()
            let role = BookRole.projector.name(book: book.name)
            try await book.withOwner { try await $0.execute(unprepared: "REVOKE INSERT ON \(book.name).account_line_g1 FROM '\(role)'") }
            let events = try await book.whileProjecting {
                let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 5))
                try await book.eventually("balance goes on") { try await book.status("balance").through == receipt.position }
                try await Task.sleep(for: .milliseconds(300))
                #expect(try await book.status("account_line", stuckAfter: .milliseconds(200)).state == .stuck)
                #expect(try await book.status("balance", stuckAfter: .milliseconds(200)).state == .caughtUp)
            }
            let said = events.compactMap { event -> LedgerError? in
                if event.job == "account_line", case .failure(let error) = event.result { error } else { nil }
            }
            #expect(said.contains { $0.code == .accessDenied && $0.message.contains("account_line_g1") })
            #expect(try await book.number("SELECT COUNT(*) FROM job_failure") == 0, "it is no fault of an entry")
        }
    }

    @Test func `stuck but green: a forgotten transaction is named, with its connection`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            try await book.project()
            let receipt = try await book.withConnection(role: .writer) { connection in
                try await connection.execute(unprepared: "START TRANSACTION")
                _ = try await connection.query("INSERT INTO entry (id, kind) VALUES (\(EntryID.minted().bytes), 'forgotten')")
                let id = try Row(row: try await connection.query("SELECT CONNECTION_ID()")[0]).uint(0)
                let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 5))
                try await book.project()

                let early = try await book.status("balance")
                #expect(early.state == .waiting && !early.needsAttention)
                let late = try await book.lateStatus("balance") { $0.waiting?.holder?.connection == id }
                #expect(late.state == .waiting && late.needsAttention)
                #expect(late.waiting?.position == Position(receipt.position.number - 1))
                #expect(late.waiting.map { $0.since <= late.now } == true)
                #expect(late.note?.contains("connection \(id) of \(book.name)@") == true)
                // Who may not see other connections is told the position all the same.
                let blind = try await book.withProjector { try await $0.status(stuckAfter: .zero) }
                #expect(blind.allSatisfy { $0.state == .waiting && $0.waiting?.holder == nil && $0.needsAttention })
                try await connection.execute(unprepared: "ROLLBACK")
                return receipt
            }
            #expect(try await book.project() == receipt.position)
            #expect(try await book.status("balance", stuckAfter: .zero).state == .caughtUp)
        }
    }

    @Test func `a transaction without a connection is named, unless one of the book has a connection`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            let accounts = try await book.openAccounts(2)
            try await book.project()
            // Prepared and left: it stays when its connection ends.
            try await book.withOwner { connection in
                try await connection.execute(unprepared: "XA START 'left'")
                _ = try await connection.query("INSERT INTO entry (id, kind) VALUES (\(EntryID.minted().bytes), 'left')")
                for statement in ["XA END 'left'", "XA PREPARE 'left'"] { try await connection.execute(unprepared: statement) }
            }
            try await book.ledger.post(transfer(accounts[0], accounts[1], 5))
            let left = try await book.lateStatus("balance") { $0.waiting?.holder?.connection == 0 }
            #expect(left.note?.contains("XA RECOVER") == true)
            try await book.withConnection(role: .writer) { connection in
                try await connection.execute(unprepared: "START TRANSACTION")
                _ = try await connection.query("INSERT INTO entry (id, kind) VALUES (\(EntryID.minted().bytes), 'forgotten')")
                let id = try Row(row: try await connection.query("SELECT CONNECTION_ID()")[0]).uint(0)
                _ = try await book.lateStatus("balance") { $0.waiting?.holder?.connection == id }
                try await connection.execute(unprepared: "ROLLBACK")
            }
            try await book.withOwner { try await $0.execute(unprepared: "XA ROLLBACK 'left'") }
            try await book.project()
            #expect(try await book.status("balance", stuckAfter: .zero).state == .caughtUp)
        }
    }

    @Test func `lag is measured against the journal, in positions, seconds and money`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let through = try await book.project()
            for amount in 1...5 { try await book.ledger.post(transfer(accounts[0], accounts[1], Int64(amount))) }
            try await Task.sleep(for: .milliseconds(1100))
            for job in ["balance", "account_line"] {
                let status = try await book.status(job)
                #expect(status.through == through && status.lag == 5 && status.head.number == through.number + 5)
                #expect(status.lagSeconds >= 1)
                #expect(status.unprojected == .money([JobStatus.Money(currency: accounts[0].currency, minorUnits: 15)]))
            }
            let bounded = try await book.withProjector { try await $0.status(moneyMax: 4) }
            #expect(bounded.allSatisfy { $0.unprojected == .tooMany(5) })
            // A second worker that is further behind does not make the first one's mark the measure.
            try await book.withProjector(positionsMax: 2) { _ = try await $0.step() }
            #expect(try await book.status("balance").lag == 3)
            #expect(try await book.status("account_line").lag == 5)
        }
    }

    @Test func `the rate is that of recent steps`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            for _ in 0..<40 { try await book.ledger.post(transfer(accounts[0], accounts[1], 1)) }
            try await book.withProjector(positionsMax: 1) { projector in
                for _ in 0..<20 {
                    _ = try await projector.step()
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            let status = try await book.status("balance")
            let rate = try #require(status.positionsPerSecond)
            #expect((1...100).contains(rate), "20 steps of one position, 10 ms apart: \(rate)/s")
            #expect(status.secondsToGo == (status.lag + rate - 1) / rate)
        }
    }

    @Test func `two owners: each position is counted once`() async throws {
        let jobs: [any Job] = Projector.builtIn + [KindVolume()]
        try await withBook { book in
            let accounts = try await book.openAccounts(4)
            try await BookOwner(book.owner).create(jobs: jobs)
            let events = try await book.whileProjecting(jobs, positionsMax: 3, workers: 3) {
                for number in 1...150 {
                    try await book.ledger.post(transfer(accounts[number % 2], accounts[2 + number % 2], Int64(number)))
                }
            }
            #expect(events.contains { if case .success(.stoodDown) = $0.result { true } else { false } }, "they never met")
            try await book.withProjector(jobs) { projector in
                let end = try await projector.catchUp().through
                for job in ["balance", "account_line"] {
                    let comparison = try await projector.compare(job, generation: 1, with: .journal)
                    #expect(comparison.isEqual && comparison.through == end, "\(comparison.differences)")
                }
            }
            try await book.expectEachPositionOnce()
            #expect(try await book.number("SELECT MAX(entries) FROM kind_volume_g1 WHERE kind = 'transfer'") == 150)
            #expect(try await book.number("SELECT MAX(amount) FROM kind_volume_g1 WHERE kind = 'transfer'") == 150 * 151 / 2)
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `pause holds between steps, and resume goes on`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            try await book.project()
            try await book.whileProjecting(positionsMax: 1) {
                try await book.withProjector { projector in
                    #expect(try await projector.pause("balance"))
                    #expect(try await !projector.pause("balance"), "it is paused already")
                    // A step that has begun ends.
                    try await Task.sleep(for: .milliseconds(700))
                    let stopped = try await book.status("balance").through
                    let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 5))
                    try await book.eventually("others go on") { try await book.status("account_line").through == receipt.position }
                    let paused = try await book.status("balance", stuckAfter: .zero)
                    #expect(paused.state == .paused && paused.through == stopped && paused.lag == 1)
                    #expect(try await projector.catchUp(["balance"], heedsOperators: true).through == stopped)
                    // Everything that is committed counts all the same.
                    #expect(try await book.ledger.balance(of: "a1", in: .eur).totals.debitsPosted == 5)

                    #expect(try await projector.resume("balance"))
                    #expect(try await !projector.resume("balance"))
                    try await book.eventually("it goes on") { try await book.status("balance").through == receipt.position }
                    let error = await #expect(throws: LedgerError.self) { try await projector.pause("fees") }
                    #expect(error?.code == .unknownEntry)
                }
            }
            #expect(try await book.number("SELECT COUNT(*) FROM job_control") == 2)
        }
    }

    @Test func `operators who decide at once get a row each`() async throws {
        try await withBook { book in
            try await book.withProjector { projector in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<20 {
                        group.addTask { _ = try await number % 2 == 0 ? projector.pause("balance") : projector.resume("balance") }
                    }
                    try await group.waitForAll()
                }
            }
            let rows = try await book.number("SELECT COUNT(*) FROM job_control")
            let newest = try await book.number("SELECT MAX(sequence) FROM job_control")
            #expect(rows > 0 && rows == newest)
        }
    }
}

extension TestBook {
    /// The status of a job that is late, once it is so. The server renews its list of transactions only when nobody has looked for a tenth of a
    /// second, whichever book they looked at.
    fileprivate func lateStatus(_ job: String, _ isSo: (JobStatus) -> Bool) async throws -> JobStatus {
        var status = try await status(job, stuckAfter: .zero)
        try await eventually("the status shows who holds the position") {
            if isSo(status) { return true }
            try await Task.sleep(for: .milliseconds(Int.random(in: 150...400)))
            status = try await self.status(job, stuckAfter: .zero)
            return isSo(status)
        }
        return status
    }
}
