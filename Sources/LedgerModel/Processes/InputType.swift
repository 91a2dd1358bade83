/// One kind of input of a process: which entries it is, which process each is for, and what the process makes of it.
public struct InputType<Process: ProcessManager>: Sendable {
    /// Of the entries.
    public let kind: EntryKind
    /// The timer whose firing it is; nil for entries of others.
    public let timer: String?
    /// The id of the process that an entry is for; nil: for none.
    package let process: @Sendable (RecordedEntry) throws -> String?
    package let input: @Sendable (RecordedEntry) throws -> Process.Input

    /// A typed event of another stream.
    /// - Parameters:
    ///   - correlation: the id of the process that it is for; nil: for none.
    ///   - make: the input that it is.
    public static func event<E: DomainEvent>(
        _ type: E.Type, for correlation: @escaping @Sendable (E, RecordedEntry) throws -> String?,
        as make: @escaping @Sendable (E) throws -> Process.Input
    ) -> InputType {
        InputType(
            kind: E.name, timer: nil, process: { try correlation(try $0.decoded(type), $0) }, input: { try make(try $0.decoded(type)) })
    }

    /// Entries of a kind, such as those that somebody posts.
    public static func entry(
        _ kind: EntryKind, for correlation: @escaping @Sendable (RecordedEntry) throws -> String?,
        as make: @escaping @Sendable (RecordedEntry) throws -> Process.Input
    ) -> InputType {
        InputType(kind: kind, timer: nil, process: correlation, input: make)
    }

    /// The firing of a timer that the process itself has started.
    public static func timer(_ name: String, as input: Process.Input) -> InputType {
        InputType(
            kind: .timerFired, timer: name,
            process: { entry in
                guard entry.payload["timer"]?.string == name, let stream = entry.stream?.text, stream.hasPrefix(StreamName.prefix(of: Process.name))
                else { return nil }
                return String(stream.dropFirst(StreamName.prefix(of: Process.name).count))
            },
            input: { _ in input })
    }
}

extension ProcessManager {
    /// The process that an entry is for, and what it makes of it: the first of its ``inputs`` that fits; one for each process.
    /// - Throws: whatever makes the entry unreadable.
    package static func inputs(of entry: RecordedEntry) throws -> [(id: String, input: Input)] {
        var found: [(id: String, input: Input)] = []
        for type in inputs where type.kind == entry.kind {
            guard let id = try type.process(entry), !found.contains(where: { $0.id == id }) else { continue }
            found.append((id, try type.input(entry)))
        }
        return found
    }
}
