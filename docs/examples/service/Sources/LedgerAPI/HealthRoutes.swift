import HTTPTypes
import Hummingbird
import Indelible
import IndelibleService
import Synchronization

/// Whether the service works, for a load balancer and for people.
final class HealthRoutes: Sendable {
    private let book: LedgerService
    private let settings: Settings
    /// Some account: the lag is looked at there. Accounts are never removed.
    private let account = Mutex<Account?>(nil)

    init(_ book: LedgerService, _ settings: Settings) { (self.book, self.settings) = (book, settings) }

    func add(to router: Router<BasicRequestContext>) {
        router.get("/health/live", use: live)
        router.get("/health", use: ready)
    }

    /// It answers.
    @Sendable private func live(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        Response(["live": true])
    }

    /// The database answers, the balances are not far behind the journal, and the projections of this process get on. Else 503.
    @Sendable private func ready(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let lag = try await lag()
        let isReady = lag ?? 0 <= settings.lagMax && areJobsReady
        let jobs = book.health.map { job in
            [
                "job": .string(job.job), "generation": .integer(Int64(job.generation)), "ready": .bool(job.isAlive && job.isReady),
                "through": job.through.map { .integer(Int64(clamping: $0.number)) } ?? .null,
            ] as JSON
        }
        return Response(
            [
                "live": true, "ready": .bool(isReady), "mode": .string(settings.mode.rawValue), "jobs": .array(jobs),
                "missing": .array(missing.map(JSON.string)),
                "lag": lag.map { .integer(Int64(clamping: $0)) } ?? .null,
            ], status: isReady ? .ok : .serviceUnavailable)
    }

    /// None is missing, and the projections get on. A webhook's receiver that is down is no reason to send requests elsewhere.
    private var areJobsReady: Bool {
        missing.isEmpty && book.health.allSatisfy { !Self.projections.contains($0.job) || ($0.isAlive && $0.isReady) }
    }

    private static let projections = Set(Projector.builtIn.map(\.definition.name))

    /// Jobs that this process is to run and does not: the book has not them, or it has just begun. `ledger-service prepare` makes the webhook's.
    private var missing: [String] {
        guard settings.mode == .writer, settings.jobs == .here else { return [] }
        let expected = settings.webhook == nil ? Self.projections : Self.projections.union([WebhookSender.job])
        return expected.subtracting(book.health.map(\.job)).sorted()
    }

    /// How many positions the projected balances are behind; nil while there is no account.
    private func lag() async throws -> UInt64? {
        var account = account.withLock { $0 }
        if account == nil { account = try await book.ledger.accounts().first }
        guard let account else { return nil }
        self.account.withLock { $0 = account }
        let projected = try await book.ledger.balance(of: account.path, in: account.currency.code, at: .projected).through.number
        let current = try await book.ledger.balance(of: account.path, in: account.currency.code).through.number
        return current - min(current, projected)
    }
}
