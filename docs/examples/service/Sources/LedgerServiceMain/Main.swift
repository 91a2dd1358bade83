import Foundation
import Indelible
import LedgerAPI
import Logging
import ServiceLifecycle
import UnixSignals

/// `ledger-service`: reads its settings from the environment and runs until SIGTERM or SIGINT.
@main enum Main {
    static func main() async {
        LoggingSystem.bootstrap({ StreamLogHandler.standardError(label: $0, metadataProvider: $1) }, metadataProvider: .indelible)
        var logger = Logger(label: "ledger")
        do {
            let settings = try Settings.ofEnvironment()
            logger.logLevel = settings.logLevel
            let services = LedgerAPI(settings, logger: logger).services { [logger] port in
                logger.notice("listening on port \(port)")
            }
            try await ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
        } catch {
            logger.critical("\(error)")
            exit(1)
        }
    }
}
