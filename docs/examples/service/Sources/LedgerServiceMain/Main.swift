import Foundation
import Indelible
import LedgerAPI
import Logging
import ServiceLifecycle
import UnixSignals

/// `ledger-service`: reads its settings from the environment and runs until SIGTERM or SIGINT. `ledger-service prepare` makes what the
/// webhook needs in the book, as its owner.
@main enum Main {
    static func main() async {
        LoggingSystem.bootstrap({ StreamLogHandler.standardError(label: $0, metadataProvider: $1) }, metadataProvider: .indelible)
        var logger = Logger(label: "ledger")
        do {
            let settings = try Settings.ofEnvironment()
            logger.logLevel = settings.logLevel
            let api = LedgerAPI(settings, logger: logger)
            if CommandLine.arguments.dropFirst() == ["prepare"] { return try await api.prepare() }
            let services = api.services { [logger] port in
                logger.notice("listening on port \(port)")
            }
            try await ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
        } catch {
            logger.critical("\(error)")
            exit(1)
        }
    }
}
