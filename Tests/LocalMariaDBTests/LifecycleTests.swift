import Foundation
import Testing
#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

@testable import LocalMariaDB

extension AllTests {
    @Suite struct Lifecycle {
        @Test func startsAttachesAndStops() async throws {
            try await withFolder { folder in
                #expect(LocalMariaDB.status(folder: folder) == .absent)
                let server = try await LocalMariaDB.start(.init(folder: folder))
                #expect(LocalMariaDB.status(folder: folder)
                    == .running(pid: server.pid, socket: server.socketPath))
                let second = try await LocalMariaDB.start(.init(folder: folder))
                #expect(second.pid == server.pid)
                #expect(LocalMariaDB.attach(folder: folder)?.pid == server.pid)
                #expect(try await sql(server, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)")
                    == [server.adminUser])
                #expect(try await sql(server, "SELECT COUNT(*) FROM mysql.user WHERE User = ''") == ["0"])
                let mode = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions]
                #expect(mode as? Int == 0o700)

                try await server.stop()
                #expect(LocalMariaDB.status(folder: folder) == .stopped)
                #expect(hasEnded(server.pid))
                try await second.stop() // has gone already
                #expect(LocalMariaDB.attach(folder: folder) == nil)

                let again = try await LocalMariaDB.start(.init(folder: folder, idleShutdownSeconds: nil))
                #expect(again.pid != server.pid)
                #expect(try await sql(again, "SELECT COUNT(*) FROM mysql.event") == ["0"])
            }
        }

        @Test func callersAtTheSameTimeGetOneServer() async throws {
            try await withFolder { folder in
                let starter = try starterPath()
                async let other = run(starter, [folder])
                async let first = LocalMariaDB.start(.init(folder: folder))
                async let second = LocalMariaDB.start(.init(folder: folder))
                let pids = try await [first.pid, second.pid]
                #expect(pids[0] == pids[1])
                // Also: the server does not hold the pipe of the one that started it.
                #expect(try await other.lines == ["\(pids[0])"])
            }
        }

        @Test func serversRunSideBySide() async throws {
            try await withFolder { one in
                try await withFolder { two in
                    let first = try await LocalMariaDB.start(.init(folder: one))
                    let second = try await LocalMariaDB.start(.init(folder: two))
                    #expect(first.pid != second.pid)
                    _ = try await sql(first, "CREATE DATABASE only_here")
                    #expect(try await sql(second, "SHOW DATABASES LIKE 'only_here'") == [])
                }
            }
        }

        @Test func listensOnTCPWhenAsked() async throws {
            try await withFolder { folder in
                let port = 20000 + Int.random(in: 0..<10000)
                let server = try await LocalMariaDB.start(
                    .init(folder: folder, tcpPort: port, extraOptions: ["--max-connections=17"]))
                #expect(try await sql(server, "SELECT @@port, @@bind_address, @@max_connections")
                    == ["\(port)\t127.0.0.1\t17"])
            }
        }

        @Test func outlivesItsStarter() async throws {
            try await withFolder { folder in
                // `run` returns when the output is closed: the server has not inherited it.
                let finished = try await run(starterPath(), [folder])
                let server = try #require(LocalMariaDB.attach(folder: folder))
                #expect(finished.lines == ["\(server.pid)"])
                #expect(try await sql(server, "SELECT 1") == ["1"])
                #expect(getsid(server.pid) == server.pid)
            }
        }

        @Test func reportsWhyItDidNotStart() async throws {
            try await withFolder { folder in
                let error = await startError(.init(folder: folder, extraOptions: ["--no-such-option=1"]))
                #expect(error?.kind == .serverExited)
                #expect(error?.message.contains("unknown variable 'no-such-option=1'") == true)
                #expect(LocalMariaDB.status(folder: folder) == .stopped)
            }
        }

        @Test func namesThePackageThatIsMissing() async throws {
            try await withFolder { folder in
                var configuration = LocalMariaDB.Configuration(folder: folder)
                configuration.programFolders = ["/nonexistent"]
                let error = await startError(configuration)
                #expect(error?.kind == .missingProgram)
                for word in ["mariadbd", "mariadb-server", "apt-get install", "brew install mariadb"] {
                    #expect(error?.message.contains(word) == true)
                }
            }
        }

        @Test(.enabled(if: unsafe geteuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0, "needs root, setpriv"))
        func runsAsAPlainUser() async throws {
            try await withFolder { folder in
                let base = (folder as NSString).deletingLastPathComponent
                let files = FileManager.default
                try files.createDirectory(atPath: base, withIntermediateDirectories: true)
                let starter = base + "/starter" // where that user may read it
                try files.copyItem(atPath: starterPath(), toPath: starter)
                let owned = try await run("/usr/bin/env", ["chown", "nobody", base])
                #expect(owned.status == 0, "\(owned.output)")
                let group = try await run("/usr/bin/env", ["id", "-g", "nobody"]).lines[0]
                let asNobody = ["--reuid=nobody", "--regid=\(group)", "--clear-groups"]

                let finished = try await run("/usr/bin/setpriv", asNobody + [starter, folder, "2"])
                let server = try #require(LocalMariaDB.attach(folder: folder), "\(finished.output)")
                #expect(finished.lines == ["\(server.pid)"])
                let client = clientArguments(server).map { $0.hasPrefix("--user=") ? "--user=nobody" : $0 }
                let rows = try await run("/usr/bin/setpriv", asNobody + client + [
                    "-e", "CREATE DATABASE ours; SELECT CURRENT_USER()",
                ])
                #expect(rows.lines == ["nobody@localhost"])
                // The event acts as that user and may shut down.
                #expect(try await eventually { LocalMariaDB.status(folder: folder) == .stopped })
            }
        }
    }
}

/// Servers are started one after the other: each needs a processor and a few hundred megabytes.
@Suite(.serialized, .timeLimit(.minutes(3))) struct AllTests {}
