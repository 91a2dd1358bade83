import LedgerModel

/// Prices a row of a worked example and says in which cells something else stands.
struct WorkedRow {
    let currency: Currency
    let price: FeePrice
    let waived: BasisPoints?

    /// - Parameter cells: by column.
    /// - Throws: a column that nobody knows, or an amount that is none.
    func differences(_ cells: [String: String]) throws -> [String] {
        let amount = Int128(try currency.amount(cells["amount"] ?? "").minorUnits)
        let volume = Int128(try currency.amount(cells["volume before"] ?? "0").minorUnits)
        let fee = price.fee(amount, volume: volume, waived: waived)
        var wrong: [String] = []
        func compare(_ column: String, _ cell: String, _ result: String) {
            if cell != result { wrong.append("\(column) is \(result)") }
        }
        for (column, cell) in cells.sorted(by: { $0.key < $1.key }) {
            switch column {
            case "amount", "volume before": break
            case "slices": compare(column, cell, fee.slices.map { "\($0.step): \(money($0.amount))" }.joined(separator: ", "))
            case "exact percentage": wrong += differences(inSum: cell, fee)
            case "exact waived": compare(column, String(try units(cell)), String(exact(fee.waived, fee.waivedRounding)))
            case "rounded": compare(column, cell, money(fee.percentage))
            case "rounding": compare(column, cell, String(fee.rounding))
            case "fixed": compare(column, cell, money(fee.fixed))
            case "bounded": compare(column, cell, money(fee.bounded))
            case "waived": compare(column, cell, money(fee.waived))
            case "waived rounding": compare(column, cell, String(fee.waivedRounding))
            case "fee": compare(column, cell, money(fee.fee))
            default:
                guard let rounding = Rounding(rawValue: column) else { throw LedgerError(.invalidEntry, "no column is called \(column)") }
                let other = FeePrice(tiers: price.tiers, steps: price.steps, minimum: price.minimum, maximum: price.maximum, rounding: rounding)
                let fee = other.fee(amount, volume: volume, waived: waived)
                compare(column, cell, money(waived == nil ? fee.percentage : fee.waived))
                if waived == nil { compare(column, cell, money(fee.fee)) }
            }
        }
        // What has no column is 0.
        if cells["fixed"] == nil { compare("fixed", "0", String(fee.fixed)) }
        if cells["bounded"] == nil { compare("bounded", "0", String(fee.bounded)) }
        if cells["waived"] == nil, cells["exact waived"] == nil { compare("waived", "0", String(fee.waived)) }
        return wrong
    }

    private func money(_ minorUnits: Int128) -> String { currency.format(minorUnits) }

    /// In 10⁻⁸ of a minor unit.
    private func exact(_ rounded: Int128, _ rounding: Int64) -> Int128 { rounded * 100_000_000 - Int128(rounding) }

    /// `2.90 + 1.25 = 4.15`: a summand for each slice, each its amount by its basis points, and their sum. One alone has no sum.
    private func differences(inSum cell: String, _ fee: FeeComponents) -> [String] {
        let sides = cell.split(separator: " = ").map(String.init)
        let summands = sides[0].split(separator: " + ").map(String.init)
        let parts = fee.slices.isEmpty ? nil : fee.slices.map { $0.amount * Int128(price.steps[$0.step - 1].basisPoints.tenThousandths) }
        let all = [exact(fee.percentage, fee.rounding)]
        let isSame = (try? summands.map(units)) == parts ?? all && (try? units(sides[sides.count - 1])) == all[0] && (sides.count == 2) == (summands.count > 1)
        return isSame ? [] : ["exact percentage is \(parts ?? all), \(all) in 10⁻⁸ of a minor unit"]
    }

    /// A decimal with up to eight decimals more than the currency has, in 10⁻⁸ of a minor unit.
    private func units(_ text: String) throws -> Int128 {
        let parts = text.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        let decimals = parts.count == 2 ? parts[1] : ""
        let places = currency.exponent + 8
        guard parts.count <= 2, decimals.count <= places, let magnitude = Int128(String(parts[0] + decimals) + String(repeating: "0", count: places - decimals.count)) else {
            throw LedgerError(.invalidAmount, "“\(text)” is no decimal of \(currency)")
        }
        return text.hasPrefix("-") ? -magnitude : magnitude
    }
}
