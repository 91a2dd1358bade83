/// A process manager: one long-running thing that follows entries of others and answers them with effects.
///
/// ```swift
/// struct OrderPayment: ProcessManager {
///     static let name: ProcessName = "order-payment"
///     static var inputs: [InputType<OrderPayment>] {
///         [
///             .event(PaymentReceived.self, for: { event, _ in event.order }, as: { .received($0.units) }),
///             .entry("order.cancelled", for: { $0.reference }, as: { _ in .cancelled }),
///             .timer("payment", as: .timedOut),
///         ]
///     }
///     enum Input { case received(Int64), cancelled, timedOut }
///     …
/// }
/// ```
/// Any input may be the first one, and any may come late or twice: fold them into facts, and decide from the facts. `expectConvergence`
/// of the test kit shows whether all orders come to one end.
public protocol ProcessManager: StateMachine {
    /// The stream of one is `process-` and this name, `:`, and its id. It never changes; the type may be renamed.
    static var name: ProcessName { get }
    /// Everything that it takes, each with the process that it is for.
    static var inputs: [InputType<Self>] { get }
    /// What it is before anything has come.
    init(id: String)
}

extension ProcessManager {
    /// The name of the stream of one.
    /// - Throws: `invalidEntry` for an id that can be none.
    public static func stream(_ id: String) throws(LedgerError) -> StreamName { try StreamName(.process(name), id) }
}

/// What a process manager is called: `order-payment`.
public struct ProcessName: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    public let text: String
    public static let charactersMax = 24

    /// - Throws: `invalidEntry` unless the text has 1 to 24 characters of `a`–`z`, `0`–`9`, `-`, and a letter first.
    public init(_ text: String) throws(LedgerError) {
        let isWellFormed = text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard (1...Self.charactersMax).contains(text.utf8.count), isWellFormed, text.utf8.first.map({ $0 >= 97 }) == true else {
            throw LedgerError(
                .invalidEntry, "“\(text)” is no name of a process: 1 to \(Self.charactersMax) characters of a-z 0-9 -, a letter first")
        }
        self.text = text
    }

    /// A name written in the program. Anything that ``init(_:)`` refuses stops the program.
    public init(stringLiteral value: String) {
        do { try self.init(value) } catch { preconditionFailure(error.message) }
    }

    public var description: String { text }
}
