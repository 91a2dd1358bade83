import Foundation
import LedgerModel

/// Reads our JSON Lines: one object a line.
/// - `{"currency":"PTS","exponent":0}`
/// - `{"account":"customers:alice","currency":"EUR","type":"liability"}`, with `"floor"` and `"ceiling"` if it has limits
/// - `{"key":"order-1","kind":"order.paid","effective_at":"2026-01-31T10:00:00Z","description":"…","reference":"…",
///   "actor":"…","payload":{…},"postings":[{"debit":"…","credit":"…","amount":"12.50","currency":"EUR"}]}`, or with
///   `"id"` in place of the key: 32 hexadecimal digits that are the entry's id, as an export writes it. A hold has `"hold":{}`, or
///   `"hold":{"expires_at":"…"}`.
///
/// Amounts are strings, because JSON's numbers are floating point for most programs.
struct JSONLinesImport: ImportReader {
    private static let entryKeys: Set<String> = [
        "key", "id", "kind", "effective_at", "description", "reference", "actor", "payload", "postings", "hold",
    ]
    private static let postingKeys: Set<String> = ["debit", "credit", "amount", "currency", "released"]

    private let bytes: [UInt8]
    private var index = 0
    private var line = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    mutating func next(_ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord? {
        while index < bytes.count {
            line += 1
            let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            var content = bytes[index..<end]
            index = end + 1
            if content.last == UInt8(ascii: "\r") { content.removeLast() }
            if content.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
            return try Line(content, line).record(currencies)
        }
        return nil
    }

    /// One line, and where things stand in it.
    private struct Line {
        let line: Int
        let text: String
        let members: [String: JSON]
        let places: JSONPlaces

        init(_ bytes: ArraySlice<UInt8>, _ line: Int) throws(ImportProblem) {
            self.line = line
            text = String(decoding: bytes, as: UTF8.self)
            if let wrong = UTF8Check.firstInvalid(bytes) {
                throw ImportProblem(line: line, column: wrong + 1, reason: "this is not UTF-8", text: text)
            }
            places = JSONPlaces(bytes)
            if let wrong = places.wrong {
                throw ImportProblem(line: line, column: wrong + 1, reason: "this is not JSON", text: text)
            }
            members = try Self.members(bytes, line, text)
            if let twice = places.twice {
                throw ImportProblem(
                    line: line, column: twice.offset + 1, reason: "“\(twice.name)” is there twice", text: text)
            }
        }

        func record(_ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord {
            if members["account"] != nil { return try account(members, currencies) }
            if members["exponent"] != nil { return try currency(members) }
            return try entry(members, currencies)
        }

        private static func members(
            _ bytes: ArraySlice<UInt8>, _ line: Int, _ text: String
        ) throws(ImportProblem) -> [String: JSON] {
            let value: JSON
            do { value = try JSONDecoder().decode(JSON.self, from: Data(bytes)) } catch {
                throw ImportProblem(
                    line: line, column: 1, reason: "it has a number or a character that cannot be kept", text: text)
            }
            guard case .object(let members) = value else {
                throw ImportProblem(line: line, column: 1, reason: "a line is one JSON object", text: text)
            }
            return members
        }

        private func currency(_ members: [String: JSON]) throws(ImportProblem) -> ImportRecord {
            try allow(["currency", "exponent"], members)
            let code = try parse("currency", members) { text throws(LedgerError) in try CurrencyCode(text) }
            guard case .integer(let exponent)? = members["exponent"] else {
                throw problem("the exponent is a whole number", "exponent")
            }
            do throws(LedgerError) {
                return record(.currency(try Currency(code, exponent: Int(clamping: exponent))))
            } catch { throw problem(error.message, "exponent") }
        }

        private func account(_ members: [String: JSON], _ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord {
            try allow(["account", "currency", "type", "floor", "ceiling"], members)
            let path = try parse("account", members) { text throws(LedgerError) in try AccountPath(text) }
            let currency = try parse("currency", members) { text throws(LedgerError) in try currencies.currency(text) }
            guard let type = AccountType(rawValue: try string("type", members)) else {
                throw problem(
                    "no type of account: \(AccountType.allCases.map(\.rawValue).joined(separator: ", "))", "type")
            }
            var limits: AccountLimits?
            for (name, keyPath) in [("floor", \AccountLimits.floor), ("ceiling", \AccountLimits.ceiling)] where members[name] != nil {
                let amount = try parse(name, members) { text throws(LedgerError) in try currency.amount(text) }
                limits = limits ?? AccountLimits.none
                limits?[keyPath: keyPath] = amount.minorUnits
            }
            return record(.account(path, currency.code, type, limits))
        }

        private func entry(_ members: [String: JSON], _ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord {
            try allow(JSONLinesImport.entryKeys, members)
            let (id, key) = try id(members)
            var entry = Entry(id: id, kind: "imported")
            if members["kind"] != nil {
                entry.kind = try parse("kind", members) { text throws(LedgerError) in try EntryKind(text) }
            }
            if let text = try optional("effective_at", members) {
                do throws(LedgerError) { entry.effectiveAt = try Timestamp(text) } catch {
                    throw problem(error.message, "effective_at")
                }
            }
            // Beside an id, which an export writes, an empty text is not the same as none.
            let keepsEmpty = members["id"] != nil
            entry.description = try optional("description", members, keepsEmpty: keepsEmpty)
            entry.reference = try optional("reference", members, keepsEmpty: keepsEmpty)
            entry.actor = try optional("actor", members, keepsEmpty: keepsEmpty)
            switch members["payload"] {
            case nil, .null?: break
            case .object(let payload)?: entry.payload = payload
            default: throw problem("the payload is an object", "payload")
            }
            entry.hold = try hold(members)
            var released: [Bool] = []
            var found = ["": (line, 1)]
            switch members["postings"] {
            case nil, .null?: break
            case .array(let items)?:
                for (number, item) in items.enumerated() {
                    entry.postings.append(try posting(item, number, currencies))
                    released.append(try isReleased(item, number))
                    for side in ["debit", "credit"] {
                        found["\(side) \(number)"] = (line, column(of: "postings/\(number)/\(side)"))
                    }
                }
            default: throw problem("postings are a list", "postings")
            }
            let content: ImportRecord.Content
            do throws(LedgerError) {
                content = try .init(entry, key: key, released: released, hasID: keepsEmpty)
            } catch { throw problem(error.message, "kind") }
            return ImportRecord(content: content, line: line, places: found, text: text)
        }

        private func hold(_ members: [String: JSON]) throws(ImportProblem) -> Hold? {
            switch members["hold"] {
            case nil, .null?: return nil
            case .object(let terms)?:
                try allow([Hold.expiresAtKey], terms, in: "hold")
                guard terms[Hold.expiresAtKey] != nil else { return Hold() }
                return Hold(
                    expiresAt: try parse(Hold.expiresAtKey, terms, in: "hold") { text throws(LedgerError) in try Timestamp(text) })
            default: throw problem("a hold is an object: {} or {\"expires_at\":\"2026-01-31T10:00:00Z\"}", "hold")
            }
        }

        private func isReleased(_ item: JSON, _ number: Int) throws(ImportProblem) -> Bool {
            switch item["released"] {
            case nil: false
            case .bool(let flag)?: flag
            default: throw problem("“released” is true or false", "postings/\(number)/released")
            }
        }

        /// The id, and what the file calls it.
        private func id(_ members: [String: JSON]) throws(ImportProblem) -> (EntryID, String) {
            guard members["id"] != nil else {
                let key = try string("key", members)
                guard !key.isEmpty else { throw problem("the key is empty: it makes the entry be posted once", "key") }
                return (EntryID(key: key), key)
            }
            guard members["key"] == nil else { throw problem("an entry has a key or an id, not both", "id") }
            let text = try string("id", members)
            guard let id = EntryID(hex: text) else { throw problem("“\(text)” is no id: 32 hexadecimal digits", "id") }
            return (id, text)
        }

        private func posting(_ item: JSON, _ number: Int, _ currencies: KnownCurrencies) throws(ImportProblem) -> Posting {
            let path = "postings/\(number)"
            guard case .object(let members) = item else { throw problem("a posting is an object", path) }
            try allow(JSONLinesImport.postingKeys, members, in: path)
            let debit = try parse("debit", members, in: path) { text throws(LedgerError) in try AccountPath(text) }
            let credit = try parse("credit", members, in: path) { text throws(LedgerError) in try AccountPath(text) }
            let currency = try parse("currency", members, in: path) { text throws(LedgerError) in
                try currencies.currency(text)
            }
            let amount = try parse("amount", members, in: path) { text throws(LedgerError) in
                try currency.positiveAmount(text)
            }
            guard debit != credit else { throw problem("debit and credit are the same account", "\(path)/credit") }
            return Posting(debit: debit, credit: credit, amount: amount)
        }

        // MARK: - Members

        private func allow(
            _ keys: Set<String>, _ members: [String: JSON], in path: String = ""
        ) throws(ImportProblem) {
            for key in members.keys.sorted() where !keys.contains(key) {
                throw problem("“\(key)” is not known: \(keys.sorted().joined(separator: ", "))", Self.path(path, key))
            }
        }

        private func string(
            _ key: String, _ members: [String: JSON], in path: String = ""
        ) throws(ImportProblem) -> String {
            switch members[key] {
            case .string(let text)?: return text
            case nil: throw problem("“\(key)” is missing", path)
            default: throw problem("“\(key)” is a string, in quotes", Self.path(path, key))
            }
        }

        private func optional(
            _ key: String, _ members: [String: JSON], keepsEmpty: Bool = false
        ) throws(ImportProblem) -> String? {
            if members[key] == nil || members[key] == .null { return nil }
            let text = try string(key, members)
            return text.isEmpty && !keepsEmpty ? nil : text
        }

        private func parse<T>(
            _ key: String, _ members: [String: JSON], in path: String = "", _ read: (String) throws(LedgerError) -> T
        ) throws(ImportProblem) -> T {
            let text = try string(key, members, in: path)
            do throws(LedgerError) { return try read(text) } catch { throw problem(error.message, Self.path(path, key)) }
        }

        private func record(_ content: ImportRecord.Content) -> ImportRecord {
            ImportRecord(content: content, line: line, places: ["": (line, 1)], text: text)
        }

        private func problem(_ reason: String, _ path: String) -> ImportProblem {
            ImportProblem(line: line, column: column(of: path), reason: reason, text: text)
        }

        private static func path(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path)/\(key)" }

        /// Where a member begins, with its name; 1 if it is not there.
        private func column(of path: String) -> Int { places.offsets[path].map { $0 + 1 } ?? 1 }
    }
}
