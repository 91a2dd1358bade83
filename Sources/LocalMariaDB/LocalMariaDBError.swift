/// Why a local server could not be started or stopped.
///
/// `message` says what failed, where, and what to do about it; where the server's error log knows
/// more, its last lines are part of the message.
public struct LocalMariaDBError: Error, CustomStringConvertible, Sendable {
    /// What went wrong, for code that decides by it.
    public enum Kind: Sendable, Equatable {
        /// `mariadbd` or `mariadb-install-db` is not installed.
        case missingProgram
        /// The folder cannot be created, locked or written, or its data belongs to another user.
        case unusableFolder
        /// The folder for sockets of long paths is not a private folder of this user.
        case unsafeSocketFolder
        /// The operating-system user has no name, so no database account can be made for it.
        case unknownUser
        /// `mariadb-install-db` could not create the data folder.
        case initialisationFailed
        /// A program could not be run at all.
        case launchFailed
        /// The server ended before it was ready.
        case serverExited
        /// The server was not ready in time. It may still be starting: calling `start` again waits on.
        case startTimedOut
        /// The server did not end in time, or may not be signalled by this user.
        case stopFailed
        /// The task that was waiting has been cancelled. A server that was starting goes on starting.
        case cancelled
    }

    /// What went wrong, to decide by.
    public let kind: Kind
    /// What went wrong, where, and what to do, to read.
    public let message: String

    /// The message.
    public var description: String { message }

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The same with the last lines of a log below the message.
    init(_ kind: Kind, _ message: String, logPath: String) {
        let tail = logTail(logPath)
        self.init(kind, tail.isEmpty
            ? "\(message) \(logPath) says nothing."
            : "\(message) The last lines of \(logPath):\n\(tail)")
    }
}
