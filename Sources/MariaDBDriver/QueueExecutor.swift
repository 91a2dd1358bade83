import Dispatch

/// Runs the jobs of one actor, one after the other, on a queue of its own.
///
/// The C client blocks its thread. On the shared pool of Swift Concurrency, which has one thread a core, a few
/// blocked calls would stop everything; a queue of its own costs a connection one thread while it waits.
/// (`DispatchSerialQueue` does not exist on Linux.)
final class QueueExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "mariadb.connection")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
