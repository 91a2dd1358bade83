import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import Replication
import Testing

/// The mode and the replica as settings of the command line.
@Suite(.serialized) struct SidesCommandTests {
    /// Commands that record something, with what they need.
    static let writes = [
        "init", "account open a EUR --type asset", "account limit a EUR --floor 0", "account freeze a EUR", "account close a EUR",
        "account reopen a EUR", "currency define XXX --exponent 0", "post --key k --debit a --credit b --amount 1 --currency EUR",
        "hold capture k", "hold void k", "hold expire", "reverse k", "period close 2020-01-31", "import file.csv",
        "fees schedule publish schedule.json", "fees assess --month 2020-01", "command init", "command retry 00000000000000000000000000000001",
        "command resolve 00000000000000000000000000000001 --actor a --reason b", "project run", "project once", "project pause balance",
        "project resume balance", "project retry balance", "project rebuild balance", "project switch balance 2", "project retire balance 1",
    ]

    @Test func `in the mode read-only a command that records is refused before it connects`() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        try folder.write("file.csv", "key\n")
        try folder.write("schedule.json", "{}")
        // Nobody answers there.
        let environment = ["INDELIBLE_DATABASE": "mariadb://nobody@127.0.0.1:9/book"]
        for write in Self.writes {
            let arguments = write.split(separator: " ").map(String.init)
            let finished = try await indelible(arguments + ["--mode", "read-only"], environment: environment, folder: folder.path)
            expectFailure(finished, 69, "this process is read-only", write)
        }
        try folder.write("indelible.json", #"{"mode":"read-only"}"#)
        let set = try await indelible(["hold", "expire"], environment: environment, folder: folder.path)
        expectFailure(set, 69, "this process is read-only", "a setting of the file")
        let other = try await indelible(["hold", "expire"], environment: environment.merging(["INDELIBLE_MODE": "writer"]) { $1 }, folder: folder.path)
        expectFailure(other, 69, "no database answers", "the environment goes before the file")
        let unknown = try await indelible(["hold", "expire", "--mode", "readonly"], environment: environment, folder: folder.path)
        expectFailure(unknown, 65, "“readonly” is no mode: write writer or read-only", "a mode that is none")
    }

    /// Every command with the book's options is above, or one that reads.
    @Test func `no command that records is missing above`() async throws {
        let reads: Set = [
            "account list", "account show", "account lines", "currency list", "balance", "report", "entry", "export", "reconcile", "doctor", "period show",
            "hold list", "fees schedule", "fees explain", "fees report", "fees simulate", "command list", "command show", "process list", "process show",
            "process history", "project status", "project compare", "local", "bench",
        ]
        var unknown: [String] = []
        for name in try await Self.subcommands([]) {
            let own = try await Self.subcommands([name])
            for command in own.isEmpty ? [name] : own.map({ "\(name) \($0)" }) {
                let isRead = reads.contains(command) || reads.contains(name)
                if !isRead, !Self.writes.contains(where: { $0 == command || $0.hasPrefix(command + " ") }) { unknown.append(command) }
            }
        }
        #expect(unknown == [])
    }

    private static func subcommands(_ path: [String]) async throws -> [String] {
        let help = try await indelible(path + ["--help"]).output.split(separator: "\n")
        guard let first = help.firstIndex(where: { $0.hasSuffix("SUBCOMMANDS:") }) else { return [] }
        return help[first...].compactMap { $0.firstMatch(of: /^  ([a-z-]+)(?: |$)/).map { String($0.1) } }.filter { $0 != "help" }
    }

    // MARK: - With a replica

    private struct Auditor {
        let both: Replicated
        let primary: String
        let replica: String

        func run(_ arguments: [String], mode: String? = "read-only") async throws -> Finished {
            var environment = ["INDELIBLE_DATABASE": primary, "INDELIBLE_READING": replica, "INDELIBLE_PASSWORD": "geheim"]
            environment["INDELIBLE_MODE"] = mode
            return try await indelible(arguments, environment: environment)
        }
    }

    /// A book with 5 EUR in the bank, and a login `auditor` that has one role, on both servers.
    private static func withAuditor(_ body: (Auditor) async throws -> Void) async throws {
        try await Replicated.with { both in
            let ledger = both.book.ledger
            try await ledger.openAccount("bank", in: .eur, type: .asset)
            try await ledger.openAccount("capital", in: .eur, type: .equity)
            try await ledger.post(paid(500))
            try await both.book.project()
            try await both.onPrimary("CREATE USER auditor@'127.0.0.1' IDENTIFIED BY 'geheim'")
            try await both.onPrimary("GRANT '\(both.book.name)_auditor' TO auditor@'127.0.0.1'")
            try await both.catchUp()
            func url(_ port: Int) -> String { "mariadb://auditor@127.0.0.1:\(port)/\(both.book.name)" }
            try await body(Auditor(both: both, primary: url(both.primaryPort), replica: url(both.replicaPort)))
        }
    }

    private static func paid(_ units: Int64) -> Entry {
        Entry(kind: "deposit", postings: [Posting(debit: "bank", credit: "capital", amount: Amount(minorUnits: units, .eur))])
    }

    @Test func `commands that read ask the replica, with the role auditor`() async throws {
        try await Self.withAuditor { auditor in
            try await auditor.both.stall()
            try await auditor.both.book.ledger.post(Self.paid(700))
            for mode in ["read-only", "writer"] {
                let balance = try await auditor.run(["balance", "bank", "--format", "csv"], mode: mode)
                #expect(balance.status == 0 && balance.output.contains("bank,5.00,"), "\(balance.all)")
            }
            for arguments in [["reconcile"], ["project", "status"], ["export", "--format", "jsonl"], ["entry", "show", "--position", "3"], ["account", "lines", "bank", "EUR"]] {
                let finished = try await auditor.run(arguments)
                #expect(finished.status == 0 && !finished.output.contains("7.00"), "\(arguments): \(finished.all)")
            }
            let newest = try await indelible(["balance", "bank", "--format", "csv"], environment: ["INDELIBLE_DATABASE": auditor.primary, "INDELIBLE_PASSWORD": "geheim"])
            #expect(newest.output.contains("bank,12.00,"), "\(newest.all)")
            try await auditor.both.replicaServer.stop()
            let gone = try await auditor.run(["balance"])
            expectFailure(gone, 69, "127.0.0.1", secret: "geheim", "a replica that has gone")
        }
    }

    @Test func `doctor says that it is a replica, and what does not apply`() async throws {
        try await Self.withAuditor { auditor in
            let arguments = ["doctor", "--format", "csv", "--database", auditor.replica]
            let well = try await auditor.run(arguments)
            // It may not see triggers.
            #expect(well.status == 3 && !well.output.contains("FAILS"), "\(well.all)")
            #expect(well.output.contains("\nreplica,holds,\"read_only, replication runs, through 0-1-"), "\(well.output)")
            for name in ["setting sync_binlog", "setting log_bin", "role writer", "role projector"] {
                #expect(well.output.contains("\n\(name),does not apply,"), "\(name): \(well.output)")
            }
            #expect(well.output.contains("\nsetting innodb_doublewrite,holds,") && well.output.contains("\ngrants auditor,holds,"), "\(well.output)")
            try await auditor.both.stall()
            let stopped = try await auditor.run(arguments)
            #expect(stopped.status == 1 && stopped.output.contains("\nreplica,FAILS,\"read_only, replication is stopped,"), "\(stopped.all)")
            #expect(stopped.output.contains("as old as the moment at which it stopped"))

            // A process that is read-only needs one role, on the primary too.
            let primary = try await auditor.run(["doctor", "--format", "csv"])
            #expect(primary.status == 3 && primary.output.contains("\nrole writer,does not apply,this process is read-only,"), "\(primary.all)")
            let writer = try await auditor.run(["doctor", "--format", "csv"], mode: nil)
            #expect(writer.status == 1 && writer.output.contains("\nrole writer,FAILS,"), "\(writer.all)")
        }
    }
}
