import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// Reconcile finds what was forged in streams. Each forgery is made as the owner, with the triggers away, on a server of its own, and taken back.
@Suite struct StreamForgeryTests {
    private struct Forgery {
        let name: String
        let check: String
        let finding: String
        let statement: String

        init(_ name: String, _ check: String, _ finding: String, _ statement: String) {
            (self.name, self.check, self.finding, self.statement) = (name, check, finding, statement)
        }
    }

    private static let forgeries = [
        Forgery("a place that is gone", "streams", "is of story:1, where it is not listed", "DELETE FROM stream_entry WHERE stream = 'story:1' AND revision = 2"),
        Forgery("the last place is gone", "streams", "is of story:1, where it is not listed", "DELETE FROM stream_entry WHERE stream = 'story:1' AND revision = 4"),
        Forgery(
            "a commuting place is gone", "streams", "is of story:2, where it is not listed",
            "DELETE FROM stream_entry WHERE stream = 'story:2' AND revision IS NULL"),
        Forgery(
            "a place without an entry", "streams", "revision 5 of story:1 is no entry", "INSERT INTO stream_entry VALUES ('story:1', REPEAT('x', 16), 5)"),
        Forgery(
            "a place in another stream too", "streams", "which says another stream or revision",
            "INSERT INTO stream_entry SELECT 'story:9', entry_id, 1 FROM stream_entry WHERE stream = 'story:1' AND revision = 1"),
        Forgery("a claim is none", "streams", "which says another stream or revision", "UPDATE stream_entry SET revision = NULL WHERE stream = 'story:1' AND revision = 3"),
        Forgery("what claims nothing claims", "streams", "which says another stream or revision", "UPDATE stream_entry SET revision = 2 WHERE stream = 'story:2' AND revision IS NULL"),
        Forgery("a gap", "streams", "has 4 revisions, and the last is number 7", "UPDATE stream_entry SET revision = 7 WHERE stream = 'story:1' AND revision = 3"),
        Forgery(
            "another stream in the payload", "streams", "which says another stream or revision",
            "UPDATE entry SET payload = REPLACE(payload, 'story:1', 'story:3') WHERE kind = 'story.opened' AND payload LIKE '%story:1%'"),
        Forgery(
            "no stream in the payload", "streams", "which says another stream or revision",
            "UPDATE entry SET payload = JSON_REMOVE(payload, '$.ledger') WHERE kind = 'story.opened' AND payload LIKE '%story:1%'"),
        Forgery(
            "two in the other order", "streams", "and the revision before it at", """
            UPDATE entry a JOIN entry b ON a.payload LIKE '%"revision":2,"stream":"story:1"%' AND b.payload LIKE '%"revision":3,"stream":"story:1"%'
            JOIN stream_entry x ON x.entry_id = a.id JOIN stream_entry y ON y.entry_id = b.id
            SET x.revision = x.revision + 10, y.revision = y.revision + 10,
            a.payload = REPLACE(a.payload, '"revision":2', '"revision":13'), b.payload = REPLACE(b.payload, '"revision":3', '"revision":12')
            """),
        Forgery("another's release", "claims", "neither claims what is free", "UPDATE entry SET payload = REPLACE(payload, 'story:1\"', 'story:7\"') WHERE kind = 'ledger.claim-released'"),
        Forgery("a claim that is something else", "claims", "neither claims what is free", "UPDATE entry SET kind = 'note.made' WHERE kind = 'ledger.claimed' LIMIT 1"),
    ]

    @Test func `reconcile finds every forgery of streams and claims`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            let units = Units(book.ledger)
            try await units.run { unit in
                let story = try await unit.load(Story.self, "1")
                try story.apply([StoryOpened(title: "One")])
                try story.apply([CommentAdded(text: "a"), CommentAdded(text: "b")])
                try unit.claim("title", "One", for: "story:1")
            }
            try await units.run { unit in
                try await unit.load(Story.self, "2").apply(StoryOpened(title: "Two"))
                try unit.release("title", "One", of: "story:1")
                try await unit.load(Story.self, "1").check()
            }
            try await units.run { try $0.append(CommentAdded(text: "c"), to: "2", expecting: .any) }
            // The last revision of story 1 is the check; forgeries speak of 1 to 3.
            try await book.project()
            let clean = try await book.reconcile()
            #expect(clean.verdict == .clean)
            #expect(clean.checks.first { $0.name == "streams" }?.examined == 8)
            try await book.withOwner { try await $0.keepRows(of: Self.tables) }
            for forgery in Self.forgeries { try await Self.check(forgery, book) }
            #expect(try await book.reconcile().verdict == .clean)
            await book.ledger.close()
        }
    }

    private static func check(_ forgery: Forgery, _ book: TestBook) async throws {
        try await book.withOwner { try await $0.execute(unprepared: forgery.statement) }
        let failed = try await book.reconcile().checks.filter { !$0.holds }.map { ($0.name, $0.findings) }
        #expect(failed.contains { $0.0 == forgery.check && $0.1.contains { $0.contains(forgery.finding) } }, "\(forgery.name): \(failed)")
        try await book.withOwner { try await $0.restoreRows(of: Self.tables) }
    }

    private static let tables = ["entry", "stream_entry"]
}
