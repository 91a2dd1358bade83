import Foundation
import Hummingbird
import Indelible

/// The members of a request's JSON object. Whatever is wrong with one is told with its name.
struct Members {
    private let values: [String: JSON]

    static let bytesMax = 65_536

    /// - Parameter known: the members that there may be; another one is a mistake, and passing it over could move money.
    init(_ request: Request, known: Set<String>) async throws {
        var request = request
        let body = try await request.collectBody(upTo: Self.bytesMax)
        let text = String(decoding: body.readableBytesView, as: UTF8.self)
        // What needs no member needs no body.
        if text.isEmpty { values = [:]; return }
        guard let json = try? JSON(parsing: text), case .object(let values) = json else {
            throw Problem(.badRequest, "invalidJSON", "the request's body is no JSON object")
        }
        if let unknown = values.keys.sorted().first(where: { !known.contains($0) }) {
            throw Problem(
                .badRequest, "unknownMember", "there is no “\(unknown)” here; there is \(known.isEmpty ? "nothing to say" : known.sorted().joined(separator: ", "))", member: unknown)
        }
        self.values = values
    }

    /// A text that has to be there.
    func text(_ name: String) throws -> String {
        guard let text = try text(ifAny: name) else { throw Problem(.badRequest, "missingMember", "“\(name)” is missing", member: name) }
        return text
    }

    func text(ifAny name: String) throws -> String? {
        guard let value = values[name] else { return nil }
        guard let text = value.string else {
            throw Problem(.badRequest, "wrongType", "“\(name)” has to be a text in quotes; amounts too, like \"12.50\"", member: name)
        }
        return text
    }

    /// A text as something of the ledger's.
    func value<T>(_ name: String, _ read: (String) throws -> T) throws -> T { try Self.named(name) { try read(try text(name)) } }

    func value<T>(ifAny name: String, _ read: (String) throws -> T) throws -> T? {
        guard let text = try text(ifAny: name) else { return nil }
        return try Self.named(name) { try read(text) }
    }

    /// Adds a member's name to what is wrong with it.
    static func named<T>(_ name: String, _ read: () throws -> T) throws -> T {
        do { return try read() } catch { throw Problem(error, member: name) }
    }
}

extension Request {
    /// A parameter of the query.
    func parameter<T>(ifAny name: String, _ read: (String) throws -> T) throws -> T? {
        guard let text = uri.queryParameters[Substring(name)] else { return nil }
        return try Members.named(name) { try read(String(text)) }
    }

    func parameter<T>(_ name: String, _ read: (String) throws -> T) throws -> T {
        guard let value = try parameter(ifAny: name, read) else {
            throw Problem(.badRequest, "missingParameter", "the query has no “\(name)”", member: name)
        }
        return value
    }

    /// What names a request, so that it is done once: the header `Idempotency-Key`, in quotes as the IETF's draft has it or without.
    func idempotencyKey() throws -> String {
        guard let field = headers[.idempotencyKey] else {
            throw Problem(.badRequest, "missingKey", "the header Idempotency-Key is missing: name the request, so that it is done once", member: "Idempotency-Key")
        }
        let isQuoted = field.count >= 2 && field.hasPrefix("\"") && field.hasSuffix("\"")
        let key = isQuoted ? String(field.dropFirst().dropLast()) : field
        guard (1...100).contains(key.utf8.count), key.utf8.allSatisfy({ (33...126).contains($0) && !"\"\\/".utf8.contains($0) }) else {
            throw Problem(.badRequest, "invalidKey", "a key has 1 to 100 visible ASCII characters other than \" \\ and /", member: "Idempotency-Key")
        }
        return key
    }
}

extension BasicRequestContext {
    /// A part of the path, decoded.
    func part(_ name: String) throws -> String {
        guard let text = parameters.get(name)?.removingPercentEncoding else {
            throw Problem(.badRequest, "invalidPath", "the path cannot be decoded", member: name)
        }
        return text
    }
}
