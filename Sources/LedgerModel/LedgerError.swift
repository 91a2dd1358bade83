public import Foundation

/// Why a ledger refused or could not answer. One error type for the whole library: what happened, where, and what to
/// do about it.
public struct LedgerError: Error, Sendable, Hashable {
    public enum Code: String, Sendable, CaseIterable {
        // The caller's input.
        case invalidAmount, invalidCurrency, invalidAccount, invalidEntry, invalidTime, invalidFile
        case unknownAccount, unknownCurrency, currencyMismatch, unknownEntry
        /// The id stands for another content (``LedgerError/standing`` names the entry that stands).
        case conflict
        // The book's rules, in the order in which they are told.
        /// It counts in a period that is closed.
        case periodClosed
        case accountClosed
        /// An account that is to be closed has a balance, or holds something.
        case accountNotEmpty
        /// The account is frozen: nothing may be drawn or held.
        case accountFrozen
        /// The entry is no hold, or an entry that cannot be reversed.
        case notAHold, notReversible
        /// The hold was captured, voided or has expired by an entry (``LedgerError/standing`` names it).
        case holdSettled
        /// The hold's time is over.
        case holdExpired
        /// It would break a limit (``LedgerError/shortfall`` says by how much).
        case limitExceeded
        /// The projection of balances is too far behind for limits to be decided.
        case tailTooLong
        // Streams and units of work.
        /// An event that cannot be stored or read.
        case invalidEvent
        /// Somebody else has claimed the revision: load again and decide again.
        case revisionConflict
        /// The value has a holder already, or (to release one) another one.
        case claimTaken
        /// The unit of work was committed or rolled back, or cannot be committed any more.
        case unitEnded
        /// A command that is not refused cannot be enqueued again or resolved (``LedgerError/standing`` names what became of it).
        case notRefused
        /// A position, generation or history that this book does not have.
        case historyUnavailable
        /// A cursor that is damaged, or not of this account, range or book.
        case invalidCursor
        /// A job has not come as far as it was waited for.
        case jobBehind
        /// A replica has not come as far as it was waited for.
        case replicaBehind
        // The database.
        /// The process is one that only reads.
        case readOnly
        case unavailable, accessDenied, storageFull
        /// Somebody was faster or the server is busy; nothing was written.
        case busy
        /// The answer to a COMMIT was lost. Post the same entry with the same id again to learn what happened.
        case outcomeUnknown
        /// The database's schema is not the one this program was built for.
        case schema
        /// The book contradicts itself. Stop and run `reconcile`.
        case integrity
    }

    /// What a caller may do.
    public enum Retry: String, Sendable {
        case never
        /// The same request may be sent again; its id makes that safe.
        case sameRequest
        case afterBackoff
        case outcomeUnknown
    }

    public let code: Code
    public let message: String
    public let retry: Retry
    /// The index in a batch of the entry that the error is about.
    public let index: Int?
    /// The id of the entry that the error is about.
    public let id: EntryID?
    /// For a conflict: where the entry stands that has the id already.
    public let standing: Receipt?
    /// For `limitExceeded`: account, limit, balance and by how much.
    public let shortfall: Shortfall?

    public init(
        _ code: Code, _ message: String, retry: Retry? = nil, index: Int? = nil, id: EntryID? = nil,
        standing: Receipt? = nil, shortfall: Shortfall? = nil
    ) {
        self.code = code
        self.message = message
        self.retry = retry ?? Self.usualRetry(code)
        self.index = index
        self.id = id
        self.standing = standing
        self.shortfall = shortfall
    }

    /// The same error, told about one entry of a batch.
    public func about(index: Int?, id: EntryID?) -> LedgerError {
        LedgerError(code, message, retry: retry, index: index, id: id, standing: standing, shortfall: shortfall)
    }

    private static func usualRetry(_ code: Code) -> Retry {
        switch code {
        case .busy, .storageFull, .tailTooLong, .jobBehind, .replicaBehind: .afterBackoff
        case .unavailable: .sameRequest
        case .outcomeUnknown: .outcomeUnknown
        default: .never
        }
    }
}

extension LedgerError: CustomStringConvertible {
    public var description: String { message }
}

extension LedgerError: LocalizedError {
    /// The same as ``message``, in English.
    public var errorDescription: String? { message }
}
