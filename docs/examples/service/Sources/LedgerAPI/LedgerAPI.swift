import Charges
import Hummingbird
import Indelible
import IndelibleService
public import Logging
import NIOCore
public import ServiceLifecycle

/// A ledger over HTTP: a book, its jobs, and the routes.
public struct LedgerAPI: Sendable {
    let settings: Settings
    let logger: Logger
    private let translator: Translator
    private let book: LedgerService

    /// Connects to nothing yet.
    public init(_ settings: Settings, logger: Logger = Logger(label: "ledger")) {
        (self.settings, self.logger) = (settings, logger)
        let translator = PublicEvents.translator(settings.location.book)
        self.translator = translator
        book = LedgerService(
            settings.location, mode: settings.mode, jobs: settings.jobs == .here ? .inProcess : .elsewhere,
            working: { ledger in Self.webhook(settings, ledger, translator).map { [$0] } ?? [] }, logger: logger)
    }

    /// Everything that runs, for a `ServiceGroup`. A graceful shutdown ends the last first: requests, then the jobs, then the connections.
    /// - Parameter running: told of the port once requests are taken.
    public func services(running: @escaping @Sendable (Int) -> Void = { _ in }) -> [any Service] {
        let router = router()
        OtherMethods.refuse(on: router)
        let server = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname(settings.host, port: settings.port), serverName: "ledger"),
            onServerRunning: { channel in running(channel.localAddress?.port ?? 0) }, logger: logger)
        return [book, server, StartCheck(ledger: book.ledger, logger: logger)]
    }

    /// Makes what the webhook needs in the book. For the book's owner; doing it again changes nothing.
    /// - Throws: `LedgerError`: `accessDenied` for anybody else.
    public func prepare() async throws {
        guard let webhook = Self.webhook(settings, book.ledger, translator) else { return }
        try await BookOwner(settings.location).createJob(webhook)
    }

    private static func webhook(_ settings: Settings, _ ledger: Ledger, _ translator: Translator) -> Subscription? {
        settings.webhook.map { WebhookSender(target: $0).subscription(translator, ledger) }
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: Correlation(mode: settings.mode))
        AccountRoutes(ledger: book.ledger).add(to: router)
        TransferRoutes(ledger: book.ledger).add(to: router)
        ChargeRoutes(charges: ChargeService(Units(book.ledger))).add(to: router)
        EventRoutes(ledger: book.ledger, translator: translator, heartbeat: settings.heartbeat).add(to: router)
        HealthRoutes(book, settings).add(to: router)
        router.get("/openapi.json") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.openapi_json)))
        }
        return router
    }
}
