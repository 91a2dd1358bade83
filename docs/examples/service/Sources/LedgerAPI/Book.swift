import Indelible
import IndelibleService
import Logging
import ServiceLifecycle

/// The book of this process: open for writing, with its jobs, or for reading only.
struct Book: Service {
    let ledger: Ledger
    let translator: Translator
    /// Who is told of public events, if anybody is.
    let webhook: Subscription?
    private let jobs: ProjectorService?

    init(_ settings: Settings, _ logger: Logger) {
        ledger = Ledger(settings.location, role: settings.mode == .writer ? .writer : .auditor)
        translator = PublicEvents.translator(settings.location.book)
        webhook = settings.webhook.map { [ledger, translator] in Self.subscription($0, ledger, translator) }
        guard settings.mode == .writer, settings.jobs == .here else { jobs = nil; return }
        let own: [any Job] = webhook.map { [$0] } ?? []
        jobs = ProjectorService(Projector(settings.location, jobs: Projector.builtIn + own, logger: logger))
    }

    /// A webhook is a subscription that sends the event and waits for the answer.
    private static func subscription(_ target: WebhookTarget, _ ledger: Ledger, _ translator: Translator) -> Subscription {
        let sender = WebhookSender(target: target)
        return Subscription("webhook", of: translator.kinds, on: ledger) { entry in
            guard let event = try translator.event(of: entry) else { return }
            try await sender.send(event.id, event.json)
        }
    }

    /// Of the jobs of this process.
    var health: [JobHealth] { jobs?.projector.health ?? [] }

    /// None is missing, and the projections get on. A webhook's receiver that is down is no reason to send requests elsewhere.
    var isHealthy: Bool {
        guard let jobs else { return true }
        let (health, names) = (health, jobs.projector.jobs.map(\.definition.name))
        let projections = health.filter { $0.job != webhook?.definition.name }
        return Set(health.map(\.job)).isSuperset(of: names) && projections.allSatisfy { $0.isAlive && $0.isReady }
    }

    func run() async throws {
        if let jobs { try await jobs.run() } else { try? await gracefulShutdown() }
        await ledger.close()
    }
}
