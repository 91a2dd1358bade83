import Charges
import Hummingbird
import Indelible
public import Logging
import NIOCore
public import ServiceLifecycle

/// A ledger over HTTP: a book, its jobs, and the routes.
public struct LedgerAPI: Sendable {
    let settings: Settings
    let logger: Logger
    private let book: Book

    /// Connects to nothing yet.
    public init(_ settings: Settings, logger: Logger = Logger(label: "ledger")) {
        (self.settings, self.logger) = (settings, logger)
        book = Book(settings, logger)
    }

    /// Everything that runs, for a `ServiceGroup`. A graceful shutdown ends the last first: requests, then the jobs, then the connections.
    /// - Parameter running: told of the port once requests are taken.
    public func services(running: @escaping @Sendable (Int) -> Void = { _ in }) -> [any Service] {
        let server = Application(
            router: router(),
            configuration: ApplicationConfiguration(address: .hostname(settings.host, port: settings.port), serverName: "ledger"),
            onServerRunning: { channel in running(channel.localAddress?.port ?? 0) }, logger: logger)
        return [book, server]
    }

    /// Makes what the webhook needs in the book. For the book's owner; doing it again changes nothing.
    /// - Throws: `LedgerError`: `accessDenied` for anybody else.
    public func prepare() async throws {
        if let webhook = book.webhook { try await BookOwner(settings.location).createJob(webhook) }
        await book.ledger.close()
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: Correlation(mode: settings.mode))
        AccountRoutes(ledger: book.ledger).add(to: router)
        TransferRoutes(ledger: book.ledger).add(to: router)
        ChargeRoutes(charges: ChargeService(Units(book.ledger))).add(to: router)
        EventRoutes(ledger: book.ledger, translator: book.translator, heartbeat: settings.heartbeat).add(to: router)
        HealthRoutes(book, settings).add(to: router)
        router.get("/openapi.json") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.openapi_json)))
        }
        return router
    }
}
