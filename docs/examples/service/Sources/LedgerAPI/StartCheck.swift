import HTTPTypes
import Indelible
import Logging
import ServiceLifecycle

/// Asks the book for something small, so that a setting that is wrong ends the program when it starts, and not its first request. What
/// is answered with 503 is no such thing: the database may come yet.
struct StartCheck: Service {
    let ledger: Ledger
    let logger: Logger

    func run() async throws {
        do { _ = try await ledger.currencies() } catch {
            guard error.code.status == .serviceUnavailable else { throw error }
            let said = "\(error)"
            logger.warning("the database does not answer yet", metadata: ["error": .string(said)])
        }
        try? await gracefulShutdown()
    }
}
