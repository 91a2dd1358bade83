/// What a process wants to happen: data, which is recorded with the step that asked for it.
public enum Effect: Sendable, Hashable {
    /// An entry is posted. An id of the library's own is replaced by one that follows from the process and the step, or from the process and
    /// `once`; so it is posted once, however often the step is tried. With `once` it is posted once in the life of the process: asked
    /// again, nothing happens.
    case post(Entry, once: String? = nil)
    /// A command is sent: an entry without postings that has the command's name as its kind.
    case command(EntryKind, payload: [String: JSON] = [:], once: String? = nil)
    /// A timer is started; one of that name that runs already is cancelled first.
    case timer(String, TimerDue)
    /// A timer is cancelled, if it runs. Compensations are effects too: there is no other way back.
    case cancelTimer(String)

    /// Starts a timer that is due at an instant. One that lies in the past is due at once.
    public static func startTimer(_ name: String, at instant: Timestamp) -> Effect { .timer(name, .at(instant)) }
    /// Starts a timer that is due so long after the input was recorded.
    public static func startTimer(_ name: String, after delay: Duration) -> Effect { .timer(name, .after(delay)) }
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
