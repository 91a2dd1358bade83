import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import Testing

/// `indelible process`: what processes took and did, read from the journal.
@Suite struct ProcessCommandTests {
    enum Input: Sendable { case opened, answered }

    struct Confirm: Command {
        static let name: EntryKind = "inquiry.confirm"
        let inquiry: String
        var subject: StreamName { get throws { try StreamName("inquiry", inquiry) } }
    }

    struct Inquiry: ProcessManager {
        static let name: ProcessName = "inquiry"
        static var inputs: [InputType<Inquiry>] {
            [
                .entry("inquiry.opened", for: { $0.reference }, as: { _ in .opened }),
                .entry("inquiry.answered", for: { $0.reference }, as: { _ in .answered }),
            ]
        }
        let id: String
        var isEnded = false
        init(id: String) { self.id = id }
        mutating func evolve(_ input: Input) { if case .answered = input { isEnded = true } }
        func react(to input: Input) -> [Effect] {
            switch input {
            case .opened: [.startTimer("wait", at: Timestamp(microseconds: 1924992000_000_000)), .command(Confirm(inquiry: id))]
            case .answered: []
            }
        }
    }

    @Test func `processes are listed, one is shown, and its history says what it took and did`() async throws {
        let book = try await LimitCommandTests.Book.make()
        let server = try await TestServer.shared()
        let password = try String(contentsOfFile: book.folder + "/password", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let location = try BookLocation(
            server: .socket(path: server.socketPath), book: book.name, user: "indelible", password: Secret(password))
        let owner = try BookLocation(server: .socket(path: server.socketPath), book: book.name, user: server.adminUser)
        let ledger = Ledger(location)
        let router = ProcessRouter(of: Inquiry.self, ledger: ledger)
        try await BookOwner(owner).createGeneration(of: router)
        for id in ["a", "b"] { try await ledger.post(Entry(id: EntryID(key: id), kind: "inquiry.opened", reference: id)) }
        try await ledger.post(Entry(kind: "inquiry.answered", reference: "b"))
        let projector = Projector(location, jobs: [router])
        _ = try await projector.catchUp()
        await projector.close()
        await ledger.close()

        let list = try await book.ok("process list --format csv").split(separator: "\n").map { $0.split(separator: ",").prefix(5).joined(separator: ",") }
        #expect(list == ["process,id,state,steps,timers", "inquiry,a,open,1,1", "inquiry,b,ended,2,0"])
        #expect(try await book.ok("process list inquiry --open --format csv").split(separator: "\n").count == 2)
        #expect(try await book.ok("process list inquiry --ended --format json").contains(#""id":"b""#))
        #expect(try await book.ok("process list other --format csv").split(separator: "\n").count == 1)
        let shown = try await book.ok("process show inquiry a --format json")
        #expect(shown.contains("wait due 2031-01-01T00:00:00") && shown.contains(#""state":"open""#))
        let history = try await book.ok("process history inquiry b --format csv").split(separator: "\n").map { $0.split(separator: ",")[2] }
        #expect(history == ["what", "step", "timer set", "posted", "step", "timer cancelled"])
        #expect(try await book.ok("process history inquiry a").contains("input \(EntryID(key: "a"))"))
        try await book.refused("process show inquiry c", 65, "there is no process inquiry c")
        try await book.refused("process list --open --ended", 64, "not both")
    }
}
