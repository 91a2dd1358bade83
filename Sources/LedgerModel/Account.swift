import Foundation

/// The path of an account: segments separated by `:`, like `customers:alice`.
///
/// Letters of any script are welcome; they are kept in Unicode's composed form (NFC), so that one name has one
/// spelling. A segment neither begins nor ends with a space nor has two in a row (plain-text accounting ends a
/// name there).
public struct AccountPath: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    public let text: String
    public static let charactersMax = 255

    /// - Throws: `invalidAccount`, naming the path and what is wrong with it.
    public init(_ text: String) throws(LedgerError) {
        if Self.isPlain(text) {
            self.text = text
            return
        }
        let text = text.precomposedStringWithCanonicalMapping
        if let reason = Self.problem(text) {
            throw LedgerError(.invalidAccount, "“\(text)” is no account path: \(reason)")
        }
        self.text = text
    }

    /// Most paths have nothing that needs a closer look: ASCII letters, digits, _ - . and : between segments.
    private static func isPlain(_ text: String) -> Bool {
        var (last, count) = (UInt8(ascii: ":"), 0)
        for byte in text.utf8 {
            switch byte {
            case 97...122, 65...90, 48...57, 95, 45, 46: break
            case UInt8(ascii: ":") where last != UInt8(ascii: ":"): break
            default: return false
            }
            last = byte
            count += 1
        }
        return last != UInt8(ascii: ":") && count <= charactersMax
    }

    /// A path written in the program. Anything that ``init(_:)`` refuses stops the program.
    public init(stringLiteral value: String) {
        do { try self.init(value) } catch { preconditionFailure(error.message) }
    }

    public static func < (left: AccountPath, right: AccountPath) -> Bool {
        // Bytes, as the database sorts.
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
    public var description: String { text }

    private static func problem(_ text: String) -> String? {
        guard !text.isEmpty else { return "it is empty" }
        guard text.unicodeScalars.count <= charactersMax else { return "it has more than \(charactersMax) characters" }
        // By scalars: a combining mark behind a : or a space makes one Character of both.
        for segment in text.unicodeScalars.split(separator: ":", omittingEmptySubsequences: false) {
            guard let first = segment.first else { return "a segment between two : is empty" }
            if first == " " || segment.last == " " { return "a segment begins or ends with a space" }
            if zip(segment, segment.dropFirst()).contains(where: { $0 == " " && $1 == " " }) {
                return "it has two spaces in a row"
            }
        }
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                return "it has a character that cannot be seen (U+\(String(scalar.value, radix: 16, uppercase: true)))"
            case .spaceSeparator where scalar != " ":
                return "it has a space that is not a plain one"
            default:
                if "*;\"|".unicodeScalars.contains(scalar) { return "it has a \(scalar)" }
            }
        }
        return nil
    }
}

/// The five types of account, and with them the side on which an account normally stands.
public enum AccountType: String, Sendable, Hashable, CaseIterable {
    case asset, liability, equity, income, expense

    /// The side that makes the balance of such an account grow.
    public var normalSide: Side {
        switch self {
        case .asset, .expense: .debit
        case .liability, .equity, .income: .credit
        }
    }
}

public enum Side: String, Sendable, Hashable { case debit, credit }

/// The number that stands for an account in the book's tables.
public struct AccountID: Sendable, Hashable, Comparable {
    public let number: UInt32
    public init(_ number: UInt32) { self.number = number }
    public static func < (left: AccountID, right: AccountID) -> Bool { left.number < right.number }
}

/// An account: a path and one currency, unique together, a type, and the limits that it was opened with. None of it ever
/// changes; the limits in force may be others since (``AccountControl``).
public struct Account: Sendable, Hashable {
    public let id: AccountID
    public let path: AccountPath
    public let currency: Currency
    public let type: AccountType
    /// An account that was opened with a floor can be given another later, and one that was opened without cannot: whoever
    /// draws from it has to know for sure. The same holds for the ceiling.
    public let openingLimits: AccountLimits

    public init(
        id: AccountID, path: AccountPath, currency: Currency, type: AccountType, openingLimits: AccountLimits = .none
    ) {
        self.id = id
        self.path = path
        self.currency = currency
        self.type = type
        self.openingLimits = openingLimits
    }

    /// True if some postings on it have to be decided one after the other.
    public var isLimited: Bool { openingLimits != .none }
}
