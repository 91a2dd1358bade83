import Indelible
import IndelibleTesting
import Testing

/// Given, when, then: what is as told passes, and what is not is an issue that says both.
@Suite struct ScenarioTests {
    private let open = Scenario(Story.self, "42").given(StoryOpened(title: "Rain"))

    @Test func `a command and what it records`() {
        open.when { try $0.comment("Well said", by: "bob") }
            .then(CommentAdded(actor: "bob", text: "Well said"))
            .thenState { story in
                #expect(story.title == "Rain")
                #expect(story.comments == ["Well said"])
            }
    }

    @Test func `a command of several events, and what they move`() {
        let outcome = open.when { try $0.close(saying: "The end", by: "eve") }
        outcome.then(CommentAdded(actor: "eve", text: "The end"), StoryClosed(fine: Amount(minorUnits: 5_00, .eur)))
        outcome.thenState { #expect($0.isClosed) }
        let fine = Posting(debit: "members:bob", credit: "fines", amount: Amount(minorUnits: 5_00, .eur))
        #expect(outcome.movements == [.none, .post([fine])])
    }

    @Test func `a command that records nothing`() { open.when { $0.open("Rain") }.thenNothing() }

    @Test func `a command that refuses`() {
        let closed = open.given(StoryClosed(fine: Amount(minorUnits: 1, .eur)))
        closed.when { try $0.comment("Late", by: "bob") }
            .thenThrows(StoryError.closed("42"))
            .thenThrows(StoryError.self) { $0 != .other }
            .thenState { #expect($0.comments.isEmpty) }
    }

    @Test func `a plain state is swapped, kept or refused`() {
        let profile = Scenario(Profile.self, "bob")
        var new = Profile(id: "bob")
        new.email = "bob@example.org"
        profile.whenSwapped { $0.email = "bob@example.org" }.then(Replaced(new)).thenState { #expect($0 == new) }
        profile.given(Replaced(new)).whenSwapped { $0.email = "bob@example.org" }.thenNothing()
        profile.whenSwapped { $0.email = "bob" }.thenThrows(StoryError.other)
    }

    // MARK: - What is not as told

    /// An issue is recorded at the line of `fails` that says all of `parts`.
    private func fails(saying parts: String..., line: Int = #line, _ body: () -> Void) {
        withKnownIssue {
            body()
        } matching: { issue in
            let text = issue.comments.map(\.rawValue).joined(separator: "\n")
            return issue.sourceLocation?.line == line && issue.sourceLocation?.fileID == #fileID && parts.allSatisfy(text.contains)
        }
    }

    @Test func `another event fails, and the issue says what was given, expected and recorded`() {
        fails(
            saying: "story 42 does not do what is told", #"given:    story.opened (version 1) {"title":"Rain"}"#,
            #"expected: story.comment-added (version 1) {"actor":"bob","text":"Well sad"}"#,
            #"actual:   story.comment-added (version 1) {"actor":"bob","text":"Well said"}"#, line: #line + 1
        ) { open.when { try $0.comment("Well said", by: "bob") }.then(CommentAdded(actor: "bob", text: "Well sad")) }
    }

    @Test func `an event of the same payload and another name fails`() {
        fails(saying: "expected: story.closed", "actual:   story.opened", line: #line + 1) {
            open.when { $0.open("Sun") }.then(StoryClosed(fine: Amount(minorUnits: 1, .eur)))
        }
    }

    @Test func `one event too many, too few, or in another order fails`() {
        let (text, closed) = (CommentAdded(actor: "eve", text: "x"), StoryClosed(fine: Amount(minorUnits: 5_00, .eur)))
        let outcome = open.when { try $0.close(saying: "x", by: "eve") }
        outcome.then(text, closed)
        fails(saying: "expected: story.comment-added", line: #line) { outcome.then(text) }
        fails(saying: "expected: story.closed", line: #line) { outcome.then(closed, text) }
        fails(saying: "expected: no events", line: #line) { outcome.thenNothing() }
        fails(saying: "actual:   no events", line: #line) { open.when { $0.open("Rain") }.then(text) }
    }

    @Test func `an error that was not expected fails, and so does one that was and did not come`() {
        let closed = open.given(StoryClosed(fine: Amount(minorUnits: 1, .eur)))
        let refused = closed.when { try $0.comment("x", by: "bob") }
        fails(saying: #"actual:   it throws StoryError: closed("42")"#, line: #line) { refused.then(CommentAdded(actor: "bob", text: "x")) }
        fails(saying: "expected: it throws StoryError: other", line: #line) { refused.thenThrows(StoryError.other) }
        fails(saying: "expected: it throws a fitting LedgerError", line: #line) { refused.thenThrows(LedgerError.self) }
        fails(saying: "expected: no events", line: #line) { refused.thenNothing() }
        fails(saying: "expected: there is a state to look at", line: #line) { refused.thenState { _ in Issue.record("looked") } }
        fails(saying: "expected: it throws StoryError: other", "actual:   no events", line: #line + 1) {
            open.when { $0.open("Rain") }.thenThrows(StoryError.other)
        }
    }

    @Test func `an event that cannot be read again fails`() {
        fails(saying: "actual:   its events cannot be stored and read", "unreadable", line: #line) { open.when { _ in Broken() }.then(Broken()) }
        // One issue, not another one for everything that follows.
        fails(saying: "what is given cannot be stored and read", line: #line + 1) {
            open.given(Broken()).when { try $0.comment("x", by: "bob") }.then(CommentAdded(actor: "bob", text: "x")).thenNothing()
        }
    }

    @Test func `an event that is not among those of its aggregate fails`() {
        fails(saying: "story.unnamed is not among the events of story", line: #line) { open.when { _ in Unnamed() }.thenNothing() }
        fails(saying: "what is expected cannot be stored", line: #line) { open.when { $0.open("Rain") }.then(Unnamed()) }
    }

    @Test func `an error of the look at a state is the test's own`() {
        #expect(throws: StoryError.other) { try open.when { $0.open("Sun") }.thenState { _ in throw StoryError.other } }
    }
}
