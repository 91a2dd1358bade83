import Indelible

struct OrderPayment: ProcessManager {
    static let name: ProcessName = "order-payment"
    static var inputs: [InputType<OrderPayment>] {
        [
            .entry("order.placed", for: { $0.reference }, as: { _ in .placed }),
            .event(PaymentReceived.self, for: { event, _ in event.order }, as: { .paymentReceived($0.units) }),
            .event(PaymentTimedOut.self, for: { event, _ in event.order }, as: { _ in .paymentTimedOut }),
            .entry("order.cancelled", for: { $0.reference }, as: { _ in .orderCancelled }),
            .timer("payment", as: .paymentTimedOut),
        ]
    }

    var machines: Both<Money, Deadline>
    init(id: String) { machines = Both(Money(order: id), Deadline(order: id)) }

    mutating func evolve(_ input: OrderInput) { machines.evolve(input) }
    func react(to input: OrderInput) -> [Effect] { machines.react(to: input) }
    var isEnded: Bool { machines.isEnded }
}
