/// The values of one parameter for many executions: a column of a bulk insert. nil is NULL.
///
/// Integers without NULL are sent from the array as they lie.
public enum SQLColumnValues: Sendable {
    case int([Int64])
    case uint([UInt64])
    case optionalInt([Int64?])
    case text([String?])
    case bytes([[UInt8]?])

    public var count: Int {
        switch self {
        case .int(let values): values.count
        case .uint(let values): values.count
        case .optionalInt(let values): values.count
        case .text(let values): values.count
        case .bytes(let values): values.count
        }
    }
}
