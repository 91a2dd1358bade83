import Indelible

// What the provider of payments says of an order.

struct PaymentOrder: Aggregate {
    static let category: StreamCategory = "payment-order"
    static var events: [any DomainEvent<PaymentOrder>.Type] { [PaymentReceived.self, PaymentTimedOut.self] }
    let id: String
    init(id: String) { self.id = id }
}

struct PaymentReceived: DomainEvent {
    static let name: EntryKind = "payment.received"
    let order: String
    let units: Int64
    func fold(into order: inout PaymentOrder) {}
}

struct PaymentTimedOut: DomainEvent {
    static let name: EntryKind = "payment.timed-out"
    let order: String
    func fold(into order: inout PaymentOrder) {}
}
