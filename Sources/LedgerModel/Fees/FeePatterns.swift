import Foundation

/// A pattern of account paths: `*` is one segment, `**` at the end one or more.
public struct AccountPattern: Sendable, Hashable, CustomStringConvertible {
    /// As it is written in a schedule.
    public let description: String
    private let segments: [String]
    private let isOpen: Bool

    /// nil unless every segment is `*`, what a path may have there, or (at the end) `**`.
    public init?(_ text: String) {
        // By scalars, as paths are read: a combining mark behind a : makes one Character of both.
        var segments = text.precomposedStringWithCanonicalMapping.unicodeScalars.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        isOpen = segments.last == "**"
        if isOpen { segments.removeLast() }
        // A * stands for any segment, so the rest has to be a path with some segment there.
        let example = (segments + (isOpen ? ["*"] : [])).map { $0 == "*" ? "x" : $0 }.joined(separator: ":")
        guard (try? AccountPath(example)) != nil else { return nil }
        self.segments = segments
        description = (self.segments + (isOpen ? ["**"] : [])).joined(separator: ":")
    }

    /// Whether a path fits, segment by segment.
    public func matches(_ path: AccountPath) -> Bool {
        let parts = path.text.unicodeScalars.split(separator: ":", omittingEmptySubsequences: false)
        guard isOpen ? parts.count > segments.count : parts.count == segments.count else { return false }
        return zip(segments, parts).allSatisfy { $0 == "*" || $0.unicodeScalars.elementsEqual($1) }
    }
}

/// A pattern of kinds: a kind, or `card.*`, every kind that begins with `card.`.
public struct KindPattern: Sendable, Hashable, CustomStringConvertible {
    /// As it is written in a schedule.
    public let description: String
    private let text: String
    private let isPrefix: Bool

    /// nil unless it is a kind, or the beginning of one with `*` behind it. The ledger's own kinds cannot be named.
    public init?(_ text: String) {
        isPrefix = text.hasSuffix("*")
        self.text = isPrefix ? String(text.dropLast()) : text
        description = text
        guard self.text.isEmpty ? isPrefix : (try? EntryKind(self.text)) != nil, !self.text.hasPrefix("ledger.") else { return nil }
    }

    /// Whether a kind fits; the ledger's own never do.
    public func matches(_ kind: EntryKind) -> Bool {
        !kind.isReserved && (isPrefix ? kind.text.hasPrefix(text) : kind.text == text)
    }
}

/// A field of a payload and the values that fit.
public struct FieldCondition: Sendable, Hashable {
    /// `card.region` is the member `region` of the object `card`.
    public let field: String
    /// Text, whole numbers, true or false.
    public let values: [JSON]

    public init(field: String, values: [JSON]) { (self.field, self.values) = (field, values) }

    /// Whether a payload has the field with one of the values.
    public func holds(_ payload: JSON?) -> Bool {
        var value = payload
        for member in field.split(separator: ".", omittingEmptySubsequences: false) { value = value?[String(member)] }
        return value.map { value in values.contains { Self.isSame($0, value) } } ?? false
    }

    /// Text is compared character by character, as it is spelled.
    private static func isSame(_ left: JSON, _ right: JSON) -> Bool {
        if case .string(let left) = left, case .string(let right) = right { return left.utf8.elementsEqual(right.utf8) }
        return left == right
    }
}
