import IndelibleTesting
import LocalMariaDB
import Testing

/// What docs/account-lines.md shows is what happens, and what the command refuses.
@Suite struct AccountLineDocumentTests {
    @Test func `every command prints what stands behind it`() async throws {
        let steps = try LimitDocumentTests.steps("account-lines.md")
        #expect(steps.count > 15)
        let environment = ["INDELIBLE_FOLDER": try await TestServer.shared().folder, "INDELIBLE_BOOK": bookName()]
        let folder = try Folder()
        defer { folder.remove() }
        let made = try await indelible(["init", "--time-zone", "Europe/Berlin"], environment: environment)
        #expect(made.status == 0, "\(made.all)")
        for step in steps {
            let ran = try await shell("indelible() { \"$I\" \"$@\"; }; \(step.command)", environment: environment, folder: folder.path)
            let isRefused = step.output.first?.hasPrefix("indelible: ") == true
            #expect(ran.status == (isRefused ? 65 : 0), "\(step.command): \(ran.all)")
            guard !step.output.isEmpty else { continue }
            let lines = ran.all.split(separator: "\n").map { LimitDocumentTests.normal(String($0)) }
            #expect(lines == step.output, "\(step.command)")
        }
    }

    @Test(arguments: [
        (["--limit", "0"], Int32(64), "--limit is 1 to 10000"),
        (["--order", "random"], 64, "The value 'random' is invalid"),
        (["--from", "3", "--order", "effective"], 64, "is bounded by days or times, not by positions"),
        (["--from", "2026-01-01", "--order", "position"], 64, "is bounded by positions, not by days"),
        (["--from", "3", "--to", "2026-01-01"], 64, "both positions, or both days"),
        (["--from", "2026-02-30"], 65, "“2026-02-30” is no day"),
        (["--to", "yesterday"], 65, "“yesterday” is no day"),
        (["--to", "2026-01-01T25:00:00Z"], 65, "is no time"),
        (["--after", "xyz"], 65, "“xyz” is no cursor of account lines"),
    ])
    func `a wrong option is refused`(_ options: [String], _ status: Int32, _ message: String) async throws {
        let environment = ["INDELIBLE_FOLDER": try await TestServer.shared().folder, "INDELIBLE_BOOK": try await Self.book.value]
        expectFailure(
            try await indelible(["account", "lines", "cash", "EUR"] + options, environment: environment), status, message, "\(options)")
    }

    /// One for all refusals.
    private static let book = Task {
        let name = bookName()
        let folder = try await TestServer.shared().folder
        _ = try await indelible(["init", "--folder", folder, "--book", name])
        _ = try await indelible(["account", "open", "cash", "EUR", "--type", "asset", "--folder", folder, "--book", name])
        return name
    }
}
