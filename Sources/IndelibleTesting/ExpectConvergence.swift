public import Indelible
public import Testing

/// Expects that a process comes to one end, in whatever order its inputs come.
///
/// ```swift
/// expectConvergence(of: OrderPayment.self, inputs: [.received(500), .cancelled])
/// ```
/// Every order of every part of the inputs is run in memory; each input may come once more at any later place; each timer that is started may
/// fire at any later place, even when it is cancelled too late, or not at all. All orders of the same inputs and timeouts have to come to the
/// same state, the same effects (timers that were cancelled do not count) and the same balance of every account. Else the two shortest
/// orders that differ are reported.
/// - Parameters:
///   - inputs: up to about eight; the number of orders grows with the factorial, and what leads to the same is run once.
///   - id: of the process.
///   - redelivery: what it means that an input comes twice.
///   - timeoutsMax: how often a timer of one name fires in an order at the most.
/// - Returns: what was compared.
@discardableResult
public func expectConvergence<P: ProcessManager>(
    of type: P.Type, inputs: [P.Input], id: String = "1", redelivery: Redelivery = .anotherEntry, timeoutsMax: Int = 2,
    sourceLocation: SourceLocation = #_sourceLocation
) -> Convergence {
    let convergence = Convergence(of: type, inputs: inputs, id: id, redelivery: redelivery, timeoutsMax: timeoutsMax)
    if let report = convergence.report(of: "\(type)") { Issue.record(Comment(rawValue: report), sourceLocation: sourceLocation) }
    return convergence
}

extension Convergence {
    /// What is wrong, to be read; nil if nothing is.
    func report(of type: String) -> String? {
        if let problem { return "\(type) cannot be tried: \(problem)" }
        guard let difference else { return nil }
        let parts = zip(difference.orders, difference.ends).map { order, end in
            "  \(order.joined(separator: " → "))\n" + end.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        }
        return "\(type) depends on the order of its inputs. The two shortest orders that differ:\n" + parts.joined(separator: "\n")
    }
}
