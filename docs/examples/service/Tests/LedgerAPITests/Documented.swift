import Foundation
import Hummingbird
import Indelible
import IndelibleTesting
import Testing

@testable import LedgerAPI

/// openapi.json, as the service serves it.
enum Documented {
    static let document = (try? JSON(parsing: String(decoding: PackageResources.openapi_json, as: UTF8.self))) ?? .null

    /// `GET /accounts/{path}` and so on.
    static var operations: Set<String> {
        var found: Set<String> = []
        for (path, methods) in document["paths"]?.members ?? [:] {
            for method in methods.members.keys { found.insert("\(method.uppercased()) \(path)") }
        }
        return found
    }

    /// The operation has the status, the status has the content, and the content has the members that its schema names, and no others.
    static func check(_ method: String, _ path: String, _ answer: Answer) throws {
        let what: Comment = "\(method) \(path): \(answer.status) \(answer.body.prefix(300))"
        guard let operation = operation(method, path) else {
            return #expect(answer.status == (["get", "post"].contains { Self.operation($0, path) != nil } ? 405 : 404), what)
        }
        let response = try #require(operation["responses"]?[String(answer.status)].map(resolved), what)
        let media = try #require(answer.header("Content-Type"), what)
        let schema = try #require(response["content"]?[media]?["schema"], what)
        if media.hasSuffix("json") { try conforms(try JSON(parsing: answer.body), schema, what) }
        for name in response["headers"]?.members.keys ?? [:].keys { #expect(answer.header(name) != nil, "\(name): \(what)") }
    }

    private static func operation(_ method: String, _ path: String) -> JSON? {
        let parts = path.prefix { $0 != "?" }.split(separator: "/")
        let fitting = (document["paths"]?.members ?? [:]).filter { template, _ in
            let wanted = template.split(separator: "/")
            return wanted.count == parts.count && zip(wanted, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        // /health/live before /health/{…}
        return fitting.min { $0.key.count(where: { $0 == "{" }) < $1.key.count(where: { $0 == "{" }) }?.value[method.lowercased()]
    }

    private static func conforms(_ value: JSON, _ schema: JSON, _ what: Comment) throws {
        let schema = resolved(schema)
        if case .array(let items) = value, let one = schema["items"] { for item in items { try conforms(item, one, what) } }
        if case .array(let words)? = schema["enum"] { #expect(words.contains(value), what) }
        guard case .object(let members) = value, let properties = schema["properties"]?.members else { return }
        if case .array(let required)? = schema["required"] {
            for name in required.compactMap(\.string) { #expect(members[name] != nil, "\(name) is missing: \(what)") }
        }
        for (name, value) in members {
            let property = try #require(properties[name], "\(name) is not documented: \(what)")
            try conforms(value, property, what)
        }
    }

    static func resolved(_ json: JSON) -> JSON {
        guard let path = json["$ref"]?.string else { return json }
        return resolved(path.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] ?? .null })
    }
}

extension JSON {
    var members: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
}

@Suite struct OpenAPITests {
    @Test func `each operation that is documented is served, and each route that is served is documented`() async throws {
        try await withService { client, book in
            let routes = LedgerAPI(Settings(location: book.location), logger: quiet).router().routes.map { "\($0.method) \($0.path)" }
            #expect(Set(routes) == Documented.operations)
            #expect(routes.count >= 15)
            let served = try await client.get("/openapi.json")
            #expect(served.json == Documented.document && served["openapi"] == "3.1.0")
        }
    }

    @Test func `every reference leads somewhere`() {
        #expect(Self.references(Documented.document).count > 50)
        for reference in Self.references(Documented.document) {
            #expect(Documented.resolved(["$ref": .string(reference)]) != .null, "\(reference)")
        }
    }

    private static func references(_ json: JSON) -> [String] {
        switch json {
        case .object(let members): (members["$ref"]?.string.map { [$0] } ?? []) + members.values.flatMap(references)
        case .array(let items): items.flatMap(references)
        default: []
        }
    }
}
