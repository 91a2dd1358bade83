import Indelible
import IndelibleTesting

extension SoakConductor {
    /// Asks again for what is unknown, and holds the journal against what was said.
    func settle(_ logs: [(writer: Int, incarnation: Int, words: [SoakLog.Word?])], _ outcome: inout Outcome) async throws {
        var comparison = SoakComparison(seed: options.seed)
        var unknown: [SoakEntry] = []
        var sample: [(SoakEntry, UInt64)] = []
        for log in logs {
            for (number, word) in log.words.enumerated() {
                let entry = SoakEntry(writer: log.writer, incarnation: log.incarnation, number: number)
                switch word {
                case nil: break  // Taken by a task, and never begun.
                case .acknowledged(let position):
                    comparison.acknowledge(entry, at: position)
                    if sample.count < 1000, number % 97 == 0 { sample.append((entry, position)) }
                case .refused(let code):
                    comparison.refuse(entry)
                    outcome.refused[code, default: 0] += 1
                    if !["limitExceeded", "busy"].contains(code) { comparison.find("\(entry) was refused as \(code)") }
                case .begun, .unknown: unknown.append(entry)
                }
            }
        }
        outcome.unknown = unknown.count
        for (entry, answer) in try await ask(unknown) {
            switch answer {
            case .success(let receipt):
                comparison.acknowledge(entry, at: receipt.position.number)
                if receipt.isRepeat { outcome.unknownDone += 1 }
            case .failure(let error) where error.code == .limitExceeded: comparison.refuse(entry)
            case .failure(let error): comparison.find("\(entry), asked again: \(error)")
            }
        }
        say("\(unknown.count) posts were unknown; \(outcome.unknownDone) of them had been done")
        let positions = Dictionary(uniqueKeysWithValues: sample)
        for (entry, answer) in try await ask(sample.map(\.0)) {
            guard case .success(let receipt) = answer, receipt.isRepeat, receipt.position.number == positions[entry] else {
                comparison.find("\(entry), acknowledged, and asked again: \(answer)")
                continue
            }
        }
        try await readJournal(&comparison)
        comparison.end()
        outcome.matched = comparison.matched
        outcome.findings += comparison.findings
        say("\(comparison.matched) entries are in the journal, once, where they were acknowledged; \(comparison.findings.count) differences")
    }

    /// Posts these again, some at a time.
    private func ask(_ entries: [SoakEntry]) async throws -> [(SoakEntry, Result<Receipt, LedgerError>)] {
        let (ledger, seed) = (book.ledger, options.seed)
        return await withTaskGroup(of: (SoakEntry, Result<Receipt, LedgerError>).self) { group in
            var answers: [(SoakEntry, Result<Receipt, LedgerError>)] = []
            var rest = entries[...]
            func next() {
                guard let entry = rest.popFirst() else { return }
                group.addTask {
                    let result: Result<Receipt, LedgerError>
                    do throws(LedgerError) { result = .success(try await ledger.post(entry.entry(seed))) } catch { result = .failure(error) }
                    return (entry, result)
                }
            }
            for _ in 0..<64 { next() }
            for await answer in group {
                answers.append(answer)
                next()
            }
            return answers
        }
    }

    private func readJournal(_ comparison: inout SoakComparison) async throws {
        let database = Database(book.location, role: .auditor, connectionsMax: 1)
        var last: UInt64 = 0
        let kind = SoakEntry.kind.text
        while true {
            let rows = try await database.run(
                .select(
                    """
                    e.position, e.id, e.lines, debit.path, credit.path, p.amount, p.status
                    FROM (SELECT position, id, `lines` FROM entry WHERE position > \(last) AND kind = \(kind) ORDER BY position LIMIT 20000) e
                    LEFT JOIN posting p ON p.position = e.position LEFT JOIN account debit ON debit.id = p.debit
                    LEFT JOIN account credit ON credit.id = p.credit ORDER BY e.position
                    """))
            guard let end = rows.last else { break }
            last = try end.uint(0)
            for row in rows {
                let isWhole = try row.uint(2) == 1 && !row.isNull(3) && row.uint(6) == 0
                let move = isWhole
                    ? SoakEntry.Move(
                        debit: try AccountPath(try row.text(3)), credit: try AccountPath(try row.text(4)), amount: Int64(try row.uint(5)))
                    : nil
                comparison.see(.init(position: try row.uint(0), id: try EntryID(bytes: try row.bytes(1)), move: move))
            }
        }
        await database.close()
    }
}
