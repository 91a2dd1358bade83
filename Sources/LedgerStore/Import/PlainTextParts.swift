import LedgerModel

/// What an entry of plain text has and ours has not: kept in the payload as `hledger`, so that an export gives it back.
struct PlainTextParts: Hashable {
    struct PlainLeg: Hashable {
        var account: String
        /// A decimal with a point; a leg of zero moves nothing and is only told.
        var amount: String
        var commodity: String
        var status = ""
        var comment = ""
    }

    static let name = "hledger"

    /// ``, `!` or `*`.
    var status = ""
    var code = ""
    /// `2026-01-31`
    var date2 = ""
    /// Lines.
    var comment = ""
    /// The credits stand before the debits.
    var creditsFirst = false
    /// All legs as they stand, if the postings alone do not tell.
    var legs: [PlainLeg] = []

    init() {}

    /// nil if there is nothing in it.
    var json: JSON? {
        var members: [String: JSON] = [:]
        for (name, text) in [("status", status), ("code", code), ("date2", date2), ("comment", comment)] where !text.isEmpty {
            members[name] = .string(text)
        }
        if creditsFirst { members["credits_first"] = true }
        if !legs.isEmpty { members["legs"] = .array(legs.map(Self.json)) }
        return members.isEmpty ? nil : .object(members)
    }

    private static func json(_ leg: PlainLeg) -> JSON {
        var members: [String: JSON] = ["account": .string(leg.account), "amount": .string(leg.amount)]
        for (name, text) in [("commodity", leg.commodity), ("status", leg.status), ("comment", leg.comment)] where !text.isEmpty {
            members[name] = .string(text)
        }
        return .object(members)
    }

    /// nil if this is not what ``json`` writes: a payload is the user's, and may hold anything.
    init?(_ json: JSON) {
        guard case .object(let members) = json else { return nil }
        for (name, value) in members {
            switch (name, value) {
            case ("status", .string(let text)): status = text
            case ("code", .string(let text)): code = text
            case ("date2", .string(let text)): date2 = text
            case ("comment", .string(let text)): comment = text
            case ("credits_first", .bool(true)): creditsFirst = true
            case ("legs", .array(let items)):
                for item in items {
                    guard let leg = Self.leg(item) else { return nil }
                    legs.append(leg)
                }
            default: return nil
            }
        }
        guard self.json == json else { return nil }
    }

    private static func leg(_ json: JSON) -> PlainLeg? {
        guard let account = json["account"]?.string, let amount = json["amount"]?.string else { return nil }
        return PlainLeg(
            account: account, amount: amount, commodity: json["commodity"]?.string ?? "",
            status: json["status"]?.string ?? "", comment: json["comment"]?.string ?? "")
    }
}

/// The comment lines in which an export to plain text says what plain text has no place for.
///
/// `indelible:ID, kind:KIND` and, if there is more, `indelible-more: JSON`.
struct PlainTextMark {
    static let first = "indelible:"
    static let more = "indelible-more:"

    var id: EntryID
    var kind: EntryKind
    var members: [String: JSON] = [:]

    /// Takes the mark out of a comment.
    /// - Returns: nil if there is none.
    /// - Throws: `invalidEntry` for one that cannot be read: passing it over would post the entry under another id.
    static func take(from comment: inout String) throws(LedgerError) -> PlainTextMark? {
        var lines = comment.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let index = lines.firstIndex(where: { $0.begins(with: first) }) else { return nil }
        let parts = String(lines.remove(at: index).unicodeScalars.dropFirst(first.unicodeScalars.count))
            .split(separator: ", kind:", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = EntryID(hex: String(parts[0])), let kind = try? EntryKind(String(parts[1])) else {
            throw LedgerError(.invalidEntry, "the comment line that begins with “\(first)” has no id and kind behind it")
        }
        var mark = PlainTextMark(id: id, kind: kind)
        if let index = lines.firstIndex(where: { $0.begins(with: more) }) {
            let text = String(lines.remove(at: index).unicodeScalars.dropFirst(more.unicodeScalars.count))
            guard case .object(let members)? = try? JSON(parsing: text) else {
                throw LedgerError(.invalidEntry, "the comment line that begins with “\(more)” has no JSON object behind it")
            }
            mark.members = members
        }
        comment = lines.joined(separator: "\n")
        return mark
    }

    /// The lines, without what plain-text tools would take for something else.
    var lines: [String] {
        let line = "\(Self.first)\(id), kind:\(kind)"
        return members.isEmpty ? [line] : [line, "\(Self.more) \(Self.disarmed(JSON.object(members).text))"]
    }

    /// The same JSON without a `[` before a digit or an `=`, which ledger reads as a date.
    static func disarmed(_ json: String) -> String {
        var text = ""
        var isString = false
        var isEscaped = false
        for character in json.unicodeScalars {
            switch character {
            case "[": text += isString ? "\\u005b" : "[ "
            default: text.unicodeScalars.append(character)
            }
            if character == "\"", !isEscaped { isString.toggle() }
            isEscaped = character == "\\" && !isEscaped
        }
        return text
    }
}
