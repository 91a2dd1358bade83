/// A pure machine: it folds inputs, and answers each with effects as data. Small ones compose into bigger ones.
///
/// ``evolve(_:)`` takes in what has happened and refuses nothing. ``react(to:)`` is asked afterwards, and changes nothing. Neither looks at
/// a clock, a database or chance: the state is folded anew whenever it is needed.
public protocol StateMachine: Sendable, Hashable {
    /// A closed set: an enumeration with a case for each thing that can come, timeouts among them.
    associatedtype Input: Sendable
    /// Takes in a fact.
    mutating func evolve(_ input: Input)
    /// What follows, now that the input is in the state.
    func react(to input: Input) -> [Effect]
    /// Nothing more follows from whatever comes. It is taken in all the same, and recorded; timers that run are cancelled.
    var isEnded: Bool { get }
}

/// Two machines side by side that take the same inputs: each sees every input until both have ended, and the effects of the first come first.
///
/// `Both<Both<A, B>, C>` is three.
public struct Both<First: StateMachine, Second: StateMachine>: StateMachine where First.Input == Second.Input {
    public typealias Input = First.Input
    public var first: First
    public var second: Second

    public init(_ first: First, _ second: Second) { (self.first, self.second) = (first, second) }

    public mutating func evolve(_ input: Input) {
        first.evolve(input)
        second.evolve(input)
    }

    public func react(to input: Input) -> [Effect] { first.react(to: input) + second.react(to: input) }
    public var isEnded: Bool { first.isEnded && second.isEnded }
}
