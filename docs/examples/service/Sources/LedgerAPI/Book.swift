import Indelible
import IndelibleService
import Logging
import ServiceLifecycle

/// The book of this process: open for writing, with its jobs, or for reading only.
struct Book: Service {
    let ledger: Ledger
    private let writing: LedgerService?

    init(_ settings: Settings, _ logger: Logger) {
        switch settings.mode {
        case .writer:
            let service = LedgerService(settings.location, jobs: settings.jobs == .here ? .inProcess : .elsewhere, logger: logger)
            (ledger, writing) = (service.ledger, service)
        case .readOnly: (ledger, writing) = (Ledger(settings.location, role: .auditor), nil)
        }
    }

    var health: [JobHealth] { writing?.health ?? [] }

    func run() async throws {
        if let writing { return try await writing.run() }
        try? await gracefulShutdown()
        await ledger.close()
    }
}
