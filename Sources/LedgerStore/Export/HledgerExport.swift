import LedgerModel

/// The journal in the form of hledger, which ledger reads too.
///
/// Every amount is written, so no tool fills one in. An account is declared before its first use. Commodities are not
/// declared: before hledger 1.50 a `commodity 1000.00 EUR` would let 10.001 balance 10.00.
struct HledgerExport {
    private var currencies: KnownCurrencies
    private let dates: Exporter.Dates
    private var declared: Set<AccountPath> = []
    /// The day before, when the day of recording leads: the server's clock may go back, and the days must not.
    private var lastDay = ""

    init(_ currencies: KnownCurrencies, _ dates: Exporter.Dates) {
        self.currencies = currencies
        self.dates = dates
    }

    static func header(_ summary: Exporter.Summary) -> String {
        """
        ; The journal of an Indelible book, positions \(summary.from) to \(summary.through).
        ; hledger -f THIS check accounts ordereddates balancednoautoconversion

        decimal-mark .


        """
    }

    mutating func text(_ record: ExportRecord) throws(LedgerError) -> String {
        switch record.content {
        case .currency(let currency): return "; currency \(currency.code), \(currency.exponent) decimals\n"
        case .account(let path, _, let type, _, _): return declare(path, type)
        case .entry(let entry): return try text(entry, recordedAt: record.recordedAt)
        }
    }

    private mutating func declare(_ path: AccountPath, _ type: AccountType?) -> String {
        guard declared.insert(path).inserted else { return "" }
        let letter: String? =
            switch type {
            case .asset: "A"
            case .liability: "L"
            case .equity: "E"
            case .income: "R"
            case .expense: "X"
            case nil: nil
            }
        return "account \(PlainTextName.encoded(path))\n" + (letter.map { "    ; type:\($0)\n" } ?? "")
    }

    private mutating func text(
        _ entry: ToldEntry, recordedAt: Timestamp
    ) throws(LedgerError) -> String {
        let postings = entry.lines.filter { $0.status == .posted }.map(\.posting)
        var mark = PlainTextMark(id: entry.id, kind: entry.kind)
        var payload = entry.payload
        // What hledger brought is given back as it was, if its own syntax can hold it.
        var parts = PlainTextParts()
        if let json = payload[PlainTextParts.name], let found = PlainTextParts(json), isNative(found, postings) {
            parts = found
            payload[PlainTextParts.name] = nil
        }
        if !payload.isEmpty { mark.members["payload"] = .object(payload) }
        if let reference = entry.reference { mark.members["reference"] = .string(reference) }
        if let actor = entry.actor { mark.members["actor"] = .string(actor) }
        let effective = Self.day(entry.effectiveAt)
        var day = effective
        var date2 = parts.date2
        switch dates {
        case .effective:
            if try Timestamp(day) != entry.effectiveAt { mark.members["effective_at"] = .string(entry.effectiveAt.description) }
        case .recorded:
            day = max(lastDay, Self.day(recordedAt))
            lastDay = day
            mark.members["effective_at"] = .string(entry.effectiveAt.description)
            mark.members["date2"] = .string(date2)
            date2 = effective
        }
        var description = entry.description ?? ""
        if !PlainTextLine.isDescription(description) || entry.description == "" {
            mark.members["description"] = .string(description)
            description = PlainTextLine.description(description)
        }
        var text = "\n" + head(day, date2, parts, description)
        for line in mark.lines { text += "    ; \(line)\n" }
        if !parts.comment.isEmpty { text += Self.comment(parts.comment) }
        // Only what is posted counts here, so that other programs' balances are ours.
        let until = entry.hold?.expiresAt.map { " until " + Self.day($0) } ?? ""
        for line in entry.lines {
            let (amount, currency) = (try currencies.text(line.posting.amount), line.posting.amount.currency)
            switch line.status {
            case .posted: continue
            case .pending: text += "    ; pending\(until), and not counted: \(amount) \(currency)\n"
            case .released: text += "    ; released, and not counted: \(amount) \(currency)\n"
            }
        }
        let legs = try parts.legs.isEmpty ? legs(postings, parts.creditsFirst) : parts.legs
        var accounts = ""
        for leg in legs {
            let path = try AccountPath(leg.account)
            accounts += declare(path, nil)
            text += "    \(leg.status.isEmpty ? "" : leg.status + " ")\(PlainTextName.encoded(path))  \(leg.amount)"
            text += leg.commodity.isEmpty ? "\n" : " \(PlainTextLine.commodity(leg.commodity))\n"
            if !leg.comment.isEmpty { text += Self.comment(leg.comment) }
        }
        return accounts + text
    }

    private func head(_ day: String, _ date2: String, _ parts: PlainTextParts, _ description: String) -> String {
        var text = day
        if !date2.isEmpty { text += "=" + date2 }
        if !parts.status.isEmpty { text += " " + parts.status }
        if !parts.code.isEmpty {
            text += " (\(parts.code))"
        } else if let first = description.unicodeScalars.first, "(!*".unicodeScalars.contains(first) {
            // Behind an empty code nothing is taken for a code or a status.
            text += " ()"
        }
        if !description.isEmpty { text += " " + description }
        return text + "\n"
    }

    private func legs(_ postings: [Posting], _ creditsFirst: Bool) throws(LedgerError) -> [PlainTextParts.PlainLeg] {
        var legs: [PlainTextParts.PlainLeg] = []
        for leg in Legs.legs(postings, creditsFirst: creditsFirst) {
            legs.append(
                PlainTextParts.PlainLeg(
                    account: leg.account.text,
                    amount: try currencies.currency(leg.currency.text).format(Int128(leg.units)),
                    commodity: leg.currency.text))
        }
        return legs
    }

    private static func comment(_ text: String) -> String {
        text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "    ;\n" : "    ; \(String($0))\n" }.joined()
    }

    private static func day(_ time: Timestamp) -> String { String(time.description.prefix(10)) }

    // MARK: - What a payload says is not taken on trust

    /// Whether the parts can be written in hledger's own syntax, and tell of these postings.
    private func isNative(_ parts: PlainTextParts, _ postings: [Posting]) -> Bool {
        guard ["", "!", "*"].contains(parts.status), parts.code.isEmpty || PlainTextLine.isCode(parts.code),
            parts.date2.isEmpty || PlainTextLine.isDay(parts.date2), parts.comment.isEmpty || PlainTextLine.isComment(parts.comment)
        else { return false }
        guard !parts.legs.isEmpty else { return true }
        var legs: [Leg] = []
        for leg in parts.legs {
            guard ["", "!", "*"].contains(leg.status), let path = try? AccountPath(leg.account), path.text == leg.account,
                leg.comment.isEmpty || PlainTextLine.isComment(leg.comment) && PlainTextLine.hasOnlyWholeDates(leg.comment)
            else { return false }
            if leg.amount == "0", PlainTextLine.isCommodity(leg.commodity) { continue }
            guard let currency = try? currencies.currency(leg.commodity), currency.code.text == leg.commodity,
                let amount = try? currency.amount(leg.amount), amount.minorUnits != 0
            else { return false }
            legs.append(Leg(account: path, units: amount.minorUnits, currency: currency.code))
        }
        return Legs.postings(legs) == postings && Legs.residuals(legs).isEmpty
    }
}

/// What the lines of plain-text accounting can hold.
enum PlainTextLine {
    /// Text that comes back as it was: on one line, and without space at its ends, which readers cut off.
    static func isLine(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last,
            !first.properties.isWhitespace, !last.properties.isWhitespace
        else { return false }
        return text.unicodeScalars.allSatisfy { $0 == "\t" || !isBreaking($0) }
    }

    /// An empty one can be written too.
    static func isDescription(_ text: String) -> Bool {
        text.isEmpty || isLine(text) && !text.unicodeScalars.contains(";")
    }

    static func isCode(_ text: String) -> Bool {
        isLine(text) && !text.unicodeScalars.contains { ");\t".unicodeScalars.contains($0) }
    }

    static func isDay(_ text: String) -> Bool { text.utf8.count == 10 && (try? Timestamp(text)) != nil }

    /// Lines, none of which is read as a mark of ours. There may be empty ones between others.
    static func isComment(_ text: String) -> Bool {
        guard isLine(text.replacing("\n", with: "")) else { return false }
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.first?.isEmpty == false, lines.last?.isEmpty == false else { return false }
        return lines.allSatisfy {
            $0.isEmpty || isLine($0) && !$0.begins(with: PlainTextMark.first) && !$0.begins(with: PlainTextMark.more)
        }
    }

    /// hledger reads `date:2026-01-31` and `[2026-01-31]` in the comment of a posting, and refuses the file for a date that is
    /// none.
    static func hasOnlyWholeDates(_ text: String) -> Bool {
        for match in text.matches(of: /(?:^|[\s,])date2?:\s*([^,\n]*)/) where !isDay(String(match.1)) { return false }
        for match in text.matches(of: /\[([0-9=\/.\-][^\]\n]*)/) {
            for part in match.1.split(separator: "=") where !isDay(String(part)) { return false }
        }
        return true
    }

    static func isCommodity(_ text: String) -> Bool {
        text.isEmpty || isLine(text) && !text.unicodeScalars.contains { "\";\t".unicodeScalars.contains($0) }
    }

    /// A commodity, in quotes unless it is nothing but letters and currency signs.
    static func commodity(_ text: String) -> String {
        let words: Set = ["and", "or", "not", "div", "if", "else", "true", "false"]  // ledger's
        let isPlain = text.unicodeScalars.allSatisfy {
            switch $0.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .otherLetter, .currencySymbol: true
            default: false
            }
        }
        return isPlain && !words.contains(text.lowercased()) ? text : "\"\(text)\""
    }

    /// The nearest text that a description can be; the text itself stands in the mark.
    static func description(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            line.unicodeScalars.append(isBreaking(scalar) || scalar.properties.isWhitespace ? " " : scalar == ";" ? "," : scalar)
        }
        let start = line.unicodeScalars.drop { $0 == " " }
        let end = start.reversed().drop { $0 == " " }.count
        return String(String.UnicodeScalarView(start.prefix(end)))
    }

    private static func isBreaking(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }
}
