import Foundation
import Testing

/// Each line of Swift in a document is a line of a test that was compiled and run.
func expectCode(of document: String, in source: String, atLeast linesMin: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
    func lines(_ path: String) throws -> [String] {
        let text = try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
        return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    let code = Set(try lines(source))
    var (isCode, examined) = (false, 0)
    for line in try lines(document) {
        if line.hasPrefix("```") {
            isCode = line == "```swift"
        } else if isCode {
            #expect(code.contains(line), "\(line)", sourceLocation: sourceLocation)
            examined += 1
        }
    }
    #expect(examined >= linesMin, sourceLocation: sourceLocation)
}
