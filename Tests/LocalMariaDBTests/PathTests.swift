import Foundation
import Testing

@testable import LocalMariaDB

extension AllTests {
    @Suite struct Paths {
        @Test func spacesAndLettersOfAllKinds() async throws {
            try await withFolder("büro 'täglich' \"x\" 帳簿/my db") { folder in
                let server = try await LocalMariaDB.start(.init(folder: folder))
                #expect(try await sql(server, "SELECT 1") == ["1"])
                try await server.stop()
                #expect(LocalMariaDB.status(folder: folder) == .stopped)
            }
        }

        @Test func aLongPathHasAShortSocket() async throws {
            let name = String(repeating: "long-folder-name-", count: 8)
            try await withFolder("\(name)/\(name)") { folder in
                let server = try await LocalMariaDB.start(.init(folder: folder))
                #expect(server.socketPath.utf8.count <= SocketPath.bytesMax)
                #expect(server.socketPath.hasPrefix(SocketPath.sharedFolder + "/"))
                #expect(try await sql(server, "SELECT 1") == ["1"])
                server.kill() // leaves the socket behind
                let again = try await LocalMariaDB.start(.init(folder: folder))
                #expect(again.socketPath == server.socketPath)
                try await again.stop()
                #expect(!FileManager.default.fileExists(atPath: again.socketPath))
            }
        }

        @Test func theLimitIsExact() {
            let suffix = "/mariadb.sock".utf8.count
            let fits = "/" + String(repeating: "a", count: SocketPath.bytesMax - suffix - 1)
            #expect(SocketPath.of(folder: fits) == fits + "/mariadb.sock")
            #expect(SocketPath.of(folder: fits + "a").hasPrefix(SocketPath.sharedFolder))
        }

        @Test func aSocketFolderOfSomebodyElseIsRefused() async throws {
            try await withFolder { folder in
                let base = (folder as NSString).deletingLastPathComponent
                try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
                try SocketPath.preparePrivateFolder(base + "/private")
                try FileManager.default.createSymbolicLink(
                    atPath: base + "/link", withDestinationPath: base + "/private")
                try FileManager.default.createDirectory(
                    atPath: base + "/open", withIntermediateDirectories: false,
                    attributes: [.posixPermissions: 0o755])
                for name in ["link", "open"] {
                    let error = #expect(throws: LocalMariaDBError.self) {
                        try SocketPath.preparePrivateFolder("\(base)/\(name)")
                    }
                    #expect(error?.kind == .unsafeSocketFolder)
                }
            }
        }

        @Test func anUnusableFolderIsNamed() async throws {
            let error = await startError(.init(folder: "/dev/null/db"))
            #expect(error?.kind == .unusableFolder)
            #expect(error?.message.contains("/dev/null/db") == true)
        }
    }
}
