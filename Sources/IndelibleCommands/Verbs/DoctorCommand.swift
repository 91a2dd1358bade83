import ArgumentParser
import Indelible

struct DoctorCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Prove that the book is protected: settings, grants, triggers, migrations.",
        discussion: """
            Exits 0 if everything holds, 1 if something does not, 3 if this user may not see all of it. Of a replica, \
            and of a process that is read-only, less is asked: what does not apply says so.
            """)

    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let place = try await Place(book)
        let doctor = Doctor(
            login: try await place.location(), owner: try await place.observerLocation(), roles: place.mode == .readOnly ? [.auditor] : BookRole.allCases)
        let findings = try await doctor.examine()
        var table = Table([.init("check"), .init("result"), .init("found")])
        if output.format != .table {
            table = Table([.init("check"), .init("result"), .init("found"), .init("expected"), .init("risk")])
        }
        for finding in findings {
            let result = finding.holds.map { $0 ? "holds" : "FAILS" } ?? (finding.applies ? "not proven" : "does not apply")
            let cells = [finding.name, result, finding.found, finding.expected, finding.risk]
            table.rows.append(Array(cells.prefix(table.columns.count)))
        }
        table.print(output.format)
        if output.format == .table {
            for finding in findings where finding.holds != true && finding.applies {
                Output.line("")
                Output.line("\(finding.name): expected \(finding.expected)")
                Output.line("  risk: \(finding.risk)")
            }
        }
        if findings.contains(where: { $0.holds == false }) { return .breaks }
        return findings.contains { $0.holds == nil && $0.applies } ? .incomplete : .ok
    }
}
