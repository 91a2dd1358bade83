import Foundation
import Indelible
import LocalMariaDB

// A private server in a folder, and a book on it.
let server = try await LocalMariaDB.start(.init(folder: "orders.db"))
let socket = BookLocation.Server.socket(path: server.socketPath)
let owner = BookOwner(try BookLocation(server: socket, book: "orders", user: server.adminUser))
try await owner.create()
try await owner.createLogin("orders", password: Secret("swordfish"))
try await owner.grantRoles(to: "orders")

let location = try BookLocation(server: socket, book: "orders", user: "orders", password: Secret("swordfish"))
let ledger = Ledger(location)
try await ledger.openAccount("bank", in: .eur, type: .asset)
try await ledger.openAccount("deposits", in: .eur, type: .liability)

// Who takes inputs to the process, who lists its timers, and who decides its commands.
let router = ProcessRouter(of: OrderPayment.self, ledger: ledger)
let callOffs = CommandHandler(for: CallOff.self) { command, unit in
    try unit.post(Entry(kind: "order.called-off", reference: command.order))
}
try await owner.createJob(router)
try await owner.createJob(Timers())
try await owner.createCommands()
let projector = Projector(location, jobs: Projector.builtIn + [router, Timers(), CommandProcessor(ledger, [callOffs])])

/// What one job records is there for the others when they look again. A service leaves this to `projector.run()`.
func work() async throws { for _ in 1...3 { try await projector.catchUp() } }

/// Three services say what they know, each in its own time. Said twice, a payment is two entries; the others are the same one.
func say(_ input: OrderInput, of order: String) async throws {
    let id = EntryID(key: "\(order) \(input)")
    switch input {
    case .placed: try await ledger.post(Entry(id: id, kind: "order.placed", reference: order))
    case .orderCancelled: try await ledger.post(Entry(id: id, kind: "order.cancelled", reference: order))
    case .paymentReceived(let units):
        try await Units(ledger).run { try $0.append(PaymentReceived(order: order, units: units), to: order, expecting: .any) }
    case .paymentTimedOut:
        try await Units(ledger).run { try $0.append(PaymentTimedOut(order: order), to: order, expecting: .any) }
    }
}

// The same facts in three orders, some of them twice.
let orders: [String: [OrderInput]] = [
    "1001": [.placed, .paymentReceived(1250), .paymentReceived(1250), .orderCancelled],
    "1002": [.orderCancelled, .orderCancelled, .placed, .paymentReceived(1250)],
    "1003": [.paymentReceived(1250), .orderCancelled, .placed, .placed],
]
for (order, inputs) in orders.sorted(by: { $0.key < $1.key }) {
    for input in inputs {
        try await say(input, of: order)
        try await work()
    }
    let process = try await ledger.process(OrderPayment.self, order)
    print("\(order): \(process.isEnded ? "ended" : "open"), \(process.state.machines.first.facts.isCalledOff ? "called off" : "stands")")
}

// An order that is placed, and a quarter of an hour later still not paid.
struct InTwentyMinutes: LedgerClock {
    func now() -> Timestamp { Timestamp(Date(timeIntervalSinceNow: 1200)) }
}
try await say(.placed, of: "1004")
try await work()
print("1004 waits for \(try await ledger.process(OrderPayment.self, "1004").timers)")
try await TimerRunner(ledger).fireDue()
try await TimerRunner(ledger, clock: InTwentyMinutes()).fireDue()
try await work()
// The money comes after all.
try await say(.paymentReceived(900), of: "1004")
try await work()

for event in try await ledger.processHistory(OrderPayment.name, "1004") ?? [] {
    switch event.what {
    case .step(_, let kind, let outcome): print("  \(kind): \(outcome)")
    case .timerSet(let name, _): print("    timer \(name) set")
    case .timerCancelled(let name): print("    timer \(name) cancelled")
    case .timerFired(let name): print("    timer \(name) fired")
    case .posted(let kind): print("    \(kind)")
    }
}

let deposits = try await ledger.balance(of: "deposits", in: .eur)
print("deposits: in \(deposits.totals.creditsPosted), out \(deposits.totals.debitsPosted)")
for try await entry in ledger.entries(after: .zero, of: ["order.called-off"]) { print("called off:", entry.reference ?? "") }

let auditor = Auditor(location)
print(try await auditor.reconcile().verdict.rawValue)
await auditor.close()
await projector.close()
await ledger.close()
try await server.stop()
