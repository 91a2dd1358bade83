import Foundation
import LedgerModel

/// As much of JSON Schema (draft 2020-12) as the schemas of docs need. A keyword that it does not know is a mistake, not a remark.
struct JSONSchema {
    let root: JSON
    /// By their text; they take longer to read than to match.
    private var patterns: [String: Regex<AnyRegexOutput>] = [:]

    init(root: JSON) {
        self.root = root
        var patterns: [String: Regex<AnyRegexOutput>] = [:]
        walk(root) { schema in if let text = schema["pattern"]?.string { patterns[text] = try! Regex(text) } }
        self.patterns = patterns
    }

    /// What is wrong with a document, and where; empty if it is valid.
    func problems(_ value: JSON) -> [String] { problems(value, root, "") }

    /// Every keyword of the schema that ``problems(_:)`` does not look at.
    var unknownKeywords: Set<String> {
        var unknown: Set<String> = []
        walk(root) { schema in unknown.formUnion(Set(schema.keys).subtracting(Self.keywords)) }
        return unknown
    }

    private static let remarks: Set = ["$schema", "$id", "$defs", "title", "description"]
    private static let keywords: Set = remarks.union([
        "$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "type", "enum", "required", "properties", "additionalProperties",
        "propertyNames", "minProperties", "items", "prefixItems", "minItems", "maxItems", "pattern", "minLength", "maxLength",
        "minimum", "maximum", "exclusiveMinimum",
    ])

    /// Calls `body` with each schema in a schema.
    private func walk(_ schema: JSON, _ body: ([String: JSON]) -> Void) {
        guard case .object(let members) = schema else { return }
        body(members)
        for (keyword, value) in members {
            switch (keyword, value) {
            case ("$defs", .object(let schemas)), ("properties", .object(let schemas)): schemas.values.forEach { walk($0, body) }
            case ("allOf", .array(let schemas)), ("anyOf", .array(let schemas)), ("oneOf", .array(let schemas)), ("prefixItems", .array(let schemas)):
                schemas.forEach { walk($0, body) }
            case ("not", _), ("if", _), ("then", _), ("items", _), ("additionalProperties", _), ("propertyNames", _): walk(value, body)
            default: break
            }
        }
    }

    /// The schema at a reference like `#/$defs/rule`.
    func definition(_ reference: String) -> JSON {
        reference.split(separator: "/").dropFirst().reduce(root) { schema, name in schema[String(name)]! }
    }

    private func problems(_ value: JSON, _ schema: JSON, _ path: String) -> [String] {
        guard case .object(let keywords) = schema else { return schema == .bool(false) ? ["\(path): nothing is allowed here"] : [] }
        return keywords.sorted { $0.key < $1.key }.flatMap { keyword, rule -> [String] in
            switch keyword {
            case "$ref": problems(value, definition(rule.string!), path)
            case "allOf", "anyOf", "oneOf", "not", "if": combined(value, keyword, rule, keywords["then"], path)
            case "required", "properties", "additionalProperties", "propertyNames", "minProperties": ofObject(value, keyword, rule, keywords, path)
            case "items", "prefixItems", "minItems", "maxItems": ofArray(value, keyword, rule, keywords, path)
            default: isFitting(value, keyword, rule) ? [] : ["\(path): \(keyword)"]
            }
        }
    }

    private func combined(_ value: JSON, _ keyword: String, _ rule: JSON, _ then: JSON?, _ path: String) -> [String] {
        switch keyword {
        case "allOf": return items(rule).flatMap { problems(value, $0, path) }
        case "not": return problems(value, rule, path).isEmpty ? ["\(path): not"] : []
        case "if": return problems(value, rule, path).isEmpty ? problems(value, then!, path) : []
        default:
            let fitting = items(rule).filter { problems(value, $0, path).isEmpty }.count
            return (keyword == "oneOf" ? fitting == 1 : fitting > 0) ? [] : ["\(path): \(keyword)"]
        }
    }

    private func ofObject(_ value: JSON, _ keyword: String, _ rule: JSON, _ beside: [String: JSON], _ path: String) -> [String] {
        guard case .object(let members) = value else { return [] }
        switch keyword {
        case "required": return items(rule).filter { value[$0.string!] == nil }.map { "\(path): \($0.string!) is missing" }
        case "minProperties": return Int64(members.count) >= integer(rule) ? [] : ["\(path): \(keyword)"]
        case "propertyNames": return members.keys.sorted().flatMap { problems(.string($0), rule, "\(path).\($0)") }
        case "properties":
            guard case .object(let schemas) = rule else { return [] }
            return schemas.sorted { $0.key < $1.key }.flatMap { name, schema in members[name].map { problems($0, schema, "\(path).\(name)") } ?? [] }
        default:
            var named: Set<String> = []
            if case .object(let schemas)? = beside["properties"] { named = Set(schemas.keys) }
            return members.keys.filter { !named.contains($0) }.sorted().flatMap { problems(members[$0]!, rule, "\(path).\($0)") }
        }
    }

    private func ofArray(_ value: JSON, _ keyword: String, _ rule: JSON, _ beside: [String: JSON], _ path: String) -> [String] {
        guard case .array(let values) = value else { return [] }
        switch keyword {
        case "minItems": return Int64(values.count) >= integer(rule) ? [] : ["\(path): \(keyword)"]
        case "maxItems": return Int64(values.count) <= integer(rule) ? [] : ["\(path): \(keyword)"]
        case "prefixItems": return zip(values, items(rule)).enumerated().flatMap { index, pair in problems(pair.0, pair.1, "\(path)[\(index)]") }
        default:
            let first = beside["prefixItems"].map { items($0).count } ?? 0
            return values.enumerated().dropFirst(first).flatMap { index, item in problems(item, rule, "\(path)[\(index)]") }
        }
    }

    private func isFitting(_ value: JSON, _ keyword: String, _ rule: JSON) -> Bool {
        switch (keyword, value) {
        case ("type", _): (rule.string.map { [$0] } ?? items(rule).compactMap(\.string)).contains { isType(value, $0) }
        case ("enum", _): items(rule).contains(value)
        case ("pattern", .string(let text)): text.contains(patterns[rule.string!]!)
        case ("minLength", .string(let text)): text.unicodeScalars.count >= Int(integer(rule))
        case ("maxLength", .string(let text)): text.unicodeScalars.count <= Int(integer(rule))
        case ("minimum", _): decimal(value).map { $0 >= decimal(rule)! } ?? true
        case ("maximum", _): decimal(value).map { $0 <= decimal(rule)! } ?? true
        case ("exclusiveMinimum", _): decimal(value).map { $0 > decimal(rule)! } ?? true
        default: true
        }
    }

    private func isType(_ value: JSON, _ type: String) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .integer: type == "integer" || type == "number"
        case .number: type == "number"
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }

    private func items(_ value: JSON) -> [JSON] { if case .array(let items) = value { items } else { [] } }
    private func integer(_ value: JSON) -> Int64 { if case .integer(let number) = value { number } else { 0 } }

    private func decimal(_ value: JSON) -> Decimal? {
        switch value {
        case .integer(let number): Decimal(number)
        case .number(let number): number
        default: nil
        }
    }
}
