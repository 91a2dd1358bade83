import Foundation
import Testing

@testable import LocalMariaDB

extension AllTests {
    @Suite struct Server {
        static let settings = """
            binlog_format                    ROW
            character_set_server             utf8mb4
            collation_server                 utf8mb4_nopad_bin
            event_scheduler                  ON
            expire_logs_days                 0.000000
            idle_write_transaction_timeout   60
            innodb_autoinc_lock_mode         2
            innodb_buffer_pool_size          268435456
            innodb_flush_log_at_trx_commit   1
            innodb_log_file_size             268435456
            local_infile                     OFF
            log_bin                          ON
            log_bin_trust_function_creators  ON
            max_connections                  400
            secure_timestamp                 YES
            skip_name_resolve                ON
            skip_networking                  ON
            sync_binlog                      1
            time_zone                        +00:00
            tx_isolation                     READ-COMMITTED
            """

        @Test func settingsAreDurable() async throws {
            try await withFolder { folder in
                let server = try await LocalMariaDB.start(.init(folder: folder))
                var values: [String: String] = [:]
                for row in try await sql(server, "SHOW GLOBAL VARIABLES") {
                    let columns = row.split(separator: "\t", omittingEmptySubsequences: false)
                    values[String(columns[0])] = String(columns[1])
                }
                for line in Self.settings.split(separator: "\n") {
                    let words = line.split(separator: " ").map(String.init)
                    #expect(values[words[0]] == words[1], "\(words[0])")
                }
                #expect(values["log_bin_basename"] == "\(server.folder)/data/binlog")
            }
        }

        @Test func anIdleServerEndsAndABusyOneStays() async throws {
            try await withFolder { folder in
                let server = try await LocalMariaDB.start(.init(folder: folder, idleShutdownSeconds: 2))
                // A client that is connected and does nothing.
                let (client, _) = process("/usr/bin/env", clientArguments(server))
                let input = Pipe()
                client.standardInput = input
                try client.run()
                try await Task.sleep(for: .seconds(5))
                #expect(isRunning(folder))
                let counters = try await sql(server, """
                    SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN
                    ('Com_update', 'Com_update_multi', 'Com_delete', 'Com_delete_multi', 'Com_replace',
                     'Com_replace_select')
                    """)
                #expect(counters == Array(repeating: "0", count: 6))
                try input.fileHandleForWriting.close()
                client.waitUntilExit()

                let left = ContinuousClock.now
                #expect(try await eventually { LocalMariaDB.status(folder: folder) == .stopped })
                #expect(ContinuousClock.now - left > .milliseconds(1700))
                let log = try String(contentsOfFile: server.logPath, encoding: .utf8)
                #expect(log.contains("Normal shutdown"))
                #expect(!log.contains("[ERROR]"), "\(log)")

                // The event that has ended the server does not end the next one.
                let next = try await LocalMariaDB.start(.init(folder: folder, idleShutdownSeconds: nil))
                try await Task.sleep(for: .seconds(3))
                #expect(isRunning(folder))
                #expect(try await sql(next, "SELECT COUNT(*) FROM mysql.event") == ["0"])
            }
        }

        @Test func shortVisitsKeepAServerAlive() async throws {
            try await withFolder { folder in
                let server = try await LocalMariaDB.start(.init(folder: folder, idleShutdownSeconds: 2))
                for _ in 0..<5 {
                    try await Task.sleep(for: .seconds(1))
                    #expect(try await sql(server, "SELECT 1") == ["1"])
                }
            }
        }

        @Test func theEventStaysOutOfTheBinaryLog() async throws {
            try await withFolder { folder in
                let server = try await LocalMariaDB.start(.init(folder: folder))
                let events = try await sql(server, "SHOW BINLOG EVENTS")
                #expect(!events.isEmpty)
                #expect(!events.contains { $0.contains("indelible_idle_shutdown") })
            }
        }

        @Test(arguments: [
            ([0x0a, 0x35, 0x2e], true), ([0xff, 0x10, 0x04], true), ([0xff, 0x1d, 0x04], false), ([], false),
        ] as [([UInt8], Bool)])
        func aGreetingIsRecognised(payload: [UInt8], expected: Bool) {
            #expect(Handshake.greets(payload: payload[...]) == expected)
        }
    }
}
