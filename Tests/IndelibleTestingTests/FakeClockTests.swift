import Indelible
import IndelibleTesting
import Testing

@Suite struct FakeClockTests {
    @Test func `it stands still until it is advanced or set`() throws {
        let clock = FakeClock(try Timestamp("2026-01-31T23:59:59Z"))
        #expect(clock.now() == clock.now())
        #expect(clock.advance(by: .milliseconds(1_500)) == (try Timestamp("2026-02-01T00:00:00.5Z")))
        clock.advance(by: .seconds(-1))
        #expect(clock.now() == (try Timestamp("2026-01-31T23:59:59.5Z")))
        clock.advance(by: .nanoseconds(999))
        #expect(clock.now() == (try Timestamp("2026-01-31T23:59:59.5Z")))
        clock.set(try Timestamp("1999-12-31"))
        #expect(clock.now() == (try Timestamp("1999-12-31")))
    }

    @Test func `a thousand at once advance it a thousand times`() async {
        let clock = FakeClock(Timestamp(microseconds: 0))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<1000 { group.addTask { clock.advance(by: .microseconds(3)) } }
        }
        #expect(clock.now() == Timestamp(microseconds: 3000))
    }

    @Test func `the window of a relaxed unit goes by it`() async throws {
        try await withBook { book in
            let clock = FakeClock(try Timestamp("2026-01-31"))
            let units = Units(book.ledger, clock: clock)
            let comments = try await [units.begin(.relaxed(window: .seconds(60))), units.begin(.relaxed(window: .seconds(60)))].asyncMap { unit in
                try await unit.load(Story.self, "42").apply(CommentAdded(actor: "bob", text: "Well said"))
                return unit
            }
            let opening = units.begin()
            try await opening.load(Story.self, "42").apply(StoryOpened(title: "Rain"))
            let opened = try await opening.commit()[0].recordedAt
            clock.set(opened)
            clock.advance(by: .seconds(60))
            try await comments[0].commit()
            clock.advance(by: .microseconds(1))
            let error = await #expect(throws: LedgerError.self) { try await comments[1].commit() }
            #expect(error?.code == .revisionConflict)
        }
    }
}

extension Array {
    fileprivate func asyncMap<T>(_ body: (Element) async throws -> T) async rethrows -> [T] {
        var results: [T] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
