// A program that writes to a book and says what it was answered; tests start several at once, and kill some.
// What to do is its first argument; where the book is comes from the environment (``Settings``).
import Foundation

switch CommandLine.arguments.dropFirst().first {
case "history": try await RandomHistory(try Settings()).run()
case "traced": try await Traced.run(try Settings())
default:
    FileHandle.standardError.write(Data("history, traced\n".utf8))
    exit(64)
}
