import Foundation
import Testing

/// What a query gives is a value: it takes no event, and no unit of work takes it.
@Suite struct SidesCompilerTests {
    typealias Piece = CompilerTests.Piece

    private static let prelude = """
        struct Story: Aggregate {
            static let category: StreamCategory = "story"
            static var events: [any DomainEvent<Story>.Type] { [Opened.self] }
            let id: String
            init(id: String) { self.id = id }
        }
        struct Opened: DomainEvent {
            static let name: EntryKind = "story.opened"
            func fold(into story: inout Story) {}
        }
        func found(_ ledger: Ledger) async throws -> (balance: Balance, entry: JournalEntry, account: Account) {
            let balance = try await ledger.balance(of: "cash", in: .eur)
            return (balance, try await ledger.entries(EntryQuery())[0], balance.account)
        }

        """

    private static func piece(_ what: String, _ body: String, _ error: String? = nil) -> Piece {
        .init(what, "Indelible", prelude + "func f(_ ledger: Ledger, _ unit: UnitOfWork) async throws {\n    let found = try await found(ledger)\n    \(body)\n}", error)
    }

    static let good: [Piece] = [
        piece("a unit that begins from an id", "try await unit.load(Story.self, \"\\(found.entry.position)\").apply(Opened())"),
        piece("a state that is looked at", "let story: Story = try await unit.load(Story.self, \"1\").state; print(found, story)"),
    ]

    static let bad: [Piece] = [
        piece("an event for a balance", "try found.balance.apply(Opened())", "value of type 'Balance' has no member 'apply'"),
        piece("an event for an entry", "try found.entry.apply(Opened())", "value of type 'JournalEntry' has no member 'apply'"),
        piece("an event for an account", "try found.account.apply(Opened())", "value of type 'Account' has no member 'apply'"),
        piece("a balance that is changed", "found.balance.totals.debitsPosted = 5", "'totals' is a 'let' constant"),
        piece("an entry as an identity", "_ = try await unit.load(Story.self, found.entry)", "cannot convert value of type 'JournalEntry' to expected argument type 'String'"),
        piece("an entry that is posted again", "try unit.post(found.entry)", "cannot convert value of type 'JournalEntry' to expected argument type 'Entry'"),
        piece("a balance as an aggregate", "_ = try await unit.load(Balance.self, \"1\")", "requires that 'Balance' conform to 'Aggregate'"),
        piece(
            "a reference made by hand", "_ = Ref<Story>(\"1\", try StreamName(Story.category, \"1\"), 0, Story(id: \"1\"), unit)",
            "'Ref<State>' initializer is inaccessible due to 'internal' protection level"),
        piece("a state put into a unit", "try unit.attach(Story(id: \"1\"))", "'attach' is inaccessible due to 'internal' protection level"),
    ]

    @Test(arguments: good) func `what should compile does`(_ piece: Piece) async throws {
        let result = try await CompilerTests.compile(piece)
        #expect(result.status == 0, "\(result.output)")
    }

    @Test(arguments: bad) func `what must not compile does not`(_ piece: Piece) async throws { try await CompilerTests.refuses(piece) }

    /// What the public declarations of a text hand out: behind the arrow of a function, behind the colon of a property.
    private static func given(_ text: String) -> [String] {
        // Closures as defaults would look like a body.
        let text = text.replacing(/= \{[^}]*\bin\b[^}]*\}/, with: "")
        let functions = text.matches(of: /public\s+(?:static\s+|mutating\s+|borrowing\s+|nonisolated\s+)*(?:func|subscript)\b[^{]*/).map { match in
            match.0.ranges(of: " -> ").last.map { String(match.0[$0.upperBound...]) } ?? ""
        }
        let properties = text.matches(of: /public\s+(?:static\s+|private\(set\)\s+|internal\(set\)\s+)*(?:var|let)\b([^{=\n]*)/).map { String($0.1) }
        return functions + properties
    }

    private static func isOfUnits(_ type: String) -> Bool { type.contains(/\bRef<|\bUnitOfWork\b|\bA\b|\bAggregate\b/) }

    @Test func `no public function of the store gives out a reference or an aggregate`() throws {
        var examined = 0
        for file in try Repository.files(in: "Sources/LedgerStore", ".swift") {
            for type in Self.given(file.text) {
                examined += 1
                #expect(!Self.isOfUnits(type), "\(file.path): \(type)")
            }
        }
        #expect(examined > 300, "\(examined)")
    }

    @Test(arguments: [
        "public func story(\n    _ id: String, progress: (Int) -> Void = { _ in }\n) async throws(LedgerError) -> Ref<Story> {",
        "public func state<A: Aggregate>(_ type: A.Type, _ id: A.ID) async throws -> A {", "public var unit: UnitOfWork {",
        "public let state: any Aggregate\n",
    ])
    func `one that did would be found`(_ text: String) { #expect(Self.given(text).contains(where: Self.isOfUnits)) }
}
