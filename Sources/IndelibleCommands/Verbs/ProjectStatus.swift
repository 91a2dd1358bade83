import ArgumentParser
import Indelible

struct ProjectStatus: Verb {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How far every generation is behind the journal, and whether it goes on.",
        discussion: """
            Exits 0 if all are caught up (or at most --max-lag positions behind), 3 if one is further behind, stuck, paused or waits for a \
            position too long, 4 if one stands at an entry that it cannot process.
            """)

    @Option(help: "So many positions behind the journal are well.") var maxLag: UInt64 = 0
    @Option(help: ArgumentHelp("What is decided may wait so long, with no step meanwhile, before it is called stuck.", valueName: "seconds"))
    var stuckAfter: UInt32 = 10
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let place = try await Place(book)
        // On a private server the owner sees who holds a position.
        let observer: BookLocation?
        if case .own = place.server {
            // First: this says if there is no book.
            _ = try await place.location()
            observer = try await place.observerLocation()
        } else {
            observer = nil
        }
        return try await ProjectCommand.withProjector(book, isReader: true) { projector in
            let statuses = try await projector.status(stuckAfter: .seconds(Int64(stuckAfter)), observer: observer)
            if output.format == .json { Output.line(JSON.array(statuses.map(Self.json)).text) } else { print(statuses) }
            return Self.exitStatus(statuses, maxLag: maxLag)
        }
    }

    /// The worst of all that count: another definition's generation that is not live does not.
    static func exitStatus(_ statuses: [JobStatus], maxLag: UInt64) -> ExitStatus {
        let counting = statuses.filter { !$0.isForeign || $0.generation.isLive }
        if counting.contains(where: { $0.state == .failed }) { return .integrity }
        let isWell = counting.allSatisfy { !$0.needsAttention && $0.state != .paused && $0.lag <= maxLag }
        return isWell ? .ok : .incomplete
    }

    private func print(_ statuses: [JobStatus]) {
        var table = Table([
            .init("job"), .number("generation"), .init("live"), .init("state"), .number("through"), .number("head"), .number("lag"),
            .number("lag_seconds"), .init("unprojected"), .number("per_second"), .number("seconds_to_go"), .init("stepped_at"), .init("note"),
        ])
        table.rows = statuses.map { status in
            [
                status.generation.job, String(status.generation.number), status.generation.isLive ? "live" : "", status.state.rawValue,
                status.through.description, status.head.description, String(status.lag), String(status.lagSeconds), Self.text(status.unprojected),
                status.positionsPerSecond.map { String($0) } ?? "", status.secondsToGo.map { String($0) } ?? "",
                status.steppedAt?.description ?? "never", output.format == .csv ? status.note ?? "" : "",
            ]
        }
        table.dropEmpty(["unprojected", "per_second", "seconds_to_go", "note"], output.format)
        table.print(output.format)
        guard output.format == .table else { return }
        for status in statuses {
            guard let note = status.note else { continue }
            Output.line("")
            Output.line("\(status.generation.job) \(status.generation.number): \(note)")
        }
    }

    private static func text(_ unprojected: JobStatus.Unprojected) -> String {
        switch unprojected {
        case .money(let sums): sums.map { "\($0.currency.format($0.minorUnits)) \($0.currency.code)" }.joined(separator: ", ")
        case .tooMany: "(too far behind to sum)"
        }
    }

    private static func json(_ status: JobStatus) -> JSON {
        var members: [String: JSON] = [
            "job": .string(status.generation.job), "generation": .integer(Int64(status.generation.number)),
            "live": .bool(status.generation.isLive), "state": .string(status.state.rawValue), "through": status.through.json,
            "head": status.head.json, "lag": .integer(Int64(clamping: status.lag)), "lag_seconds": .integer(status.lagSeconds),
            "needs_attention": .bool(status.needsAttention),
            "stepped_at": status.steppedAt.map { .string($0.description) } ?? .null,
            "per_second": status.positionsPerSecond.map { .integer(Int64(clamping: $0)) } ?? .null,
            "seconds_to_go": status.secondsToGo.map { .integer(Int64(clamping: $0)) } ?? .null,
        ]
        switch status.unprojected {
        case .money(let sums):
            members["unprojected"] = .array(
                sums.map { ["currency": .string($0.currency.code.text), "amount": .string($0.currency.format($0.minorUnits))] })
        case .tooMany: members["unprojected"] = .null
        }
        if let note = status.note { members["note"] = .string(note) }
        if let wait = status.waiting {
            var waiting: [String: JSON] = ["position": wait.position.json, "since": .string(wait.since.description)]
            if let holder = wait.holder {
                waiting["holder"] = [
                    "connection": .integer(Int64(clamping: holder.connection)), "user": .string(holder.user),
                    "open_seconds": .integer(Int64(clamping: holder.openSeconds)),
                ]
            }
            members["waiting"] = .object(waiting)
        }
        if let failed = status.failed {
            var failure: [String: JSON] = [
                "after": failed.failure.after.json, "code": .string(failed.failure.code), "message": .string(failed.failure.message),
                "at": .string(failed.at.description), "stands": .bool(failed.stands),
            ]
            if let position = failed.failure.position { failure["position"] = position.json }
            members["failed"] = .object(failure)
        }
        return .object(members)
    }
}
