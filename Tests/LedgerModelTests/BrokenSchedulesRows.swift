// Who sees it, what is changed, where the error is told, and a part of what is said.
extension BrokenSchedules {
    static let document = """
        schema | schedule                                  | “schedule” is missing | missing
        schema | schedule = ""                             | schedule | not empty
        schema | schedule = 5                              | schedule | text
        schema | schedule = null                           | schedule | text
        schema | schedule = "Cards"                        | schedule | a letter first
        schema | schedule = "1cards"                       | schedule | a letter first
        schema | schedule = "-cards"                       | schedule | a letter first
        schema | schedule = "two words"                    | schedule | 1 to 32 of a-z 0-9 _ -
        schema | schedule = "kärten"                       | schedule | 1 to 32 of a-z 0-9 _ -
        schema | schedule = "a12345678901234567890123456789012" | schedule | 1 to 32
        schema | version                                   | “version” is missing | missing
        schema | version = 0                               | version | from 1 to
        schema | version = -1                              | version | from 1 to
        schema | version = 1.5                             | version | whole number
        schema | version = "1"                             | version | whole number
        schema | version = true                            | version | whole number
        schema | version = 4294967296                      | version | 4294967295
        schema | effective_from                            | “effective_from” is missing | missing
        schema | effective_from = ""                       | effective_from | not empty
        schema | effective_from = 20260101                 | effective_from | text
        schema | effective_from = "soon"                   | effective_from | write 2026-01-31
        schema | effective_from = "2026-1-1"               | effective_from | write 2026-01-31
        schema | effective_from = "2026-13-01"             | effective_from | write 2026-01-31
        -      | effective_from = "2026-02-30"             | effective_from | write 2026-01-31
        schema | effective_from = "2026-01-01T00:00:00"    | effective_from | write 2026-01-31
        schema | effective_from = "2026-01-01T24:00:00Z"   | effective_from | write 2026-01-31
        schema | effective_from = "0999-01-01"             | effective_from | write 2026-01-31
        schema | income                                    | “income” is missing | missing
        schema | income = ""                               | income | not empty
        schema | income = 5                                | income | text
        schema | income = "fees:"                          | income | a segment between two : is empty
        schema | income = "fees::platform"                 | income | a segment between two : is empty
        schema | income = "fees:*"                         | income | it has a *
        -      | income = " fees"                          | income | space
        schema | description = 5                           | description | text
        schema | price = "0.25"                            | “price” is no member here | description, effective_from, income, rules, schedule, version
        schema | rules                                     | “rules” is missing | missing
        schema | rules = []                                | rules | a list of 1 to 1000
        schema | rules = {}                                | rules | a list of 1 to 1000
        schema | rules[0] = "free"                         | rules[0] | object
        schema | rules[3] = null                           | rules[3] | object
        """

    static let rule = """
        schema | rules[0].name                             | rules[0]: “name” | missing
        schema | rules[0].name = ""                        | rules[0].name | not empty
        schema | rules[0].name = 5                         | rules[0].name | text
        schema | rules[1].kinds                            | rules[1]: “kinds” | missing
        schema | rules[0].kinds = []                       | rules[0].kinds | a list of 1 to 100
        schema | rules[0].kinds = "card.charged"           | rules[0].kinds | a list of 1 to 100
        schema | rules[0].kinds[1] = ""                    | rules[0].kinds[1] | not empty
        schema | rules[0].kinds[1] = "Card"                | rules[0].kinds[1] | card.charged, or card.*
        schema | rules[0].kinds[1] = "card.*.paid"         | rules[0].kinds[1] | card.charged, or card.*
        schema | rules[0].kinds[1] = "*.paid"              | rules[0].kinds[1] | card.charged, or card.*
        schema | rules[0].kinds[1] = "ledger.reversed"     | rules[0].kinds[1] | none of the ledger's own
        schema | rules[0].kinds[1] = "ledger.*"            | rules[0].kinds[1] | none of the ledger's own
        schema | rules[0].accounts                         | rules[0]: “accounts” | missing
        schema | rules[0].accounts = []                    | rules[0].accounts | a list of 1 to 100
        schema | rules[0].accounts = "merchants:*"         | rules[0].accounts | a list of 1 to 100
        schema | rules[0].accounts[1] = ""                 | rules[0].accounts[1] | not empty
        schema | rules[0].accounts[1] = 5                  | rules[0].accounts[1] | text
        schema | rules[0].accounts[1] = "merchants:"       | rules[0].accounts[1] | like customers:*
        schema | rules[0].accounts[1] = "mer*"             | rules[0].accounts[1] | like customers:*
        schema | rules[0].accounts[1] = "merchants:**:eu"  | rules[0].accounts[1] | customers:** for any depth
        schema | rules[0].accounts[1] = "merchants:***"    | rules[0].accounts[1] | customers:** for any depth
        schema | rules[0].side                             | rules[0]: “side” | missing
        schema | rules[0].side = "both"                    | rules[0].side | debit, credit
        schema | rules[0].side = true                      | rules[0].side | debit, credit
        schema | rules[0].fields = []                      | rules[0].fields | an object with a list of values for a field
        schema | rules[0].fields.'card.region' = "eu"      | rules[0].fields.card.region | a list of 1 to 1000
        schema | rules[0].fields.'card.region' = []        | rules[0].fields.card.region | a list of 1 to 1000
        schema | rules[0].fields.'card.region'[1] = 1.5    | rules[0].fields.card.region[1] | text, a whole number, true or false
        schema | rules[0].fields.'card.region'[1] = null   | rules[0].fields.card.region[1] | text, a whole number, true or false
        schema | rules[0].fields.'card.region'[1] = ["eu"] | rules[0].fields.card.region[1] | text, a whole number, true or false
        schema | rules[0].fields.'' = ["eu"]               | rules[0].fields. | with a . between
        schema | rules[0].fields.'card..region' = ["eu"]   | rules[0].fields.card..region | with a . between
        schema | rules[0].volume = "both"                  | rules[0].volume | add, subtract, none
        schema | rules[0].volume = true                    | rules[0].volume | add, subtract, none
        schema | rules[0].percent = 5                      | rules[0]: “percent” is no member here | prices, side, volume, waivers
        schema | rules[0].prices                           | rules[0]: “prices” | missing
        schema | rules[0].prices = {}                      | rules[0].prices | a price for a currency, or for *
        schema | rules[0].prices = []                      | rules[0].prices | a price for a currency, or for *
        schema | rules[0].prices.'two euros' = {}          | rules[0].prices.two euros | no currency code
        -      | rules[0].prices.XXX = {}                  | rules[0].prices.XXX | `indelible currency define`
        """

    static let price = """
        schema | rules[0].prices.EUR = 140                     | rules[0].prices.EUR | object
        schema | rules[0].prices.EUR.percent = 5               | rules[0].prices.EUR: “percent” is no member here | basis_points, fixed
        schema | rules[0].prices.EUR.basis_points = 10001      | rules[0].prices.EUR.basis_points | -10000 to 10000
        schema | rules[2].prices.JPY.basis_points = -10001     | rules[2].prices.JPY.basis_points | -10000 to 10000
        schema | rules[2].prices.JPY.basis_points = "-10000.0001" | rules[2].prices.JPY.basis_points | -10000 to 10000
        schema | rules[0].prices.EUR.basis_points = 10000.0001 | rules[0].prices.EUR.basis_points | -10000 to 10000
        -      | rules[0].prices.EUR.basis_points = 12.34567   | rules[0].prices.EUR.basis_points | up to four decimals
        schema | rules[0].prices.EUR.basis_points = "12.34567" | rules[0].prices.EUR.basis_points | up to four decimals
        schema | rules[0].prices.EUR.basis_points = "1,5"      | rules[0].prices.EUR.basis_points | like 140 or "287.5"
        schema | rules[0].prices.EUR.basis_points = "1e3"      | rules[0].prices.EUR.basis_points | like 140 or "287.5"
        schema | rules[0].prices.EUR.basis_points = ".5"       | rules[0].prices.EUR.basis_points | like 140 or "287.5"
        schema | rules[0].prices.EUR.basis_points = "+5"       | rules[0].prices.EUR.basis_points | like 140 or "287.5"
        schema | rules[0].prices.EUR.basis_points = "1 %"      | rules[0].prices.EUR.basis_points | like 140 or "287.5"
        schema | rules[0].prices.EUR.basis_points = ""         | rules[0].prices.EUR.basis_points | like 140 or "287.5"
        schema | rules[0].prices.EUR.basis_points = true       | rules[0].prices.EUR.basis_points | like 140 or "287.5"
        schema | rules[0].prices.EUR.basis_points = null       | rules[0].prices.EUR.basis_points | like 140 or "287.5"
        schema | rules[0].prices.EUR.fixed = 0.25              | rules[0].prices.EUR.fixed | an amount is text, like "0.25"
        schema | rules[0].prices.EUR.fixed = null              | rules[0].prices.EUR.fixed | an amount is text, like "0.25"
        schema | rules[0].prices.EUR.fixed = ""                | rules[0].prices.EUR.fixed | write digits
        schema | rules[0].prices.EUR.fixed = "0,25"            | rules[0].prices.EUR.fixed | write digits
        -      | rules[0].prices.EUR.fixed = "0.255"           | rules[0].prices.EUR.fixed | 3 decimals, and EUR has 2
        -      | rules[2].prices.JPY.fixed = "0.5"             | rules[2].prices.JPY.fixed | 1 decimals, and JPY has 0
        -      | rules[0].prices.EUR.fixed = "92233720368547758.08" | rules[0].prices.EUR.fixed | 64 bits
        schema | rules[0].prices.EUR.minimum = 0.3             | rules[0].prices.EUR.minimum | an amount is text, like "0.25"
        schema | rules[0].prices.EUR.minimum = "-0.01"         | rules[0].prices.EUR.minimum | negative
        schema | rules[0].prices.EUR.maximum = "-0.01"         | rules[0].prices.EUR.maximum | negative
        -      | rules[0].prices.EUR.minimum = "0.301"         | rules[0].prices.EUR.minimum | 3 decimals, and EUR has 2
        -      | rules[0].prices.EUR.minimum = "50.01"         | rules[0].prices.EUR | the minimum is more than the maximum
        -      | rules[0].prices.EUR.maximum = "0.29"          | rules[0].prices.EUR | the minimum is more than the maximum
        schema | rules[0].prices.EUR.basis_points = -1         | rules[0].prices.EUR | negative somewhere
        schema | rules[0].prices.EUR.fixed = "-0.01"           | rules[0].prices.EUR | negative somewhere
        schema | rules[2].prices.JPY.minimum = "0"             | rules[2].prices.JPY | negative somewhere
        schema | rules[2].prices.JPY.maximum = "5"             | rules[2].prices.JPY | negative somewhere
        schema | rules[0].prices.EUR.rounding = "half-down"    | rules[0].prices.EUR.rounding | half-even, half-up, down, up, floor, ceiling
        schema | rules[0].prices.EUR.rounding = 2              | rules[0].prices.EUR.rounding | half-even, half-up
        schema | rules[0].prices.'*'.fixed = "1"               | rules[0].prices.* | name the currency
        schema | rules[0].prices.'*'.minimum = "1"             | rules[0].prices.* | name the currency
        schema | rules[0].prices.'*'.maximum = "1"             | rules[0].prices.* | name the currency
        schema | rules[0].prices.'*'.tiers = {}                | rules[0].prices.* | name the currency
        """

    static let tiers = """
        schema | rules[1].prices.EUR.basis_points = 5             | rules[1].prices.EUR.tiers | it stands in their steps
        schema | rules[1].prices.EUR.fixed = "1.00"               | rules[1].prices.EUR.tiers | it stands in their steps
        schema | rules[1].prices.EUR.tiers = []                   | rules[1].prices.EUR.tiers | object
        schema | rules[1].prices.EUR.tiers.by                     | rules[1].prices.EUR.tiers: “by” | missing
        schema | rules[1].prices.EUR.tiers.by = "count"           | rules[1].prices.EUR.tiers.by | amount, volume
        schema | rules[1].prices.EUR.tiers.mode                   | rules[1].prices.EUR.tiers: “mode” | missing
        schema | rules[1].prices.EUR.tiers.mode = "flat"          | rules[1].prices.EUR.tiers.mode | graduated, whole
        schema | rules[1].prices.EUR.tiers.to = "1.00"            | rules[1].prices.EUR.tiers: “to” is no member here | by, mode, steps
        schema | rules[1].prices.EUR.tiers.steps                  | rules[1].prices.EUR.tiers: “steps” | missing
        schema | rules[1].prices.EUR.tiers.steps = []             | rules[1].prices.EUR.tiers.steps | a list of 1 to 50
        schema | rules[1].prices.EUR.tiers.steps[1] = "0.00"      | rules[1].prices.EUR.tiers.steps[1] | object
        schema | rules[1].prices.EUR.tiers.steps[0].from          | rules[1].prices.EUR.tiers.steps[0]: “from” | missing
        schema | rules[1].prices.EUR.tiers.steps[0].from = "0.01" | rules[1].prices.EUR.tiers.steps[0].from | the first step begins at 0
        schema | rules[1].prices.EUR.tiers.steps[0].from = "-1.00" | rules[1].prices.EUR.tiers.steps[0].from | negative
        schema | rules[1].prices.EUR.tiers.steps[1].from = 10000  | rules[1].prices.EUR.tiers.steps[1].from | an amount is text
        -      | rules[1].prices.EUR.tiers.steps[1].from = "0.00" | rules[1].prices.EUR.tiers.steps[1].from | more than the one before
        -      | rules[1].prices.EUR.tiers.steps[2] = {"from": "9999.99"} | rules[1].prices.EUR.tiers.steps[2].from | more than the one before
        -      | rules[1].prices.EUR.tiers.steps[1].from = "0.005" | rules[1].prices.EUR.tiers.steps[1].from | 3 decimals, and EUR has 2
        schema | rules[1].prices.EUR.tiers.steps[1].to = "1.00"   | rules[1].prices.EUR.tiers.steps[1]: “to” is no member here | basis_points, fixed, from
        schema | rules[1].prices.EUR.tiers.steps[1].basis_points = 10001 | rules[1].prices.EUR.tiers.steps[1].basis_points | -10000 to 10000
        schema | rules[1].prices.EUR.tiers.steps[1].fixed = 0.3   | rules[1].prices.EUR.tiers.steps[1].fixed | an amount is text
        schema | rules[1].prices.EUR.minimum = "0.30" & rules[1].prices.EUR.tiers.steps[1].basis_points = -1 | rules[1].prices.EUR | negative somewhere
        schema | rules[1].prices.EUR.maximum = "9.00" & rules[1].prices.EUR.tiers.steps[1].fixed = "-0.01" | rules[1].prices.EUR | negative somewhere
        """

    static let waiver = """
        schema | rules[0].waivers = {}                            | rules[0].waivers | a list of 1 to 100
        schema | rules[0].waivers[0] = 10000                      | rules[0].waivers[0] | object
        schema | rules[0].waivers[0].percent = 50                 | rules[0].waivers[0]: “percent” is no member here | accounts, basis_points
        schema | rules[0].waivers[0].reason                       | rules[0].waivers[0]: “reason” | missing
        schema | rules[0].waivers[0].reason = ""                  | rules[0].waivers[0].reason | not empty
        schema | rules[0].waivers[0].reason = 5                   | rules[0].waivers[0].reason | text
        schema | rules[0].waivers[0].basis_points                 | rules[0].waivers[0]: “basis_points” | missing
        schema | rules[0].waivers[0].basis_points = 0             | rules[0].waivers[0].basis_points | more than 0; 10000 is all
        schema | rules[0].waivers[0].basis_points = "0.0000"      | rules[0].waivers[0].basis_points | more than 0; 10000 is all
        schema | rules[0].waivers[0].basis_points = -1            | rules[0].waivers[0].basis_points | more than 0; 10000 is all
        schema | rules[0].waivers[0].basis_points = "-0.5"        | rules[0].waivers[0].basis_points | more than 0; 10000 is all
        schema | rules[0].waivers[0].basis_points = 10000.0001    | rules[0].waivers[0].basis_points | -10000 to 10000
        schema | rules[0].waivers[0].basis_points = "all"         | rules[0].waivers[0].basis_points | like 140 or "287.5"
        schema | rules[0].waivers[0].accounts = []                | rules[0].waivers[0].accounts | a list of 1 to 100
        schema | rules[0].waivers[0].accounts[0] = "**:new"       | rules[0].waivers[0].accounts[0] | like customers:*
        schema | rules[0].waivers[0].fields.first = true          | rules[0].waivers[0].fields.first | a list of 1 to 1000
        schema | rules[0].waivers[0].from = "January"             | rules[0].waivers[0].from | write 2026-01-31
        -      | rules[0].waivers[0].from = "2026-02-29"          | rules[0].waivers[0].from | write 2026-01-31
        schema | rules[0].waivers[0].until = 2027                 | rules[0].waivers[0].until | text
        -      | rules[0].waivers[0].until = "2026-01-01"         | rules[0].waivers[0] | ends (until) before it begins
        """
}
