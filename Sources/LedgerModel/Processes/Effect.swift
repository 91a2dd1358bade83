/// What a process wants to happen: data, which is recorded with the step that asked for it.
public enum Effect: Sendable, Hashable {
    /// An entry is posted. An id of the library's own is replaced by one that follows from the process and the step, or from the process and
    /// `once`; so it is posted once, however often the step is tried. With `once` it is posted once in the life of the process: asked
    /// again, nothing happens.
    case post(Entry, once: String? = nil)
    /// A command is sent, see ``command(_:once:)``.
    case send(SentCommand, once: String? = nil)
    /// A hold is captured: all of it, or so much of each posting. Captured in the same way already, nothing happens.
    case capture(EntryID, amounts: [Amount]? = nil)
    /// A hold is voided. Voided already, nothing happens.
    case void(EntryID)
    /// A timer is started; one of that name that runs already is cancelled first.
    case timer(String, TimerDue)
    /// A timer is cancelled, if it runs. Compensations are effects too: there is no other way back.
    case cancelTimer(String)

    /// Sends a command, once for each step or, with `once`, once in the life of the process. It was sent when the input was recorded.
    public static func command(_ command: some Command, once: String? = nil) -> Effect { .send(SentCommand(command), once: once) }
    /// Starts a timer that is due at an instant. One that lies in the past is due at once.
    public static func startTimer(_ name: String, at instant: Timestamp) -> Effect { .timer(name, .at(instant)) }
    /// Starts a timer that is due so long after the input was recorded.
    public static func startTimer(_ name: String, after delay: Duration) -> Effect { .timer(name, .after(delay)) }
}

/// A command as a process sends it: data. Its id and time come with the step.
public struct SentCommand: Sendable, Hashable {
    /// Or why it cannot be sent.
    private let operation: Result<UnitOperation, LedgerError>

    public init(_ command: some Command) {
        let time = SentTime(Timestamp(microseconds: 0))
        do throws(LedgerError) {
            operation = .success(try UnitOperation(enqueuing: command, id: EntryID(key: ""), sentAt: time))
        } catch { operation = .failure(error) }
    }

    /// - Throws: `invalidEvent` if it cannot be sent.
    func operation(id: EntryID, sentAt: SentTime) throws(LedgerError) -> UnitOperation {
        let operation = try operation.get()
        guard case .post(var entry) = operation.action, let header = operation.command else { return operation }
        entry.id = id
        return UnitOperation(
            .post(entry), command: CommandHeader(subject: header.subject, priority: header.priority, sentAt: sentAt, version: header.version))
    }
}

/// When a timer is due.
public enum TimerDue: Sendable, Hashable {
    case at(Timestamp)
    /// Counted from when the input was recorded, which is the same however late it is processed.
    case after(Duration)

    /// - Throws: `invalidTime` for an instant that a book does not keep.
    func instant(from recordedAt: Timestamp) throws(LedgerError) -> Timestamp {
        let instant: Timestamp
        switch self {
        case .at(let given): instant = given
        case .after(let delay):
            let (sum, overflow) = recordedAt.microseconds.addingReportingOverflow(delay.microseconds)
            guard !overflow else { throw LedgerError(.invalidTime, "a timer cannot be due \(delay) after \(recordedAt)") }
            instant = Timestamp(microseconds: sum)
        }
        guard instant.isStorable else {
            throw LedgerError(.invalidTime, "a timer would be due at \(instant); the book keeps the years 1000 to 9999")
        }
        return instant
    }
}

extension EntryID {
    /// The id of the end of a timer, cancelled or fired, the first one.
    package static func timerEnd(of set: EntryID) -> EntryID { derived("timer-end", set.description) }

    /// The id of the step of a process on an input.
    package static func processStep(of process: StreamName, on input: EntryID) -> EntryID {
        derived("process-step", process.text, input.description)
    }

    static func processEffect(of step: EntryID, _ index: Int) -> EntryID { derived("process-effect", step.description, String(index)) }
    static func processEffect(of process: StreamName, once name: String) -> EntryID { derived("process-once", process.text, name) }
}
