internal import MariaDBDriver

/// What the database answered, in the few kinds that the ledger decides by.
public struct DatabaseError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// A unique key, by its name, refused the row: somebody else has the slot.
        case duplicateKey(String)
        /// A row is locked by a transaction in flight.
        case lockWaitTimeout
        /// Nothing was done; try the whole transaction again, after a pause.
        case tryAgain
        /// The link broke before COMMIT was sent: nothing was done.
        case connectionLost
        /// The link broke at COMMIT: done or not.
        case outcomeUnknown
        /// No server there.
        case unreachable
        /// The program itself has closed its connections: nothing was done.
        case closed
        /// The server does not know the user, or the user may not do this.
        case denied
        case storageFull
        /// A table or column is missing.
        case schema
        /// A CHECK of the schema refused the row, or a value does not fit its column.
        case refusedRow
        case other
    }

    public let kind: Kind
    /// The server's number; 0 if the error is not the server's.
    public let number: UInt32
    /// Without bound values.
    public let message: String

    public init(kind: Kind, number: UInt32 = 0, message: String) {
        self.kind = kind
        self.number = number
        self.message = message
    }

    init(_ error: MariaDBError) {
        kind = Self.kind(error)
        number = error.number
        message = error.description
    }

    public var description: String { message }

    var isLinkLost: Bool { kind == .connectionLost || kind == .outcomeUnknown }

    private static func kind(_ error: MariaDBError) -> Kind {
        if error == MariaDBPool.closed { return .closed }
        if error.retry == .outcomeUnknown { return .outcomeUnknown }
        if error.isDuplicateKey { return .duplicateKey(error.keyName ?? "") }
        switch error.number {
        case MariaDBError.Number.lockWaitTimeout: return .lockWaitTimeout
        case 2002, 2003, 2005, 2001, 2009, 2026: return .unreachable
        case 1044, 1045, 1142, 1143, 1227, 1370, 1698, 1959, 1976: return .denied
        case 1021, 1114, 1026, 3: return .storageFull
        case 1049, 1146, 1054, 1305: return .schema
        case 4025, 1264, 1265, 1292, 1366, 1406, 1048, 1452, 1644: return .refusedRow
        default: break
        }
        if error.isConnectionLost { return .connectionLost }
        return error.retry == .afterBackoff ? .tryAgain : .other
    }
}
