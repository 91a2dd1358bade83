import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

@testable import MariaDBDriver

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct ErrorTests {
    /// A database of the test's own, with one table.
    private func withTable(_ body: (MariaDBConnection) async throws -> Void) async throws {
        try await withConnection { connection in
            let name = "d_" + UUID().uuidString.lowercased().prefix(8)
            try await connection.execute(unprepared: "CREATE DATABASE \(name)")
            try await connection.execute(unprepared: "USE \(name)")
            try await connection.execute(
                unprepared: """
                    CREATE TABLE thing (number INT NOT NULL PRIMARY KEY, name VARBINARY(200) NOT NULL, small TINYINT NULL CHECK (small < 100),
                    UNIQUE KEY thing_name (name))
                    """)
            try await body(connection)
        }
    }

    @Test func `a duplicate names the key that refused, and never the value`() async throws {
        try await withTable { connection in
            _ = try await connection.query("INSERT INTO thing (number, name) VALUES (1, 'secret')")
            let nasty = Array("' for key 'PRIMARY' secret".utf8)
            _ = try await connection.query("INSERT INTO thing (number, name) VALUES (2, \(nasty))")
            for (sql, key): (SQL, String) in [
                ("INSERT INTO thing (number, name) VALUES (1, 'other')", "PRIMARY"),
                ("INSERT INTO thing (number, name) VALUES (3, 'secret')", "thing_name"),
                ("INSERT INTO thing (number, name) VALUES (4, \(nasty))", "thing_name"),
            ] {
                let error = try #require(await failure { try await connection.query(sql) })
                #expect(error.isDuplicateKey)
                #expect(error.keyName == key)
                #expect(error.retry == .never)
                #expect(!"\(error)".replacing(sql.text, with: "").contains("secret"))
            }
        }
    }

    @Test func `what the schema or the types refuse is an error, not a warning`() async throws {
        try await withTable { connection in
            for (sql, number): (SQL, UInt32) in [
                ("INSERT INTO thing (number, name, small) VALUES (1, 'a', 101)", 4025),
                ("INSERT INTO thing (number, name, small) VALUES (1, 'a', 1000)", 1264),
                ("INSERT INTO thing (number, name) VALUES ('12abc', 'a')", 1265),
                ("INSERT INTO thing (number, name) VALUES (1, \(String(repeating: "x", count: 201)))", 1406),
                ("INSERT INTO thing (number) VALUES (1)", 1364),
                ("INSERT INTO missing (number) VALUES (1)", 1146),
            ] {
                let error = try #require(await failure { try await connection.query(sql) })
                #expect(error.number == number, "\(sql.text): \(error)")
                #expect(error.retry == .never)
            }
            #expect(try await connection.query("SELECT COUNT(*) FROM thing")[0][0] == .int(0))
        }
    }

    @Test func `a transaction commits, or leaves nothing`() async throws {
        try await withTable { connection in
            struct Stop: Error {}
            await #expect(throws: Stop.self) {
                try await connection.transaction { transaction in
                    try transaction.query("INSERT INTO thing (number, name) VALUES (1, 'a')")
                    throw Stop()
                }
            }
            #expect(try await connection.query("SELECT number FROM thing").isEmpty)
            try await connection.transaction { transaction in
                _ = try transaction.query("INSERT INTO thing (number, name) VALUES (1, 'a'), (2, 'b')")
            }
            #expect(try await connection.query("SELECT number FROM thing").count == 2)
            await #expect(throws: MariaDBError.self) {
                try await connection.transaction(.snapshot) { transaction in
                    _ = try transaction.query("INSERT INTO thing (number, name) VALUES (3, 'c')")
                }
            }
        }
    }

    @Test func `no server, no such host and a wrong password are told apart`() async throws {
        let server = try await TestServer.shared()
        for (address, numbers): (ConnectionConfiguration.Address, [UInt32]) in [
            (.socket("/nowhere/mariadb.sock"), [2002]), (.host("127.0.0.1", port: 1), [2002, 2003]),
            (.host("no-such-host.invalid", port: 3306), [2005, 2002, 2003]),
        ] {
            let error = try #require(
                await failure {
                    try await MariaDBConnection.connect(ConnectionConfiguration(address: address, user: "x"))
                })
            #expect(numbers.contains(error.number), "\(address): \(error)")
            #expect(error.isConnectionLost)
        }
        let error = try #require(
            await failure {
                try await MariaDBConnection.connect(
                    ConnectionConfiguration(
                        address: .socket(server.socketPath), user: "nobody-here", password: "hunter2"))
            })
        #expect([1045, 1698].contains(error.number))
        #expect(!"\(error)".contains("hunter2"))
        #expect(!"\(ConnectionConfiguration(address: .socket("x"), user: "x", password: "hunter2"))".contains("hunter2"))
    }

    @Test(arguments: [
        ("10.11.19-MariaDB-0+deb12u1-log", true), ("10.6.0-MariaDB", true), ("11.4.2-MariaDB", true), ("10.5.29-MariaDB", false),
        ("8.0.36", false), ("5.5.5-10.11.6", false), ("", false),
    ]) func `a server that is not MariaDB 10.6 or newer is refused`(_ version: String, _ isSupported: Bool) {
        #expect(Session.isSupported(version) == isSupported)
    }

    @Test func `a server that accepts and then says nothing is given up in time`() async throws {
        try await TestServer.withOwn { server in
            kill(server.pid, SIGSTOP)
            var stalled = configuration(server)
            stalled.connectTimeoutSeconds = 1
            let start = ContinuousClock.now
            let error = await failure { try await MariaDBConnection.connect(stalled) }
            kill(server.pid, SIGCONT)
            #expect(error?.isConnectionLost == true, "\(String(describing: error))")
            #expect(start.duration(to: .now) < .seconds(60))
        }
    }

    @Test func `a connection killed by the server is of no more use, and a pool replaces it`() async throws {
        let server = try await TestServer.shared()
        let pool = MariaDBPool(configuration(server), connectionsMax: 1)
        let first = try await pool.withConnection { await $0.serverThreadID }
        try await withConnection { try await $0.execute(unprepared: "KILL CONNECTION \(first)") }
        let error = try await pool.withConnection { connection in
            await failure { try await connection.query("INSERT INTO nowhere.nothing VALUES (1)") }
        }
        #expect(error?.isConnectionLost == true)
        #expect(error?.retry == .outcomeUnknown)
        let second = try await pool.withConnection { connection in
            _ = try await connection.query("SELECT 1")
            return await connection.serverThreadID
        }
        #expect(first != second)
        await pool.close()
    }

    @Test func `a lost answer to COMMIT is an unknown outcome; a link lost before it is not`() async throws {
        try await TestServer.withOwn { server in
            let connection = try await MariaDBConnection.connect(configuration(server))
            try await connection.execute(unprepared: "CREATE DATABASE d")
            try await connection.execute(unprepared: "CREATE TABLE d.t (n INT PRIMARY KEY)")
            let pid = server.pid
            let atCommit = try #require(
                await failure {
                    try await connection.transaction { transaction in
                        _ = try transaction.query("INSERT INTO d.t VALUES (1)")
                        kill(pid, SIGKILL)
                        usleep(100_000)
                    }
                })
            #expect(atCommit.retry == .outcomeUnknown)
            #expect(connection.isUsable == false)

            let again = try await LocalMariaDBAgain.start(server.folder)
            let next = try await MariaDBConnection.connect(configuration(again))
            let before = try #require(
                await failure {
                    try await next.transaction { transaction in
                        _ = try transaction.query("INSERT INTO d.t VALUES (2)")
                        kill(again.pid, SIGKILL)
                        usleep(100_000)
                        do { _ = try transaction.query("SELECT 1") } catch {}
                    }
                })
            #expect(before.retry == .sameRequest)
        }
    }
}

func failure<T>(_ body: () async throws -> T) async -> MariaDBError? {
    do { _ = try await body() } catch { return error as? MariaDBError }
    return nil
}
