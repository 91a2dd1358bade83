import Foundation
import LedgerModel

/// Reads our JSON Lines: one object a line.
/// - `{"currency":"PTS","exponent":0}`
/// - `{"account":"customers:alice","currency":"EUR","type":"liability"}`
/// - `{"key":"order-1","kind":"order.paid","effective_at":"2026-01-31T10:00:00Z","description":"…","reference":"…",
///   "actor":"…","payload":{…},"postings":[{"debit":"…","credit":"…","amount":"12.50","currency":"EUR"}]}`
///
/// Amounts are strings, because JSON's numbers are floating point for most programs.
struct JSONLinesImport: ImportReader {
    private static let entryKeys: Set<String> = [
        "key", "kind", "effective_at", "description", "reference", "actor", "payload", "postings",
    ]
    private static let postingKeys: Set<String> = ["debit", "credit", "amount", "currency"]

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
        let bytes: ArraySlice<UInt8>
        let line: Int
        let text: String

        init(_ bytes: ArraySlice<UInt8>, _ line: Int) throws(ImportProblem) {
            self.bytes = bytes
            self.line = line
            guard let text = String(validating: bytes, as: UTF8.self) else {
                let wrong = bytes.indices.first {
                    String(validating: bytes[...$0], as: UTF8.self) == nil && !UTF8Check.mayContinue(bytes[...$0])
                }
                throw ImportProblem(
                    line: line, column: (wrong ?? bytes.startIndex) - bytes.startIndex + 1, reason: "this is not UTF-8",
                    text: String(decoding: bytes, as: UTF8.self))
            }
            self.text = text
        }

        func record(_ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord {
            guard case .object(let members) = try json() else { throw problem("a line is one JSON object", "") }
            if members["account"] != nil { return try account(members, currencies) }
            if members["exponent"] != nil { return try currency(members) }
            return try entry(members, currencies)
        }

        private func json() throws(ImportProblem) -> JSON {
            do { return try JSONDecoder().decode(JSON.self, from: Data(bytes)) } catch {
                var column = 1
                if case DecodingError.dataCorrupted(let context) = error,
                    let index = (context.underlyingError as NSError?)?.userInfo["NSJSONSerializationErrorIndex"] as? Int
                {
                    column = index + 1
                }
                throw ImportProblem(line: line, column: column, reason: "this is not JSON", text: text)
            }
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
            try allow(["account", "currency", "type"], members)
            let path = try parse("account", members) { text throws(LedgerError) in try AccountPath(text) }
            let currency = try parse("currency", members) { text throws(LedgerError) in try currencies.currency(text) }
            guard let type = AccountType(rawValue: try string("type", members)) else {
                throw problem(
                    "no type of account: \(AccountType.allCases.map(\.rawValue).joined(separator: ", "))", "type")
            }
            return record(.account(path, currency.code, type))
        }

        private func entry(_ members: [String: JSON], _ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord {
            try allow(JSONLinesImport.entryKeys, members)
            let key = try string("key", members)
            guard !key.isEmpty else { throw problem("the key is empty: it makes the entry be posted once", "key") }
            var entry = Entry(id: EntryID(key: key), kind: "imported")
            if members["kind"] != nil {
                entry.kind = try parse("kind", members) { text throws(LedgerError) in try EntryKind(text) }
            }
            if let text = try optional("effective_at", members) {
                do throws(LedgerError) { entry.effectiveAt = try Timestamp(text) } catch {
                    throw problem(error.message, "effective_at")
                }
            }
            entry.description = try optional("description", members)
            entry.reference = try optional("reference", members)
            entry.actor = try optional("actor", members)
            switch members["payload"] {
            case nil, .null?: break
            case .object(let payload)?: entry.payload = payload
            default: throw problem("the payload is an object", "payload")
            }
            var places = ["": (line, 1)]
            switch members["postings"] {
            case nil, .null?: break
            case .array(let items)?:
                for (number, item) in items.enumerated() {
                    entry.postings.append(try posting(item, number, currencies))
                    places["debit \(number)"] = (line, column(of: "debit", number))
                    places["credit \(number)"] = (line, column(of: "credit", number))
                }
            default: throw problem("postings are a list", "postings")
            }
            return ImportRecord(content: .entry(entry, key: key), line: line, places: places, text: text)
        }

        private func posting(_ item: JSON, _ number: Int, _ currencies: KnownCurrencies) throws(ImportProblem) -> Posting {
            guard case .object(let members) = item else { throw problem("a posting is an object", "postings") }
            try allow(JSONLinesImport.postingKeys, members, number)
            let debit = try parse("debit", members, number) { text throws(LedgerError) in try AccountPath(text) }
            let credit = try parse("credit", members, number) { text throws(LedgerError) in try AccountPath(text) }
            let currency = try parse("currency", members, number) { text throws(LedgerError) in try currencies.currency(text) }
            let amount = try parse("amount", members, number) { text throws(LedgerError) in try currency.positiveAmount(text) }
            guard debit != credit else { throw problem("debit and credit are the same account", "credit", number) }
            return Posting(debit: debit, credit: credit, amount: amount)
        }

        // MARK: - Members

        private func allow(_ keys: Set<String>, _ members: [String: JSON], _ number: Int = 0) throws(ImportProblem) {
            for key in members.keys.sorted() where !keys.contains(key) {
                throw problem("“\(key)” is not known: \(keys.sorted().joined(separator: ", "))", key, number)
            }
        }

        private func string(_ key: String, _ members: [String: JSON], _ number: Int = 0) throws(ImportProblem) -> String {
            switch members[key] {
            case .string(let text)?: return text
            case nil: throw problem("“\(key)” is missing", number == 0 ? "" : "debit", number)
            default: throw problem("“\(key)” is a string, in quotes", key, number)
            }
        }

        private func optional(_ key: String, _ members: [String: JSON]) throws(ImportProblem) -> String? {
            if members[key] == nil || members[key] == .null { return nil }
            let text = try string(key, members)
            return text.isEmpty ? nil : text
        }

        private func parse<T>(
            _ key: String, _ members: [String: JSON], _ number: Int = 0, _ read: (String) throws(LedgerError) -> T
        ) throws(ImportProblem) -> T {
            let text = try string(key, members, number)
            do throws(LedgerError) { return try read(text) } catch { throw problem(error.message, key, number) }
        }

        private func record(_ content: ImportRecord.Content) -> ImportRecord {
            ImportRecord(content: content, line: line, places: ["": (line, 1)], text: text)
        }

        private func problem(_ reason: String, _ key: String, _ number: Int = 0) -> ImportProblem {
            ImportProblem(line: line, column: column(of: key, number), reason: reason, text: text)
        }

        /// Where the name of a member stands: its occurrence with this number (from 0); 1 if it does not.
        private func column(of key: String, _ number: Int) -> Int {
            guard !key.isEmpty else { return 1 }
            let quoted = Array("\"\(key)\"".utf8)
            var seen = 0
            var place = bytes.startIndex
            while place + quoted.count <= bytes.endIndex {
                if bytes[place] == quoted[0], bytes[place..<place + quoted.count].elementsEqual(quoted) {
                    if seen == number { return place - bytes.startIndex + 1 }
                    seen += 1
                }
                place += 1
            }
            return 1
        }
    }
}
