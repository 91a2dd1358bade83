/// What a job says while a step takes long: that it gets on. Else a running projector would take it for one that hangs, and its process manager would
/// start it again, in the middle of the same step, for ever.
///
/// ``JobStep/prepare()`` calls it after each thing that it got done: an entry told, a page enqueued. What hangs does not call it.
public enum JobHeartbeat {
    /// Who listens. No plain closure: optimized code crashes where it binds one.
    struct Listener: Sendable {
        let beat: @Sendable () -> Void
    }

    @TaskLocal static var listener: Listener?

    /// Something was got done. Where no projector runs the step, nothing happens.
    public static func beat() { listener?.beat() }
}
