import LedgerModel
import Testing

/// docs/fee-schedule.schema.json says what the reader of schedules says, as far as a schema can.
@Suite struct FeeSchemaTests {
    static func schema() throws -> JSONSchema {
        JSONSchema(root: try JSON(parsing: try FeeDocumentTests.document("fee-schedule.schema.json")))
    }

    @Test func `it has no keyword that this validator does not look at`() throws {
        let schema = try Self.schema()
        #expect(schema.unknownKeywords == [])
        #expect(schema.root["$schema"] == "https://json-schema.org/draft/2020-12/schema")
        #expect(JSONSchema(root: ["properties": ["x": ["anyOf": [["minContains": 1]]]]]).unknownKeywords == ["minContains"])
    }

    @Test func `its members are those that the reader knows, and no other is allowed`() throws {
        let schema = try Self.schema()
        #expect(FeeSchedule.members.count == 6)
        for (kind, known) in FeeSchedule.members {
            let object = kind == "schedule" ? schema.root : schema.definition("#/$defs/\(kind)")
            guard case .object(let properties)? = object["properties"] else {
                Issue.record("\(kind) has no properties")
                continue
            }
            #expect(Set(properties.keys) == known, "\(kind)")
            #expect(object["additionalProperties"] == false, "\(kind)")
        }
    }

    @Test func `what the document shows is valid`() throws {
        let schema = try Self.schema()
        let whole = try [BrokenSchedules.sound, #require(FeeDocumentTests.blocks.first).json, FeeDocumentTests.document("examples/fees.json")]
        var documents = try whole.map { try JSON(parsing: $0) }
        documents += try FeeDocumentTests.tables.map { try FeeDocumentTests.schedule($0.rule).document }
        #expect(documents.count >= 39)
        for document in documents { #expect(schema.problems(document) == [], "\(document.text)") }
    }

    @Test func `what is broken is not, where a schema can say so`() throws {
        let schema = try Self.schema()
        #expect(BrokenSchedules.all.filter(\.isSeenBySchema).count >= 130)
        for row in BrokenSchedules.all {
            let problems = schema.problems(try row.document)
            #expect(problems.isEmpty == !row.isSeenBySchema, "\(row.change): \(problems)")
        }
    }

    @Test func `what is allowed, at its edges, is allowed by both`() throws {
        let schema = try Self.schema()
        let changes = """
            schedule = "a"
            schedule = "a1234567890123456789012345678901"
            version = 4294967295
            effective_from = "1999-12-31T23:59:59.999999-11:30"
            description
            rules[0].kinds = ["*"]
            rules[0].kinds = ["a1._-", "card*"]
            rules[0].accounts = ["**"]
            rules[0].accounts = ["*:eu:*", "a b:**", "größe"]
            rules[0].fields
            rules[0].fields = {"a_B-9.c": ["", -1, false]}
            rules[0].volume = "subtract"
            rules[0].prices = {"*": {}}
            rules[0].prices.EUR = {}
            rules[0].prices.EUR.basis_points = 0
            rules[0].prices.EUR.basis_points = "0.0001"
            rules[0].prices.EUR.basis_points = 10000
            rules[0].prices.EUR.basis_points = "10000.0000"
            rules[2].prices.JPY.basis_points = -10000
            rules[2].prices.JPY.basis_points = "-10000"
            rules[2].prices.JPY.fixed = "-9223372036854775807"
            rules[0].prices.EUR.minimum = "0"
            rules[0].prices.EUR.minimum = "50.00"
            rules[0].prices.EUR.maximum = "0.30"
            rules[1].prices.EUR.minimum = "0.30"
            rules[1].prices.EUR.tiers.steps[1].basis_points = -1
            rules[1].prices.EUR.tiers.steps[1] = {"from": "0.01"}
            rules[1].prices.EUR.tiers.steps = [{"from": "0"}]
            rules[0].waivers
            rules[0].waivers[0].basis_points = "0.0001"
            rules[0].waivers[0].basis_points = 10000
            rules[0].waivers[0] = {"reason": "x", "basis_points": 0.5}
            """
        for change in changes.split(separator: "\n").map(String.init) {
            let document = try BrokenSchedules.changed(change)
            #expect(schema.problems(document) == [], "\(change)")
            let error = FeeScheduleTests.refusal(document)
            #expect(error == nil, "\(change): \(error?.message ?? "")")
        }
    }
}
