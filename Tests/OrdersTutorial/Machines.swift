import Indelible

struct Money: StateMachine {
    let order: String
    var facts = OrderFacts()
    var isEnded: Bool { facts.received != nil && facts.isCalledOff }

    mutating func evolve(_ input: OrderInput) { facts.add(input) }

    func react(to input: OrderInput) -> [Effect] {
        guard let units = facts.received else { return [] }
        let amount = Amount(minorUnits: units, .eur)
        let accepted = Entry(
            kind: "order.payment-accepted", reference: order, postings: [Posting(debit: "bank", credit: "deposits", amount: amount)])
        let refunded = Entry(
            kind: "order.payment-refunded", reference: order, postings: [Posting(debit: "deposits", credit: "bank", amount: amount)])
        let effects: [Effect] = [.post(accepted, once: "accepted")]
        return facts.isCalledOff ? effects + [.post(refunded, once: "refunded")] : effects
    }
}

struct CallOff: Command {
    static let name: EntryKind = "order.call-off"
    let order: String
    var subject: StreamName { get throws { try StreamName("shop-order", order) } }
}

struct Deadline: StateMachine {
    let order: String
    var facts = OrderFacts()
    var isEnded: Bool { facts.isCalledOff }

    mutating func evolve(_ input: OrderInput) { facts.add(input) }

    func react(to input: OrderInput) -> [Effect] {
        if facts.isCalledOff { return [.cancelTimer("payment"), .command(CallOff(order: order), once: "call-off")] }
        if facts.received != nil { return [.cancelTimer("payment")] }
        return facts.isPlaced ? [.startTimer("payment", after: .seconds(900))] : []
    }
}
