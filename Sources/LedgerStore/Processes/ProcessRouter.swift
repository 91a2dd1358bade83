import LedgerDatabase
public import LedgerModel
import Synchronization

/// The job that takes inputs to the processes of one type: for each entry that is for a process it records a step, once, with the effects
/// behind it, all in one transaction and in the order of the journal.
///
/// ```swift
/// let router = ProcessRouter(of: OrderPayment.self, ledger: ledger)
/// try await BookOwner(owner).createGeneration(of: router)
/// let projector = Projector(location, jobs: Projector.builtIn + [router, Timers()])
/// try await projector.run()
/// ```
/// Any number of routers may run. The id of a step follows from the process and the input, so what is read again is recognised; a step claims
/// the next revision of the process's stream, so it is decided on everything that came before. An effect that the book refuses stops the job at
/// its input and names it: what may be refused in the course of business is a command.
public struct ProcessRouter<P: ProcessManager>: Job {
    public let definition: JobDefinition
    private let book: ProcessBook
    private let cache = ProcessCache<P>()
    private let kinds: Set<EntryKind>

    /// - Parameters:
    ///   - ledger: with which steps are recorded; it has to be a writer's.
    ///   - version: change it to read the whole journal again, such as when ``ProcessManager/inputs`` take more than before. Steps that are
    ///     recorded stay.
    public init(of type: P.Type, ledger: Ledger, version: String = "1") {
        definition = JobDefinition(
            name: "process_" + P.name.text.map { $0 == "-" ? "_" : String($0) }.joined(), version: version, positionsMax: 1024)
        book = ProcessBook(ledger: ledger)
        kinds = Set(P.inputs.map(\.kind))
    }

    public func begin(after previous: (any JobStep)?) -> any JobStep { Step(router: self) }

    private struct Step: JobStep {
        let router: ProcessRouter
        var entries: [JournalEntry] = []

        mutating func take(_ batch: JournalBatch) {
            for index in batch.indices where router.kinds.contains(batch.kind(index)) { entries.append(batch[index]) }
        }

        func prepare() async throws {
            guard !entries.isEmpty else { return }
            for entry in try await router.book.ledger.recorded(entries) {
                do {
                    for (id, input) in try P.inputs(of: entry) { _ = try await router.book.take(P.self, id, input, entry, router.cache) }
                    JobHeartbeat.beat()
                } catch { throw Self.explained(error, entry) }
            }
        }

        func write(_ writer: borrowing StepWriter) {}

        /// What will not be otherwise the next time is the entry's fault.
        private static func explained(_ error: any Error, _ entry: RecordedEntry) -> any Error {
            if error is CancellationError { return error }
            let place = "the process \(P.name) cannot take the \(entry.kind) at position \(entry.position)"
            switch error {
            case let error as LedgerError:
                let isOfTheDatabase = [.accessDenied, .schema, .storageFull].contains(error.code)
                return error.retry == .never && !isOfTheDatabase ? LedgerError(.integrity, "\(place): \(error.message)", id: entry.id) : error
            case let error as DatabaseError: return LedgerError.translating(error)
            // What the process itself says of an entry.
            default: return LedgerError(.integrity, "\(place): \(error)", id: entry.id)
            }
        }
    }
}

/// Processes as a router left them, to go on without reading. A step that is decided on an old one is refused, because somebody else has the
/// revision.
final class ProcessCache<P: ProcessManager>: Sendable {
    private let known = Mutex<[StreamName: (run: ProcessRun<P>, revision: UInt64)]>([:])
    private static var processesMax: Int { 10_000 }

    func find(_ stream: StreamName) -> (ProcessRun<P>, UInt64)? { known.withLock { $0[stream].map { ($0.run, $0.revision) } } }

    func keep(_ run: ProcessRun<P>, _ revision: UInt64) {
        known.withLock { known in
            if known.count >= Self.processesMax, known[run.stream] == nil { known = [:] }
            known[run.stream] = (run, revision)
        }
    }

    func forget(_ stream: StreamName) { known.withLock { $0[stream] = nil } }
}
