import Dispatch

/// Runs the jobs of one actor, one after the other, on a queue of its own.
///
/// The C client blocks its thread. On the shared pool of Swift Concurrency, which has one thread a core, a few
/// blocked calls would stop everything; a queue of its own costs a connection one thread while it waits.
/// (`DispatchSerialQueue` does not exist on Linux.)
///
/// It is a task's executor too: a task that prefers the queue of the connection that it works on needs no other thread.
package final class QueueExecutor: SerialExecutor, TaskExecutor {
    private let queue = DispatchQueue(label: "mariadb.connection")

    package init() {}

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async {
            unsafe job.runSynchronously(isolatedTo: self.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
        }
    }

    package func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
