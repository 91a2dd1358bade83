import Foundation
import Testing
#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

@testable import LocalMariaDB

extension AllTests {
    @Suite struct Crash {
        @Test func committedDataSurvivesKill9() async throws {
            try await withFolder { folder in
                let server = try await LocalMariaDB.start(.init(folder: folder))
                _ = try await sql(server, """
                    CREATE DATABASE d; CREATE TABLE d.t (n INT PRIMARY KEY) ENGINE=InnoDB;
                    INSERT INTO d.t VALUES (1), (2), (3);
                    """)
                server.kill()
                // At once: the lock may still be held by the process that is dying.
                let recovered = try await LocalMariaDB.start(.init(folder: folder))
                #expect(recovered.pid != server.pid)
                #expect(try await sql(recovered, "SELECT SUM(n) FROM d.t") == ["6"])
                try await server.stop() // not this one any more: does nothing
                #expect(isRunning(folder))

                recovered.kill()
                #expect(try await eventually { LocalMariaDB.status(folder: folder) == .stopped })
                #expect(FileManager.default.fileExists(atPath: recovered.socketPath))
                try await recovered.stop()
            }
        }

        /// Killed while the data folder is being made, and while the server comes up.
        @Test(arguments: ["data.new/mysql", "init.sql"])
        func aStarterThatIsKilledIsNoObstacle(file: String) async throws {
            try await withFolder { folder in
                let (starter, _) = try process(starterPath(), [folder])
                try starter.run()
                let path = "\(folder)/\(file)"
                #expect(try await eventually { FileManager.default.fileExists(atPath: path) })
                kill(starter.processIdentifier, SIGKILL)
                let server = try await LocalMariaDB.start(.init(folder: folder))
                #expect(try await sql(server, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)")
                    == [server.adminUser])
                #expect(!FileManager.default.fileExists(atPath: folder + "/data.new"))
                starter.waitUntilExit()
                #expect(starter.terminationReason == .uncaughtSignal) // it had not been ready before
            }
        }

        @Test func aHalfMadeDataFolderIsMadeAgain() async throws {
            try await withFolder { folder in
                try FileManager.default.createDirectory(
                    atPath: folder + "/data.new/mysql", withIntermediateDirectories: true)
                let server = try await LocalMariaDB.start(.init(folder: folder))
                #expect(try await sql(server, "SELECT 1") == ["1"])
            }
        }

        @Test func waitingCanBeCancelled() async throws {
            try await withFolder { folder async throws in
                let task: Task<LocalMariaDBError?, Never> = Task { await startError(.init(folder: folder)) }
                #expect(try await eventually { FileManager.default.fileExists(atPath: folder + "/data.new") })
                task.cancel()
                #expect(await task.value?.kind == .cancelled)
                #expect(try await eventually { LocalMariaDB.status(folder: folder) == .absent })
            }
        }
    }
}
