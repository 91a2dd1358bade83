import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// One query for a list and one for each of its things. Each server is one of its own: it counts what it is asked.
@Suite struct PreloadTests {
    @Test(.timeLimit(.minutes(2))) func `old: n stories are n + 1 queries`() async throws {
        try await withOldServer { _, old in
            let stories = OldStories(connection: old[0])
            for id in Int64(0)..<100 { try await stories.insert(OldStory(id: id, author: id % 7, title: "Story \(id)")) }
            for count in [Int64(10), 100] {
                let selects = try await old[0].selects {
                    var titles: [String] = []
                    for row in try await old[0].query("SELECT id FROM story ORDER BY id LIMIT \(count)") {
                        titles.append(try await stories.load(row.integer(0)).title)
                    }
                    #expect(titles.count == count)
                }
                #expect(selects == count + 1)
            }
        }
    }

    @Test(.timeLimit(.minutes(2))) func `new: ten stories and a hundred take the same number of statements`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            let ids = (0..<100).map { "story \($0)" }
            try await Units(book.ledger).run { unit in
                for story in try await unit.preload(Story.self, ids) {
                    try story.apply(story.state.publish("About \(story.id)", by: "bob"))
                    try story.apply(Story.Retitled(title: "More about \(story.id)"))
                }
            }
            func selects(_ count: Int, _ ledger: Ledger) async throws -> Int {
                try await book.countingStatements {
                    let stories = try await Units(ledger).begin().preload(Story.self, Array(ids.prefix(count)))
                    #expect(stories.map(\.state.title) == ids.prefix(count).map { "More about \($0)" })
                }.selects
            }
            var counts: [Int: [Int]] = [:]
            for count in [1, 10, 100] {
                // Once by a program that has just started, and once again.
                let ledger = Ledger(book.location)
                counts[count] = [try await selects(count, ledger), try await selects(count, ledger)]
                await ledger.close()
            }
            print("statements for 1, 10 and 100 stories, first and again: \(counts.sorted { $0.key < $1.key })")
            #expect(counts[1] == counts[10] && counts[10] == counts[100])
            #expect(counts[100]!.allSatisfy { $0 <= 5 })
            await book.ledger.close()
        }
    }
}
