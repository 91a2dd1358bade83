import ArgumentParser
import Indelible

struct CommandVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "command", abstract: "List and show commands; do refused ones again, or settle them by hand (docs/commands.md).",
        subcommands: [Tables.self, List.self, Show.self, Retry.self, Resolve.self])

    /// Which command.
    struct Name: ParsableArguments {
        @Argument(help: "Its id, 32 hexadecimal digits, or the key that it was made from.") var id: String

        func find() -> EntryID { Self.id(id) }
        static func id(_ text: String) -> EntryID { EntryID(hex: text) ?? EntryID(key: text) }
    }

    struct Tables: Verb {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Make the tables of the job that decides commands, once; only the owner may.",
            discussion: "The program that has the handlers runs the job itself. A book that has the tables already is left as it is.")
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let generation = try await BookOwner(try await Place(book).ownerLocation()).createCommands()
            var table = Table([.init("job"), .number("generation")])
            table.rows = [["command", String(generation)]]
            table.print(output.format)
            return .ok
        }
    }

    struct List: Verb {
        static let configuration = CommandConfiguration(
            abstract: "List commands in the order of the journal: all, those that wait, or those that were refused.",
            discussion: "With --refused, those that were enqueued again are left out, unless --retried says otherwise.")
        @Flag(help: "Only those that were refused and that nobody has resolved.") var refused = false
        @Flag(help: "Only those that nobody has decided yet.") var waiting = false
        @Flag(help: "With --refused: also those that were enqueued again.") var retried = false
        @Option(help: "Only of this name.") var name: String?
        @Option(help: ArgumentHelp("Only of this subject, like story:42.", valueName: "subject")) var subject: String?
        @Option(help: ArgumentHelp("Only the commands for the members of this bulk: its id or key.", valueName: "id")) var bulk: String?
        @Option(help: "Only after this position.") var after: UInt64 = 0
        @Option(help: "At most so many.") var limit = 100
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard !(refused && waiting) else { throw ValidationError("--refused and --waiting exclude each other.") }
            guard refused || !retried else { throw ValidationError("--retried goes with --refused.") }
            guard limit > 0 else { throw ValidationError("--limit is at least 1.") }
        }

        func execute() async throws -> ExitStatus {
            var query = CommandQuery()
            query.state = refused ? .refused : waiting ? .waiting : nil
            query.includesRetried = retried
            query.name = try name.map { text throws(LedgerError) in try EntryKind(text) }
            query.subject = try subject.map { text throws(LedgerError) in try StreamName(parsing: text) }
            query.bulk = bulk.map(Name.id)
            (query.after, query.limit) = (Position(after), limit)
            let asked = query
            let commands = try await book.withLedger(role: .auditor) { try await $0.commands(asked) }
            var table = Table([
                .number("position"), .init("id"), .init("name"), .init("subject"), .number("priority"), .init("sent_at"), .init("state"), .init("reason"),
                .init("retried_by"),
            ])
            table.rows = commands.map { one in
                [
                    one.position.description, one.id.description, one.name.text, one.subject.text, String(one.priority), one.sentAt.description,
                    one.state.rawValue, one.reason ?? "", one.retriedBy?.description ?? "",
                ]
            }
            table.dropEmpty(["reason", "retried_by"], output.format)
            table.print(output.format)
            if !output.quiet, commands.count == limit { Output.note("there may be more: --after \(commands[limit - 1].position)") }
            return .ok
        }
    }

    struct Show: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Show a command and what became of it.", discussion: "Of a bulk also what became of the commands for its members by now.")
        @OptionGroup var name: Name
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let id = name.find()
            let (command, outcome, progress) = try await book.withLedger(role: .auditor) { ledger in
                let (command, outcome) = try await ledger.command(id)
                return (command, outcome, command.header.selection == nil ? nil : try await ledger.progress(ofBulk: id))
            }
            let fields = Self.fields(command, outcome) + (progress.map(Self.fields) ?? [])
            guard output.format != .json else {
                Output.line(Self.json(command, fields).text)
                return .ok
            }
            var table = Table([.init("field"), .init("value")])
            table.rows = fields.map { [$0.0, $0.1] }
            table.print(output.format)
            return .ok
        }

        private static func fields(_ command: StoredCommand, _ outcome: CommandOutcome) -> [(String, String)] {
            var fields = [
                ("id", command.id.description), ("position", command.position.description), ("name", command.name.text),
                ("subject", command.header.subject.text), ("priority", String(command.header.priority)), ("sent_at", command.header.sentAt.text),
                ("recorded_at", command.recordedAt.description), ("version", String(command.header.version)),
            ]
            if let retries = command.header.retries { fields.append(("retries", retries.description)) }
            if let membership = command.header.membership {
                fields += [("bulk", membership.bulk.description), ("account", membership.account.text), ("currency", membership.currency.text)]
            }
            if let correlation = command.trace.correlation { fields.append(("correlation", correlation)) }
            if let causation = command.trace.causation { fields.append(("causation", causation)) }
            fields.append(("payload", command.content.text))
            fields.append(("state", outcome.state.rawValue))
            switch outcome {
            case .undecided: break
            case .done(let receipt): fields += self.fields(receipt)
            case .refused(let refused): fields += self.fields(refused)
            case .resolved(let resolved):
                if let refusal = resolved.refusal { fields += self.fields(refusal) }
                fields += [
                    ("resolved_by", resolved.actor), ("resolved_because", resolved.reason), ("resolved_position", resolved.receipt.position.description),
                    ("resolved_at", resolved.receipt.recordedAt.description),
                ]
            }
            return fields
        }

        private static func fields(_ receipt: Receipt) -> [(String, String)] {
            [("outcome_position", receipt.position.description), ("outcome_at", receipt.recordedAt.description)]
        }

        private static func fields(_ refused: CommandRefused) -> [(String, String)] {
            var fields = [("reason", refused.reason)]
            if let code = refused.code { fields.append(("code", code.rawValue)) }
            if let winner = refused.winner {
                fields += [("winner", winner.id.description), ("winner_position", winner.position.description)]
                if let holder = winner.holder { fields.append(("winner_holder", holder)) }
            }
            return fields + self.fields(refused.receipt)
        }

        private static func fields(_ progress: BulkProgress) -> [(String, String)] {
            [
                ("members", progress.members), ("members_done", progress.done), ("members_refused", progress.refused),
                ("members_retried", progress.retried), ("members_resolved", progress.resolved), ("members_waiting", progress.waiting),
            ].map { ($0.0, String($0.1)) }
        }

        private static func json(_ command: StoredCommand, _ fields: [(String, String)]) -> JSON {
            var members: [String: JSON] = [:]
            for (key, value) in fields {
                let isNumber = key == "priority" || key == "version" || key.hasSuffix("position") || key.hasPrefix("members")
                members[key] = isNumber ? Int64(value).map(JSON.integer) ?? .string(value) : .string(value)
            }
            members["payload"] = command.content
            return .object(members)
        }
    }

    struct Retry: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Enqueue a refused command again, as it was.",
            discussion: """
                The new command names the one that it does again. If that was refused again too, the next one is enqueued. Run it twice, or by two at \
                once, before it is decided: one is enqueued. Exits with 2 for a command that is not refused.
                """)
        @OptionGroup var name: Name
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            try await book.withLedger { try await $0.retry(command: name.find()) }.print(output.format)
            return .ok
        }
    }

    struct Resolve: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Record that a command is settled by hand: it is no dead letter any more, and nobody decides it any more.",
            discussion: "The same again prints the first receipt. Exits with 2 for a command that is done, or that somebody else has resolved.")
        @OptionGroup var name: Name
        @Option(help: "Who says so.") var actor: String
        @Option(help: "Why.") var reason: String
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            try await book.withLedger { try await $0.resolve(command: name.find(), actor: actor, reason: reason) }.print(output.format)
            return .ok
        }
    }
}

extension StoredCommand {
    /// What was sent, without the ledger's own member.
    fileprivate var content: JSON {
        guard case .object(var members)? = try? JSON(parsing: payload) else { return .null }
        members[Entry.ownKey] = nil
        return .object(members)
    }
}
