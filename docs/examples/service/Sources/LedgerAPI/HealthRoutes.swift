import HTTPTypes
import Hummingbird
import Indelible
import IndelibleService

/// Whether the service works, for a load balancer and for people.
struct HealthRoutes: Sendable {
    let book: Book
    let settings: Settings

    func add(to router: Router<BasicRequestContext>) {
        router.get("/health/live", use: live)
        router.get("/health", use: ready)
    }

    /// It answers.
    @Sendable private func live(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        Response(["live": true])
    }

    /// The database answers, the balances are not far behind the journal, and the jobs of this process get on. Else 503.
    @Sendable private func ready(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let health = book.health
        let lag = try await lag()
        let isReady = lag ?? 0 <= settings.lagMax && health.allSatisfy { $0.isAlive && $0.isReady }
        let jobs = health.map { job in
            JSON.object(
                Dictionary(
                    [
                        "job": .string(job.job), "generation": .integer(Int64(job.generation)), "ready": .bool(job.isAlive && job.isReady),
                        "through": job.through.map { .integer(Int64(clamping: $0.number)) } ?? .null,
                    ], ["problem": job.problem]))
        }
        return Response(
            [
                "live": true, "ready": .bool(isReady), "mode": .string(settings.mode.rawValue), "jobs": .array(jobs),
                "lag": lag.map { .integer(Int64(clamping: $0)) } ?? .null,
            ], status: isReady ? .ok : .serviceUnavailable)
    }

    /// How many positions the projected balances are behind; nil while there is no account.
    private func lag() async throws -> UInt64? {
        guard let account = try await book.ledger.accounts().first else { return nil }
        let (path, code) = (account.path, account.currency.code)
        let projected = try await book.ledger.balance(of: path, in: code, at: .projected).through.number
        let current = try await book.ledger.balance(of: path, in: code).through.number
        return current - min(current, projected)
    }
}
