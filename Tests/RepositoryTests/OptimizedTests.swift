import Testing

/// Code that optimized builds of Swift 6.3.1 get wrong: it passes every test of a debug build.
@Suite struct OptimizedTests {
    /// A tuple that both ways out of a `do` return is mixed up when the closure is a task of a group: `return` it once, behind.
    private static func hasTwoWaysOut(_ text: String) -> Bool {
        text.contains("return (") && text.contains(/do( throws\(\w+\))? \{\s*return \([^{}]*\}\s*catch \{\s*return \(/)
    }

    /// A closure that is bound to a task-local value crashes whoever binds it: put it into a structure.
    private static func bindsClosure(_ text: String) -> Bool { text.contains("@TaskLocal") && text.contains(/@TaskLocal\s[^\n=]*: *\(/) }

    @Test func `no source has what optimized builds get wrong`() throws {
        let files = try Repository.sources() + Repository.files(in: "Tests", ".swift") + Repository.files(in: "docs/examples", ".swift")
        #expect(files.count > 400)
        for file in files where !file.path.hasSuffix("OptimizedTests.swift") {
            #expect(!Self.hasTwoWaysOut(file.text), "\(file.path): a tuple is returned from `do` and from `catch`")
            #expect(!Self.bindsClosure(file.text), "\(file.path): a task-local closure")
        }
    }

    @Test(arguments: [
        "do { return (next, .success(try await decider.decide(next))) } catch { return (next, .failure(error)) }",
        "do throws(LedgerError) {\n    return (1, .success(try await f()))\n} catch {\n    return (1, .failure(error))\n}",
    ])
    func `two ways out are recognised`(_ text: String) { #expect(Self.hasTwoWaysOut(text)) }

    @Test(arguments: ["@TaskLocal static var sink: (@Sendable () -> Void)?", "@TaskLocal public static var x: ((Int) -> Void)? = nil"])
    func `a closure bound to a task is recognised`(_ text: String) { #expect(Self.bindsClosure(text)) }

    @Test(arguments: [
        "do { result = .success(try await f()) } catch { result = .failure(error) }\nreturn (next, result)",
        "@TaskLocal static var bound: UnitOfWork?", "@TaskLocal static var bound = Trace()",
    ])
    func `what is right is let be`(_ text: String) { #expect(!Self.hasTwoWaysOut(text) && !Self.bindsClosure(text)) }
}
