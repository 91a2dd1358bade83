import Configuration
import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import Logging
import Testing

@testable import LedgerAPI

@Suite struct ModeTests {
    @Test func `a read-only copy answers everything that reads, and refuses what writes`() async throws {
        try await withService { writer, book in
            try await writer.openBank()
            try await book.project()
            var settings = Settings(location: book.location)
            settings.mode = .readOnly
            try await serve(settings) { try await Self.reads($0) }
            #expect(try await writer.balance("customers:bob") == "0.00")
        }
    }

    private static func reads(_ client: Client) async throws {
        #expect(try await client.balance("customers:alice") == "100.00")
        #expect(try await client.get("/transfers/funding").status == 200)
        #expect(try await client.get("/accounts/customers:alice/lines?currency=EUR").status == 200)
        #expect(try await client.get("/health")["mode"] == "read-only")
        let followed = try await client.follow { $0.events.count == 4 }
        #expect(followed.events.last?.event.subject == "funding")
        for path in ["/accounts", "/transfers", "/holds", "/holds/h1/capture", "/holds/h1/void", "/charges", "/charges/c/capture", "/charges/c/refunds"] {
            let refused = try await client.post(path, [:], key: "k")
            #expect(refused.status == 403 && refused.code == "readOnly", "\(path): \(refused.body)")
        }
    }

    @Test func `a login that may only read is enough for it`() async throws {
        try await withBook { book in
            let reader = "r_" + book.name.dropFirst(2)
            try await BookOwner(book.owner).createLogin(reader, password: Secret("pw"))
            try await BookOwner(book.owner).grantRoles(to: reader, roles: [.auditor])
            try await book.ledger.openAccount("a", in: .eur, type: .asset)
            var settings = Settings(location: book.location)
            (settings.location.user, settings.location.password, settings.mode) = (reader, Secret("pw"), .readOnly)
            let (balance, health) = try await serve(settings) { (try await $0.balance("a"), try await $0.get("/health")) }
            #expect(balance == "0.00" && health.status == 200)
        }
    }

    @Test func `jobs run here, or elsewhere; a service that is far behind is not ready`() async throws {
        try await withService { client, _ in
            try await client.openBank()
            try await eventually("the jobs follow") {
                let health = try await client.get("/health")
                guard case .array(let jobs)? = health["jobs"] else { return false }
                return health["ready"] == true && health["lag"] == 0 && jobs.count == 3
            }
        }
        try await withService({ ($0.jobs, $0.lagMax) = (.elsewhere, 2) }) { client, book in
            #expect(try await client.get("/health").status == 200)
            try await client.openBank()
            let behind = try await client.get("/health")
            #expect(behind.status == 503 && behind["ready"] == false && behind["jobs"] == [])
            #expect(try await client.get("/health/live").status == 200)
            try await book.project()
            #expect(try await client.get("/health").status == 200)
        }
    }

    @Test func `without a database it says try again, and nothing of the database`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            await book.ledger.close()
            try await serve(Settings(location: book.location)) { client in
                try await client.openBank()
                server.kill()
                for answer in [
                    try await client.post("/transfers", transfer("bank", "customers:bob", "1.00"), key: "t1"),
                    try await client.get("/accounts/bank/balance?currency=EUR"), try await client.get("/health"),
                ] {
                    #expect(answer.status == 503 && answer.header("Retry-After") == "1", "\(answer.body)")
                    for secret in [server.folder, book.name, book.password, "sock", "swift"] { #expect(!answer.body.contains(secret), "\(answer.body)") }
                }
                #expect(try await client.get("/health/live").status == 200)
                _ = try await LocalMariaDB.start(.init(folder: server.folder, idleShutdownSeconds: 120))
                try await eventually("it takes posts again") {
                    try await client.post("/transfers", transfer("bank", "customers:bob", "1.00"), key: "t1").status < 300
                }
            }
        }
    }
}

@Suite struct SettingsTests {
    private static func settings(_ environment: [String: String]) throws -> Settings {
        try Settings(ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "ledger")))
    }

    @Test func `settings come from the environment`() throws {
        let settings = try Self.settings([
            "LEDGER_DATABASE": "mariadb://ann@db:3307/shop", "LEDGER_MODE": "read-only", "LEDGER_PORT": "9000", "LEDGER_HOST": "::1",
            "LEDGER_PASSWORD": "swordfish", "LEDGER_JOBS": "elsewhere", "LEDGER_LAG_MAX": "5", "LEDGER_SOCKET": "run/my.sock",
            "LEDGER_LOG_LEVEL": "debug", "LEDGER_WEBHOOK_URL": "http://x/y", "LEDGER_WEBHOOK_SECRET": "whsec_" + Data(repeating: 7, count: 24).base64EncodedString(),
        ])
        #expect(settings.mode == .readOnly && settings.port == 9000 && settings.jobs == .elsewhere && settings.lagMax == 5 && settings.host == "::1")
        #expect(settings.location.user == "ann" && settings.location.book == "shop" && settings.location.server == .socket(path: "run/my.sock"))
        #expect(settings.location.password == Secret("swordfish") && settings.logLevel == .debug && settings.webhook?.url == "http://x/y")
        let plain = try Self.settings(["LEDGER_DATABASE": "mariadb://ann@db/shop"])
        #expect(plain.mode == .writer && plain.port == 8080 && plain.host == "127.0.0.1" && plain.jobs == .here && plain.webhook == nil)
        #expect(plain.location.server == .tcp(host: "db", port: 3306))
    }

    @Test(arguments: [
        ("LEDGER_DATABASE", "shop"), ("LEDGER_MODE", "reader"), ("LEDGER_PORT", "65536"), ("LEDGER_PORT", "-1"), ("LEDGER_JOBS", "none"),
        ("LEDGER_LAG_MAX", "few"), ("LEDGER_LOG_LEVEL", "loud"), ("LEDGER_WEBHOOK_SECRET", "whsec_c2hvcnQ="), ("LEDGER_WEBHOOK_URL", "ftp://x"),
        ("LEDGER_PASSWORD_FILE", "no/such/file"),
    ])
    func `a setting that is wrong is named`(_ name: String, _ value: String) {
        var environment = [
            "LEDGER_DATABASE": "mariadb://ann@db/shop", "LEDGER_WEBHOOK_URL": "http://x", "LEDGER_PASSWORD": "swordfish",
            "LEDGER_WEBHOOK_SECRET": "whsec_" + Data(repeating: 7, count: 24).base64EncodedString(),
        ]
        environment[name] = value
        let error = #expect(throws: SettingsError.self) { try Self.settings(environment) }
        #expect(error?.description.hasPrefix(name) == true && error?.description.contains("swordfish") == false, "\(String(describing: error))")
    }

    @Test func `without a database nothing is guessed, and the program ends`() async throws {
        #expect(throws: SettingsError.self) { try Self.settings([:]) }
        try await withBook { book in
            let instance = try await Instance(book, ["LEDGER_DATABASE": "shop"])
            await #expect(throws: NeverRan.self) { try await instance.start() }
            #expect(await instance.stop() == 1)
        }
    }

    @Test func `a database that does not answer yet is waited for`() async throws {
        try await withBook { book in
            let instance = try await Instance(book, ["LEDGER_SOCKET": "/nowhere.sock"])
            try await instance.start()
            #expect(try await instance.client.get("/health").status == 503)
            #expect(await instance.stop() == 0)
        }
    }

    @Test(arguments: [("LEDGER_PASSWORD", "wrong"), ("LEDGER_DATABASE", "mariadb://nobody@localhost/book")])
    func `who may not use the book is told at the start`(_ name: String, _ value: String) async throws {
        try await withBook { book in
            let instance = try await Instance(book, [name: value])
            try await instance.launch()
            try await eventually("it ends by itself") { await !instance.isRunning }
            #expect(await instance.stop() == 1)
        }
    }
}
