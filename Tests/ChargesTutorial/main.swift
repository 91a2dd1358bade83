import Charges
import Foundation
import Indelible
import LocalMariaDB

// A private server in a folder, and a book on it. All of this may be done again and again.
let server = try await LocalMariaDB.start(.init(folder: "shop.db"))
let socket = BookLocation.Server.socket(path: server.socketPath)
let owner = BookOwner(try BookLocation(server: socket, book: "shop", user: server.adminUser))
try await owner.create(timeZone: "Europe/Berlin")
try await owner.createLogin("shop", password: Secret("swordfish"))
try await owner.grantRoles(to: "shop")

let location = try BookLocation(server: socket, book: "shop", user: "shop", password: Secret("swordfish"))
let ledger = Ledger(location)
try await ledger.openAccount("acquirer:receivable", in: .eur, type: .asset)
try await ledger.openAccount("bank", in: .eur, type: .asset)
try await ledger.openAccount("disputes", in: .eur, type: .liability)
try await ledger.openAccount("fees", in: .eur, type: .income)
try await ledger.openAccount("merchants:bob", in: .eur, type: .liability, limits: .noOverdraft)

// The domain knows units of work, and not what is behind them.
let units = Units(ledger)
let charges = ChargeService(units)
let payouts = PayoutService(units)

func eur(_ cents: Int64) -> Amount { Amount(minorUnits: cents, .eur) }

try await charges.authorise("c1", merchant: "bob", amount: eur(100_00), key: "request-1")
try await charges.capture("c1", eur(80_00), key: "request-2")
try await charges.capture("c1", eur(80_00), key: "request-2")  // once
try await charges.refund("c1", as: "r1", eur(30_00), reason: "one shirt came back")
let charge = try await charges.charge("c1")
print("c1: \(charge.authorisation), \(charge.rest) left")

do { try await charges.refund("c1", as: "r2", eur(60_00)) } catch let error as ChargeError { print(error) }

try await payouts.request("p1", merchant: "bob", amount: eur(45_00), key: "request-3")
do { try await payouts.request("p2", merchant: "bob", amount: eur(45_00)) } catch let error as LedgerError { print(error) }
try await payouts.send("p1", reference: "SEPA-7", key: "request-4")

// Two things that stand or fall together: each method joins the unit that is there.
do {
    try await units.run { _ in
        try await charges.openDispute("c1", eur(5_00))
        try await payouts.request("p3", merchant: "bob", amount: eur(5_00))
    }
} catch let error as LedgerError { print(error) }

for balance in try await ledger.balances() { print(balance.account.path, balance.text) }

// What the journal says of it.
for entry in try await ledger.entries(EntryQuery()) where !entry.kind.isReserved {
    print(entry.kind)
}

// Fees follow from the journal.
try await ledger.publishFeeSchedule(String(contentsOfFile: "fees.json", encoding: .utf8))
let projector = Projector(location)
try await projector.catchUp()
await projector.close()
for month in try await ledger.feeMonths().months { print("fees of", month.account.path, month.account.currency.format(month.fees)) }

let auditor = Auditor(location)
print(try await auditor.reconcile().verdict.rawValue)
await auditor.close()
await ledger.close()
try await server.stop()
