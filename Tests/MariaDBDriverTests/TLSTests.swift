import Foundation
import IndelibleTesting
import LocalMariaDB
@testable import MariaDBDriver
import Testing

/// Encryption of TCP: on and verified unless one says otherwise.
@Suite struct TLSTests {
    /// Certificates made by `openssl` for these tests, in a folder of their own.
    private struct Certificates {
        let folder: String

        init() throws {
            folder = NSTemporaryDirectory() + "indelible-tls-\(UUID().uuidString.prefix(8))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for authority in ["ca", "other-ca"] {
                try openssl("req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=\(authority) -keyout \(authority)-key.pem -out \(authority).pem")
            }
            for (name, host) in [("good", "127.0.0.1"), ("wrong", "192.0.2.7")] {
                try request(name, host)
                try openssl("x509 -req -days 30 -in \(name).csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile \(name).ext -out \(name).pem")
            }
            // x509 -req cannot make one that has expired; ca can.
            try request("expired", "127.0.0.1")
            for file in ["index.txt", "index.txt.attr"] { _ = FileManager.default.createFile(atPath: "\(folder)/\(file)", contents: nil) }
            try Data("1000\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/serial"))
            try Data(
                """
                [ca]
                default_ca = own
                [own]
                database = index.txt
                serial = serial
                new_certs_dir = .
                default_md = sha256
                policy = any
                [any]
                commonName = supplied
                """.utf8
            ).write(to: URL(fileURLWithPath: "\(folder)/ca.cnf"))
            try openssl(
                "ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca-key.pem -startdate 200101000000Z -enddate 210101000000Z "
                    + "-extfile expired.ext -in expired.csr -out expired.pem")
        }

        func path(_ name: String) -> String { "\(folder)/\(name).pem" }

        func remove() { try? FileManager.default.removeItem(atPath: folder) }

        private func request(_ name: String, _ host: String) throws {
            try Data("subjectAltName = IP:\(host)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).ext"))
            try openssl("req -newkey rsa:2048 -nodes -subj /CN=\(host) -keyout \(name)-key.pem -out \(name).csr")
        }

        private struct Failed: Error { let arguments: String }

        private func openssl(_ arguments: String) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["openssl"] + arguments.split(separator: " ").map(String.init)
            process.currentDirectoryURL = URL(fileURLWithPath: folder)
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw Failed(arguments: arguments) }
        }
    }

    /// A server with a certificate (or without), and a login for TCP.
    private func withServer(
        _ certificate: String?, _ certificates: Certificates, _ body: (UInt16) async throws -> Void
    ) async throws {
        let port = UInt16.random(in: 20_000...32_000)
        var options: [String] = []
        if let certificate {
            options = [
                "--ssl-cert=\(certificates.path(certificate))", "--ssl-key=\(certificates.path("\(certificate)-key"))",
                "--ssl-ca=\(certificates.path("ca"))",
            ]
        }
        try await TestServer.withOwn(extraOptions: options, tcpPort: Int(port)) { server in
            let connection = try await MariaDBConnection.connect(configuration(server))
            try await connection.execute(unprepared: "CREATE USER tcp@'127.0.0.1' IDENTIFIED BY 'secret'")
            await connection.close()
            try await body(port)
        }
    }

    /// The cipher that is used, or the error.
    private func cipher(_ port: UInt16, _ tls: TLS?) async throws -> Result<String, MariaDBError> {
        var configuration = ConnectionConfiguration(
            address: .host("127.0.0.1", port: port), user: "tcp", password: "secret")
        if let tls { configuration.tls = tls }
        do {
            let connection = try await MariaDBConnection.connect(configuration)
            let row = try await connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0]
            await connection.close()
            guard case .text(let cipher) = row[1] else { return .success("") }
            return .success(cipher)
        } catch let error as MariaDBError { return .failure(error) }
    }

    @Test func `a server is verified, and each mode is what its name says`() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        let trusted = TLS.Certificates(authorities: certificates.path("ca"))
        let foreign = TLS.Certificates(authorities: certificates.path("other-ca"))
        try await withServer("good", certificates) { port in
            let good = try await cipher(port, .verifyServerCertificate(certificates: trusted))
            #expect((try? good.get())?.isEmpty == false, "\(good)")
            // By default the authorities are the system's, which do not know ours.
            for refused in [nil, TLS.verifyServerCertificate(certificates: foreign)] {
                let result = try await cipher(port, refused)
                guard case .failure(let error) = result else {
                    Issue.record("connected to a server that cannot be verified: \(result)")
                    continue
                }
                #expect(error.number == 2026, "\(error)")
                #expect(error.message.contains("authority"))
            }
            let unverified = try await cipher(port, .disableVerifyServerCertificate())
            #expect((try? unverified.get())?.isEmpty == false)
            let clear = try await cipher(port, .skipSSL)
            #expect((try? clear.get())?.isEmpty == true)
        }
    }

    @Test func `a certificate for another host, an expired one and none at all are refused`() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        let verify = TLS.verifyServerCertificate(certificates: .init(authorities: certificates.path("ca")))
        for certificate in ["wrong", "expired", nil] {
            try await withServer(certificate, certificates) { port in
                let result = try await cipher(port, verify)
                guard case .failure(let error) = result else {
                    Issue.record("connected with the certificate \(certificate ?? "none"): \(result)")
                    return
                }
                #expect(error.number == 2026, "\(certificate ?? "none"): \(error)")
                #expect(error.retry == .never)
                #expect(!"\(error)".contains("secret"))
                // In the clear it is reached only when that is asked for.
                let clear = try await cipher(port, .skipSSL)
                #expect((try? clear.get()) == "")
                let unverified = try await cipher(port, .disableVerifyServerCertificate())
                #expect((try? unverified.get())?.isEmpty == (certificate == nil ? nil : false), "\(certificate ?? "none"): \(unverified)")
            }
        }
    }

    @Test func `every way to authenticate that Debian's server has works, or says what to do`() async throws {
        try await TestServer.withOwn { server in
            let owner = try await MariaDBConnection.connect(configuration(server))
            try await owner.execute(unprepared: "INSTALL SONAME 'auth_ed25519'")
            for (user, identified) in [
                ("native", "VIA mysql_native_password USING PASSWORD('pass')"), ("ed", "VIA ed25519 USING PASSWORD('pass')"),
                ("none", "BY ''"),
            ] {
                try await owner.execute(unprepared: "CREATE USER \(user)@localhost IDENTIFIED \(identified)")
            }
            func connect(_ user: String, _ password: String) async -> MariaDBError? {
                await failure {
                    let connection = try await MariaDBConnection.connect(
                        ConnectionConfiguration(address: .socket(server.socketPath), user: user, password: Password(password)))
                    await connection.close()
                }
            }
            #expect(await connect("native", "pass") == nil)
            #expect(await connect("ed", "pass") == nil)
            #expect(await connect("none", "") == nil)
            // unix_socket: the operating system's user.
            #expect(await connect(server.adminUser, "") == nil)
            for user in ["native", "ed", "none", "nobody-here"] {
                let error = await connect(user, "wrong")
                #expect([1045, 1698].contains(error?.number), "\(user): \(String(describing: error))")
            }
            await owner.close()
        }
    }

    @Test func `a plugin that the client has not is named`() async throws {
        // As the client library reports a server that asks for `caching_sha2_password` where its plugin is not installed.
        let error = Connecting(ConnectionConfiguration(address: .socket("x"), user: "x")).explained(
            MariaDBError(number: 2059, message: "Authentication plugin 'caching_sha2_password' cannot be loaded"))
        #expect(error.message.contains("caching_sha2_password") && error.message.contains("ed25519"))
    }
}
