import Indelible

enum OrderInput: Sendable {
    case placed, paymentReceived(Int64), paymentTimedOut, orderCancelled
}

struct OrderFacts: Hashable, Sendable {
    var received: Int64?
    var isPlaced = false
    var isTimedOut = false
    var isCancelled = false
    var isCalledOff: Bool { isTimedOut || isCancelled }

    mutating func add(_ input: OrderInput) {
        switch input {
        case .placed: isPlaced = true
        case .paymentReceived(let units): received = units
        case .paymentTimedOut: isTimedOut = true
        case .orderCancelled: isCancelled = true
        }
    }
}
