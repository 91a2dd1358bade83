// Writes the example data: a year (2025) of a small marketplace, as a chart of accounts, three CSV
// journals, a JSON Lines journal and a README with exact counts. Usage: gen OUTDIR
// Every run writes the same bytes: a fixed seed, a generator of its own (the standard library may
// change its sampling), no clock, no dictionary is iterated, and money is integers of minor units.

import Foundation

struct SplitMix64 {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }
    mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

func pad(_ number: Int, _ width: Int) -> String {
    String(repeating: "0", count: max(0, width - String(number).count)) + String(number)
}

/// The quotient of two non-negative integers, rounded half up.
func halfUp(_ numerator: Int, _ denominator: Int) -> Int { (numerator + denominator / 2) / denominator }

/// An amount as text; `unit` is a power of ten, the number of minor units in one.
func decimal(_ minor: Int, _ unit: Int) -> String {
    unit == 1 ? String(minor) : "\(minor / unit).\(pad(minor % unit, String(unit).count - 1))"
}

/// `perEuro` is the year's central rate in millionths; a card charge costs `cardPoints` (hundredths of
/// a percent) and `cardFixed`; prices are multiples of `step`. All amounts are in minor units.
struct Currency: Equatable {
    let code: String
    let unit, perEuro, cardPoints, cardFixed, step, topUp, capital: Int
    let sellers: [Int]  // the merchants that sell in it

    static let eur = Currency(code: "EUR", unit: 100, perEuro: 1_000_000, cardPoints: 140, cardFixed: 25,
                              step: 5, topUp: 2000, capital: 5_000_000, sellers: Array(0..<15))
    static let usd = Currency(code: "USD", unit: 100, perEuro: 1_130_000, cardPoints: 290, cardFixed: 30,
                              step: 5, topUp: 2000, capital: 1_000_000, sellers: [0, 1, 2, 3, 6, 7])
    static let jpy = Currency(code: "JPY", unit: 1, perEuro: 163_000_000, cardPoints: 360, cardFixed: 0,
                              step: 10, topUp: 3000, capital: 1_000_000, sellers: [2, 4, 10])
    static let kwd = Currency(code: "KWD", unit: 1000, perEuro: 347_000, cardPoints: 250, cardFixed: 100,
                              step: 25, topUp: 6000, capital: 3_000_000, sellers: [8, 9])
    static let foreign = [usd, jpy, kwd], all = [eur] + foreign

    func cardFee(_ amount: Int) -> Int { halfUp(amount * cardPoints, 10_000) + cardFixed }
    func price(euroCents: Int) -> Int { halfUp(euroCents * perEuro * unit, 100_000_000 * step) * step }
}

enum Market {
    static let customers = 60, platformFeePoints = 800
    static let monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

    /// Products and prices in euro cents; merchant n sells numbers n and n + 1.
    static let products: [(name: String, cents: Int)] = [
        ("Notebook A5", 990), ("Ceramic mug", 1690), ("Bowl, blue", 2490), ("Café beans", 1890),
        ("Linen towel", 1290), ("東京 postcards", 850), ("Müsli 750 g", 690), ("Print \"Harbour\"", 3500),
        ("Desk lamp", 5450), ("Soap", 520), ("Kubek biały", 1590), ("Poster \"Łódź\", A2", 1850),
        ("Seeds", 380), ("Plant pot", 1750), ("Chess set", 4600), ("Tea 緑茶", 1120),
    ]
    /// Orders from Monday to Sunday, and on the busy days, in percent of an ordinary day's.
    static let weekdays = [88, 82, 88, 96, 112, 132, 102]
    static let busy = ["2025-02-13": 190, "2025-05-09": 170, "2025-06-20": 200, "2025-09-05": 160,
                       "2025-11-28": 330, "2025-12-01": 250, "2025-12-13": 190, "2025-12-20": 190]
    static let platformAccounts = [
        ("bank:main", "asset"), ("processor:clearing", "asset"), ("chargebacks:reserve", "liability"),
        ("equity:owner", "equity"), ("fx:conversion", "equity"), ("fees:platform", "income"),
        ("fees:processor", "expense"), ("refunds:goodwill", "expense"), ("chargebacks:losses", "expense"),
    ]
    static func customer(_ index: Int) -> String { "customers:c\(pad(index + 1, 3))" }
    static func merchant(_ index: Int) -> String { "merchants:m\(pad(index + 1, 2))" }
    static func home(_ customer: Int) -> Currency {
        customer < 42 ? .eur : customer < 51 ? .usd : customer < 56 ? .jpy : .kwd
    }
    static let travellers = Array(stride(from: 2, to: 42, by: 4))  // with a second wallet, in USD
}

typealias Fields = [(name: String, value: String)]
typealias Posting = (debit: String, credit: String, amount: Int, currency: Currency)

struct Entry {
    let quarter: Int
    let head, payload: Fields
    let postings: [Posting]
}

struct Year {
    typealias Charge = (key: String, amount: Int, currency: Currency)
    typealias Order = (key: String, customer: String, merchant: String, total: Int, fee: Int, currency: Currency)
    var random = SplitMix64(state: 2026)
    var dayIndex = 0, month = 1, dayOfMonth = 1, second = 0
    var entries: [Entry] = []
    var orders: [Order] = [], charges: [Charge] = []  // not yet refunded, not yet disputed
    var disputes: [(key: String, charge: Charge, due: Int)] = []
    var counts: [String: Int] = [:]  // of keys given
    var balances: [String: Int] = [:]  // debits less credits
    var cardFeesDue = 0  // in EUR, of the day before
    var rates = Dictionary(uniqueKeysWithValues: Currency.all.map { ($0.code, $0.perEuro) })

    var weekday: Int { (dayIndex + 2) % 7 }  // 0 is Monday; 1 January is a Wednesday
    var date: String { "2025-\(pad(month, 2))-\(pad(dayOfMonth, 2))" }
    var time: String { "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))" }
    func balance(_ path: String, _ currency: Currency) -> Int { balances[path + currency.code, default: 0] }
    func held(_ path: String, _ currency: Currency) -> Int { -balance(path, currency) }

    mutating func post(_ key: String, _ kind: String, _ description: String, ref: String = "", by actor: String,
                       payload: Fields = [], _ postings: [Posting]) {
        for (debit, credit, amount, currency) in postings {
            precondition(amount > 0 && debit != credit, key)
            balances[debit + currency.code, default: 0] += amount
            balances[credit + currency.code, default: 0] -= amount
            let owed = debit.hasPrefix("customers:") || debit.hasPrefix("merchants:")
            let owned = credit == "bank:main" || credit == "processor:clearing"
            precondition(!(owed && held(debit, currency) < 0) && !(owned && balance(credit, currency) < 0), key)
        }
        let head = [("key", key), ("kind", kind), ("effective_at", "\(date)T\(time)Z"),
                    ("description", description), ("reference", ref), ("actor", actor)]
        entries.append(Entry(quarter: (month + 2) / 3, head: head, payload: payload, postings: postings))
    }
    mutating func nextKey(_ name: String, _ width: Int) -> String {
        counts[name, default: 0] += 1
        return "\(name)-\(pad(counts[name]!, width))"
    }
    mutating func wait(_ least: Int, _ most: Int) { second += least + random.below(most - least + 1) }

    mutating func run() {
        for (index, length) in Market.monthLengths.enumerated() {
            for number in 1...length {
                (month, dayOfMonth, second) = (index + 1, number, 5 * 3600)
                morning()
                trade()
                evening()
                dayIndex += 1
            }
        }
    }

    /// The processor's bill and settlements, capital twice a year, and once a month what the bank
    /// holds above the opening capital in other currencies becomes EUR.
    mutating func morning() {
        wait(0, 900)
        if cardFeesDue > 0 {
            post("fee-\(date)-EUR", "fee.processor", "Card fees of the day before", by: "system:processor",
                 [("fees:processor", "processor:clearing", cardFeesDue, .eur)])
            cardFeesDue = 0
        }
        for currency in Currency.all where currency == .eur ? weekday < 5 : weekday == 0 {
            wait(60, 900)
            let amount = balance("processor:clearing", currency)
            guard amount > 0 else { continue }
            post("settlement-\(date)-\(currency.code)", "processor.settled", "Card settlement",
                 by: "system:processor", [("bank:main", "processor:clearing", amount, currency)])
        }
        for currency in Currency.all where dayIndex == 0 || dayIndex == 181 {
            let amount = dayIndex == 0 ? currency.capital : currency.capital / 4
            post("capital-\(date)-\(currency.code)", "capital.contributed", "Owner's contribution",
                 by: "ops:nina", [("bank:main", "equity:owner", amount, currency)])
        }
        for currency in Currency.foreign {
            let rate = rates[currency.code]!
            rates[currency.code]! += rate * (random.below(61) - 30) / 10_000 + (currency.perEuro - rate) / 40
            let surplus = balance("bank:main", currency) - currency.capital
            guard dayOfMonth == 5, surplus >= currency.capital / 50 else { continue }
            wait(60, 300)
            convert("bank:main", surplus, currency, .eur, by: "ops:tomek")
        }
    }

    mutating func trade() {
        let busy = Market.weekdays[weekday] * Market.busy[date, default: 100] * (85 + 30 * dayIndex / 365)
        let events = (114 * busy / 1_000_000 * (85 + random.below(31)) / 100 + random.below(10)) / 10
        let times = (0..<events).map { _ in max(random.below(14 * 3600), random.below(14 * 3600)) }
        for time in times.sorted() {
            second = max(second + 1, 9 * 3600 + time)  // the later of two draws: more in the evening
            switch random.below(1000) {
            case 0..<100: topUp()
            case 100..<165 where dayIndex > 2: refund()
            case 165..<190: convertWallet()
            case 190..<205 where dayIndex > 9: receiveDispute()
            default: shop()
            }
        }
    }

    /// Disputes fall due; merchants are paid six tenths of their balance, the rest covers refunds.
    mutating func evening() {
        second = max(second + 1, 23 * 3600)
        let due = disputes.filter { $0.due <= dayIndex }
        disputes.removeAll { $0.due <= dayIndex }
        for (key, (charge, amount, currency), _) in due {
            wait(1, 120)
            let won = random.chance(40), word = won ? "won" : "lost"
            let postings: [Posting] = won
                ? [("chargebacks:reserve", "chargebacks:losses", amount, currency)]
                : [("chargebacks:reserve", "bank:main", amount, currency),
                   ("fees:processor", "bank:main", currency.topUp * 3 / 4, currency)]
            post("\(key)-\(word)", "chargeback.\(word)", "Chargeback \(word)", ref: charge,
                 by: "ops:nina", postings)
        }
        for currency in Currency.all where weekday == 4 || currency == .eur && [0, 2].contains(weekday) {
            for merchant in currency.sellers.map(Market.merchant) {
                let amount = held(merchant, currency) * 6 / 10
                guard amount >= currency.topUp else { continue }
                wait(1, 4)
                post("payout-\(date)-\(merchant.suffix(3))-\(currency.code)", "payout.sent", "Payout",
                     by: "system:payouts", [(merchant, "bank:main", amount, currency)])
            }
        }
    }

    /// The processor bills the fees of EUR charges the next day, in one sum; in other currencies a
    /// charge's fee is known at once and is part of the entry.
    mutating func charge(_ customer: String, _ currency: Currency, _ amount: Int, order: String? = nil) {
        let (key, fee) = (nextKey("charge", 6), currency.cardFee(amount))
        var postings: [Posting] = [("processor:clearing", customer, amount, currency)]
        if currency != .eur { postings.append(("fees:processor", "processor:clearing", fee, currency)) }
        cardFeesDue += currency == .eur ? fee : 0
        charges.append((key, amount, currency))
        post(key, "card.charged", order == nil ? "Top-up" : "Card payment", ref: order ?? "",
             by: "system:shop", postings)
    }

    mutating func topUp() {
        let index = random.below(Market.customers), currency = Market.home(index)
        charge(Market.customer(index), currency, currency.topUp * (1 + random.below(5)))
    }

    mutating func shop() {
        let most = random.chance(40) ? Market.customers : 1 + random.below(Market.customers)  // some buy more
        let shopper = random.below(most), customer = Market.customer(shopper)
        let currency = held(customer, .usd) > 3000 ? .usd : Market.home(shopper)
        let seller = random.pick(currency.sellers), merchant = Market.merchant(seller)
        let product = Market.products[seller + random.below(2)]
        let quantity = random.chance(65) ? 1 : 2 + random.below(3)
        let goods = currency.price(euroCents: product.cents) * quantity
        let delivery = random.chance(8) ? currency.topUp / 4 : 0
        let total = goods + delivery, fee = halfUp(total * Market.platformFeePoints, 10_000)
        let key = nextKey("order", 6), number = "A\(10_000 + 7 * counts["order"]! + random.below(7))"
        let missing = total - held(customer, currency)
        if missing > 0 {
            if random.chance(85) {
                charge(customer, currency, max(missing, currency.topUp / 4), order: number)
            } else {
                charge(customer, currency, (missing / currency.topUp + 1 + random.below(3)) * currency.topUp)
            }
            wait(2, 45)
        }
        var postings: [Posting] = [(customer, merchant, goods, currency)]
        if delivery > 0 { postings.append((customer, merchant, delivery, currency)) }
        postings.append((merchant, "fees:platform", fee, currency))
        orders.append((key, customer, merchant, total, fee, currency))
        post(key, "order.paid", quantity == 1 ? product.name : "\(quantity) x \(product.name)", ref: number,
             by: "system:shop", payload: random.chance(30) ? [("channel", "app")] : [], postings)
    }

    /// Refunds a recent order from the merchant's balance, with the fee's share returned to the
    /// merchant; what the merchant cannot cover, and a small part of the rest, is goodwill.
    mutating func refund() {
        let latest = orders.count - 1 - random.below(min(orders.count, 180))
        let (key, customer, merchant, total, fee, currency) = orders.remove(at: latest)
        let amount = random.chance(65) ? total : halfUp(total, 2 + random.below(2))
        let returned = halfUp(fee * amount, total)
        let reason = random.pick(["Damaged, returned", "Not delivered", "Changed mind", "Wrong size"])
        let goodwill = random.chance(15) || held(merchant, currency) + returned < amount
        let postings: [Posting] = goodwill
            ? [("refunds:goodwill", customer, amount, currency)]
            : [("fees:platform", merchant, returned, currency), (merchant, customer, amount, currency)]
        post("refund-\(key.suffix(6))", "refund.issued", goodwill ? "Goodwill: \(reason)" : reason,
             ref: key, by: random.pick(["ops:nina", "ops:tomek"]), postings)
    }

    /// One entry, two postings: what the account gives and what it gets.
    mutating func convert(_ account: String, _ amount: Int, _ from: Currency, _ to: Currency, by actor: String) {
        let rate = halfUp(rates[to.code]! * 1_000_000, rates[from.code]!)
        let bought = halfUp(amount * rate * to.unit, 1_000_000 * from.unit)
        let pool = "fx:conversion", (debit, credit) = account == "bank:main" ? (pool, account) : (account, pool)
        let text = decimal(rate, 1_000_000)
        post(nextKey("fx", 4), "fx.converted", "\(from.code) to \(to.code) at \(text)", by: actor,
             payload: [("rate", text)], [(debit, credit, amount, from), (credit, debit, bought, to)])
    }

    mutating func convertWallet() {
        let customer = Market.customer(random.pick(Market.travellers))
        let amount = 1000 * (3 + random.below(8))
        if held(customer, .eur) < amount { charge(customer, .eur, amount) }
        wait(10, 90)
        convert(customer, amount, .eur, .usd, by: "system:wallet")
    }

    /// A disputed charge is provided for at once. Won, the provision is released; lost, the processor
    /// takes the amount and its fee from the bank account.
    mutating func receiveDispute() {
        let charge = charges.remove(at: charges.count - 1 - random.below(min(charges.count, 400)))
        let key = nextKey("chargeback", 4)
        disputes.append((key, charge, dayIndex + 7 + random.below(35)))
        post(key, "chargeback.received", "Chargeback", ref: charge.key, by: "system:processor",
             [("chargebacks:losses", "chargebacks:reserve", charge.amount, charge.currency)])
    }
}

func csv(_ fields: [String]) -> String {
    fields.map { field in
        let plain = !field.contains("\"") && !field.contains(",")
        return plain ? field : "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }.joined(separator: ",") + "\n"
}

/// An object's text; none of the strings written here has a backslash or a control character.
func json(_ fields: Fields) -> String {
    fields.map { "\"\($0)\":\"\($1.replacingOccurrences(of: "\"", with: "\\\""))\"" }.joined(separator: ",")
}

func fields(_ posting: Posting) -> Fields {
    [("debit", posting.debit), ("credit", posting.credit),
     ("amount", decimal(posting.amount, posting.currency.unit)), ("currency", posting.currency.code)]
}

extension Entry {
    var csvRows: String { postings.map { csv((head + fields($0)).map(\.value)) }.joined() }
    var jsonLine: String {
        let list = postings.map { "{\(json(fields($0)))}" }.joined(separator: ",")
        let extra = payload.isEmpty ? "" : ",\"payload\":{\(json(payload))}"
        return "{\(json(head)),\"postings\":[\(list)]\(extra)}\n"
    }
}

func accountRows() -> [[String]] {
    Currency.all.flatMap { currency in
        let customers = (0..<Market.customers).filter {
            Market.home($0) == currency || currency == .usd && Market.travellers.contains($0)
        }
        let liabilities = currency.sellers.map(Market.merchant) + customers.map(Market.customer)
        return Market.platformAccounts.map { [$0.0, currency.code, $0.1] }
            + liabilities.map { [$0, currency.code, "liability"] }
    }
}

let story = """
    # Example data: a marketplace's year

    Invented data for 2025, in chronological order, written by `generator.swift`:

    - `accounts.csv`: the accounts, each a path and a currency, with a type.
    - `journal-2025-q1.csv`, `-q2`, `-q3`: a posting a row; consecutive rows with one key are one entry.
    - `journal-2025-q4.jsonl`: an entry a line, some with a `payload`.

    `fees.json` is written by hand: a fee schedule for these orders and refunds (../fees.md). The orders have the platform's fee
    posted already, so explain, report and simulate with it; `assess` would post fees a second time.

    Customers fill wallets or pay by card. The processor owes the charges (`processor:clearing`) until it
    settles the sum then open: EUR on weekdays, the rest on Mondays. Its fee is posted with the charge, except
    for EUR, where it bills a day's fees in one sum. An order moves money from a wallet to a merchant (goods and
    sometimes delivery) and 8 % of it to the platform. Merchants are paid six tenths of their balance on
    Fridays, in EUR on Mondays and Wednesdays too. A refund names its order's key in `reference` and returns the
    fee's share; some are goodwill, which the platform bears. A chargeback names its charge's key: provided for
    when received, released when won, paid with a fee when lost. A conversion is one entry with two postings in
    two currencies through `fx:conversion`. Fees and conversions are rounded half up to the minor unit.
    Wallets, merchants' balances, the bank and the clearing account never go below zero. Orders vary by
    weekday and grow over the year, with eight busy days. `reference` may be empty.


    """

func readme(_ entries: [Entry], _ accounts: Int) -> String {
    let postings = entries.flatMap(\.postings)
    var text = story + "\(entries.count) entries, \(postings.count) postings, \(accounts) accounts.\n\n"
    text += "| kind | entries | postings |\n|---|---:|---:|\n"
    for kind in Set(entries.map(\.head[1].value)).sorted() {
        let some = entries.filter { $0.head[1].value == kind }
        text += "| \(kind) | \(some.count) | \(some.flatMap(\.postings).count) |\n"
    }
    text += "\n| currency | postings | sum of amounts |\n|---|---:|---:|\n"
    for currency in Currency.all {
        let amounts = postings.filter { $0.currency == currency }.map(\.amount)
        text += "| \(currency.code) | \(amounts.count) | \(decimal(amounts.reduce(0, +), currency.unit)) |\n"
    }
    return text + "\nTo write the same bytes again: `swiftc -O generator.swift -o gen && ./gen .`\n"
}

guard CommandLine.arguments.count == 2 else { fatalError("usage: gen OUTDIR") }
let directory = URL(fileURLWithPath: CommandLine.arguments[1], isDirectory: true)
try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
func write(_ name: String, _ lines: [String]) throws {
    try Data(lines.joined().utf8).write(to: directory.appendingPathComponent(name))
}

var year = Year()
year.run()
let accounts = accountRows()
try write("accounts.csv", [csv(["account", "currency", "type"])] + accounts.map(csv))
let header = csv((year.entries[0].head + fields(year.entries[0].postings[0])).map(\.name))
for quarter in 1...4 {
    let entries = year.entries.filter { $0.quarter == quarter }
    let rows = quarter == 4 ? entries.map(\.jsonLine) : [header] + entries.map(\.csvRows)
    try write("journal-2025-q\(quarter).\(quarter == 4 ? "jsonl" : "csv")", rows)
}
try write("README.md", [readme(year.entries, accounts.count)])
