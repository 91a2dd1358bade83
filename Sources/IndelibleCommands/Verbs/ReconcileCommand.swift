import ArgumentParser
import Indelible

struct ReconcileCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Prove that the book agrees with itself.",
        discussion: "Exits 0 if it is clean, 3 if something was not covered, 4 if a check fails.")

    @Option(help: "So many positions after the balances' checkpoint may be not covered.") var maxLag: UInt64 = 0
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let auditor = Auditor(try await Place(book).readingLocation())
        let result = try await auditor.reconcile(lagMax: maxLag)
        await auditor.close()
        switch output.format {
        case .json: Output.line(Self.json(result).text)
        case .table: Self.printText(result)
        case .csv: throw Failure(.usage, "reconcile prints a table or JSON")
        }
        switch result.verdict {
        case .clean: return .ok
        case .incomplete: return .incomplete
        case .failed: return .integrity
        }
    }

    private static func printText(_ result: Reconciliation) {
        let basis = result.basis
        Output.line("Reconciliation of the book \(basis.book): \(result.verdict.rawValue)")
        Output.line("")
        Output.line("Basis  journal through position \(basis.journalThrough) of \(basis.head), snapshot taken \(basis.takenAt)")
        Output.line("       balances of generation \(basis.generation) through position \(basis.checkpoint)")
        Output.line("")
        var checks = Table([.init("check"), .init("result"), .init("examined", .right), .init("what holds")])
        checks.rows = result.checks.map { [$0.name, $0.holds ? "holds" : "FAILS", String($0.examined), $0.statement] }
        checks.print(.table)
        for check in result.checks where !check.holds {
            Output.line("")
            Output.line("\(check.name): \(check.findingsTotal) findings")
            for finding in check.findings { Output.line("  \(finding)") }
            if check.findingsTotal > check.findings.count {
                Output.line("  … and \(check.findingsTotal - check.findings.count) more")
            }
        }
        for check in result.checks where check.notesTotal > 0 {
            Output.line("")
            Output.line("\(check.name): \(check.notesTotal) to know, nothing of it is a break")
            for note in check.notes { Output.line("  \(note)") }
            if check.notesTotal > check.notes.count { Output.line("  … and \(check.notesTotal - check.notes.count) more") }
        }
        Output.line("")
        Output.line("Trial balance")
        var trial = Table([
            .init("currency"), .init("accounts", .right), .init("debits", .right), .init("credits", .right),
            .init("difference", .right),
        ])
        trial.rows = result.trialBalance.map {
            [
                $0.currency.code.text, String($0.accounts), $0.currency.format($0.debits), $0.currency.format($0.credits),
                $0.currency.format($0.debits - $0.credits),
            ]
        }
        trial.print(.table)
        for note in result.notCovered {
            Output.line("")
            Output.line("Not covered: \(note)")
        }
    }

    private static func json(_ result: Reconciliation) -> JSON {
        let basis = result.basis
        func number(_ value: some BinaryInteger) -> JSON { .integer(Int64(clamping: value)) }
        return [
            "schema": 1, "verdict": .string(result.verdict.rawValue),
            "basis": [
                "book": .string(basis.book), "taken_at": .string(basis.takenAt.description),
                "journal_through": number(basis.journalThrough.number), "head": number(basis.head.number),
                "generation": number(basis.generation), "checkpoint": number(basis.checkpoint.number),
            ],
            "checks": .array(
                result.checks.map { check in
                    [
                        "name": .string(check.name), "statement": .string(check.statement), "holds": .bool(check.holds),
                        "examined": number(check.examined), "findings": .array(check.findings.map(JSON.string)),
                        "findings_total": number(check.findingsTotal), "notes": .array(check.notes.map(JSON.string)),
                        "notes_total": number(check.notesTotal),
                    ]
                }),
            "trial_balance": .array(
                result.trialBalance.map { line in
                    [
                        "currency": .string(line.currency.code.text), "exponent": number(line.currency.exponent),
                        "accounts": number(line.accounts), "debits": .string(line.currency.format(line.debits)),
                        "credits": .string(line.currency.format(line.credits)),
                        "difference": .string(line.currency.format(line.debits - line.credits)),
                    ]
                }),
            "not_covered": .array(result.notCovered.map(JSON.string)),
        ]
    }
}
