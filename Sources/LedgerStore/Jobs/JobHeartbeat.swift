/// What a job says while a step takes long: that it gets on. Else a running projector would take it for one that hangs, and its process manager would
/// start it again, in the middle of the same step, for ever.
///
/// ``JobStep/prepare()`` calls it after each thing that it got done: an entry told, a page enqueued. What hangs does not call it.
public enum JobHeartbeat {
    @TaskLocal static var sink: (@Sendable () -> Void)?

    /// Something was got done. Where no projector runs the step, nothing happens.
    public static func beat() { sink?() }
}
