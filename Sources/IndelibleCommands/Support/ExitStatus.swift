import ArgumentParser
import Indelible
import LocalMariaDB

/// The exit codes of every command; `indelible --help` prints them.
enum ExitStatus: Int32 {
    case ok = 0
    /// The books differ from what they were compared with.
    case breaks = 1
    /// A rule of the book says no.
    case refused = 2
    /// Not everything could be examined.
    case incomplete = 3
    /// The book contradicts itself.
    case integrity = 4
    case usage = 64
    case badInput = 65
    case unavailable = 69
    case tryAgain = 75

    static let help = """
        EXIT CODES
          0   done; clean
          1   breaks: the books differ from what they were compared with
          2   refused: a rule of the book says no (limit, frozen, closed, settled)
          3   incomplete: not everything could be examined
          4   integrity: the book contradicts itself
          64  usage: the command line is wrong
          65  bad input: nothing was written for it
          69  no database, no access to it, or no room in it
          75  try again: busy, or the answer was lost (the same command again is safe)
        """

    init(_ error: LedgerError) {
        switch error.code {
        case .invalidAmount, .invalidCurrency, .invalidAccount, .invalidEntry, .invalidTime, .invalidFile, .unknownAccount,
            .unknownCurrency, .currencyMismatch, .unknownEntry, .conflict, .historyUnavailable, .invalidCursor,
            .invalidEvent, .unitEnded:
            self = .badInput
        case .periodClosed, .accountClosed, .accountNotEmpty, .accountFrozen, .notAHold, .notReversible, .holdSettled, .holdExpired, .limitExceeded,
            .claimTaken, .notRefused:
            self = .refused
        case .unavailable, .accessDenied, .readOnly, .storageFull, .schema: self = .unavailable
        case .busy, .outcomeUnknown, .tailTooLong, .jobBehind, .replicaBehind, .revisionConflict: self = .tryAgain
        case .integrity: self = .integrity
        }
    }
}

/// Ends a command with a message on stderr and a code.
struct Failure: Error {
    let status: ExitStatus
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as LocalMariaDBError: self.init(.unavailable, error.message)
        default:
            let error = LedgerError.translating(error)
            self.init(ExitStatus(error), error.message)
        }
    }
}

/// A verb: what it throws becomes one line on stderr and an exit code.
protocol Verb: AsyncParsableCommand {
    func execute() async throws -> ExitStatus
}

extension Verb {
    func run() async throws {
        let status: ExitStatus
        do { status = try await execute() } catch let error as ExitCode { throw error } catch let error as ValidationError {
            throw error
        } catch {
            let failure = Failure(error)
            Output.note("indelible: \(failure.message)")
            status = failure.status
        }
        Output.flush()
        if status != .ok { throw ExitCode(status.rawValue) }
    }
}
