import ArgumentParser
import Indelible

struct FeesExplain: Verb {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show how an entry's fees come about, line by line, and what they were before.")
    @OptionGroup var name: EntryName
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let (entry, fees, through, published) = try await book.withLedger(role: .auditor) { ledger in
            let entry = try await name.find(ledger)
            guard let id = entry.id else { throw LedgerError(.unknownEntry, "nothing was ever recorded at position \(entry.position)") }
            let (fees, through) = try await ledger.fees(of: id)
            return (entry, fees, through, try await ledger.feeSchedules())
        }
        switch output.format {
        case .json: Output.line(JSON.array(Self.keyed(fees).flatMap { $0 }.map(Self.json)).text)
        case .csv:
            var table = Table([.init("account"), .init("currency"), .init("schedule"), .number("through"), .init("what"), .init("value", .right)])
            for fee in fees {
                table.rows += fee.derivation.map { [fee.account.path.text, fee.account.currency.code.text, fee.schedule, fee.through.description, $0.what, $0.value] }
            }
            table.print(.csv)
        case .table:
            Output.line("\(entry.position)  \(entry.kind)  \(entry.effectiveAt)")
            if fees.isEmpty { Output.line("    no fees, as of position \(through)") }
            for history in Self.keyed(fees) { Self.explain(history, published) }
        }
        return .ok
    }

    /// The rows of each account and schedule, the oldest first.
    private static func keyed(_ fees: [Fee]) -> [[Fee]] {
        var keyed: [[Fee]] = []
        for fee in fees {
            if let last = keyed.last?.last, last.account.id == fee.account.id, last.schedule == fee.schedule {
                keyed[keyed.count - 1].append(fee)
            } else {
                keyed.append([fee])
            }
        }
        return keyed
    }

    private static func explain(_ history: [Fee], _ published: [PublishedFeeSchedule]) {
        guard let fee = history.last else { return }
        let currency = fee.account.currency
        Output.line("")
        Output.line("    \(fee.account.path.text)  \(currency)")
        if let version = fee.version, let rule = fee.rule {
            let number = version.rules.firstIndex(of: rule).map { $0 + 1 } ?? 0
            Output.line("    schedule \(version.name), version \(version.version), effective from \(version.effectiveFrom), rule \(number): \(rule.name)")
            if let one = published.first(where: { $0.schedule.name == version.name && $0.schedule.version == version.version }) {
                Output.line("    published at position \(one.receipt.position), recorded \(one.receipt.recordedAt)\(one.actor.map { ", by \($0)" } ?? "")")
            }
        }
        let lines = fee.derivation
        let width = lines.map(\.what.count).max() ?? 0
        // The points of all values stand under each other.
        let before = lines.map { $0.value.prefix { $0 != "." }.count }.max() ?? 0
        for line in lines {
            let indent = String(repeating: " ", count: before - line.value.prefix { $0 != "." }.count)
            Output.line("        \(line.what.padding(width))  \(indent)\(line.value)")
        }
        for earlier in history.dropLast().reversed() {
            let what = earlier.version.map { "by version \($0.version)" } ?? "not charged"
            Output.line("        it was \(currency.format(earlier.fee)), \(what), as of position \(earlier.through)")
        }
        Output.line("        as of position \(fee.through)")
    }

    private static func json(_ fee: Fee) -> JSON {
        let currency = fee.account.currency
        func amount(_ units: Int128) -> JSON { .string(currency.format(units)) }
        let parts = fee.components
        return [
            "entry": .string(fee.entry.description), "position": .integer(Int64(clamping: fee.position.number)),
            "effective_at": .string(fee.effectiveAt.description), "account": .string(fee.account.path.text), "currency": .string(currency.code.text),
            "schedule": .string(fee.schedule), "version": fee.version.map { .integer(Int64($0.version)) } ?? .null,
            "rule": fee.rule.map { .string($0.name) } ?? .null, "amount": amount(fee.amount),
            "slices": .array(parts.slices.map { ["step": .integer(Int64($0.step)), "amount": amount($0.amount)] }),
            "percentage": amount(parts.percentage), "rounding_e8": .integer(parts.rounding), "fixed": amount(parts.fixed), "bounded": amount(parts.bounded),
            "waiver": fee.waiver.map { .string($0.reason) } ?? .null, "waived": amount(parts.waived), "waived_rounding_e8": .integer(parts.waivedRounding),
            "fee": amount(fee.fee), "through": .integer(Int64(clamping: fee.through.number)),
            "derivation": .array(fee.derivation.map { ["what": .string($0.what), "value": .string($0.value)] }),
        ]
    }
}
