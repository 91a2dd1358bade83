import Hummingbird
import Indelible

/// Accounts, their balances and their lines.
struct AccountRoutes: Sendable {
    let ledger: Ledger

    func add(to router: Router<BasicRequestContext>) {
        router.post("/accounts", use: open)
        router.get("/accounts/{path}", use: account)
        router.get("/accounts/{path}/balance", use: balance)
        router.get("/accounts/{path}/lines", use: lines)
    }

    /// Opening an account again in the same way answers the same.
    @Sendable private func open(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let members = try await Members(request, known: ["path", "currency", "type", "floor", "ceiling"])
        let path = try members.value("path") { try AccountPath($0) }
        let code = try members.value("currency") { try CurrencyCode($0) }
        let type = try members.value("type") { text in
            guard let type = AccountType(rawValue: text) else {
                throw Problem(.badRequest, "invalidType", "“\(text)” is no type: \(AccountType.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return type
        }
        guard let currency = try await ledger.currencies().first(where: { $0.code == code }) ?? Currency.iso(code) else {
            throw Problem(LedgerError(.unknownCurrency, "neither the book nor ISO 4217 has a currency \(code)"), member: "currency")
        }
        let limits = AccountLimits(
            floor: try members.value(ifAny: "floor") { try currency.amount($0).minorUnits },
            ceiling: try members.value(ifAny: "ceiling") { try currency.amount($0).minorUnits })
        let account = try await ledger.openAccount(path, in: code, type: type, limits: limits)
        // It may have been open before, and limited or frozen since.
        return Response(json(account, try await ledger.control(of: account.path, in: account.currency.code)))
    }

    @Sendable private func account(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let account = try await named(request, context)
        return Response(json(account, try await ledger.control(of: account.path, in: account.currency.code)))
    }

    @Sendable private func balance(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let account = try await named(request, context)
        let balance = try await ledger.balance(of: account.path, in: account.currency.code, at: try time(request))
        return Response([
            "path": .string(account.path.text), "currency": .string(account.currency.code.text), "balance": .string(balance.text),
            "available": .string(account.currency.format(balance.available)), "through": .integer(Int64(clamping: balance.through.number)),
        ])
    }

    /// As `indelible balance --at` and `--as-of`: `current`, `projected`, a position, a day or a time.
    private func time(_ request: Request) throws -> BalanceTime {
        try request.parameter(ifAny: "at") { text in
            switch text {
            case "current": return .current
            case "projected": return .projected
            default:
                if let position = UInt64(text) { return .position(Position(position)) }
                return text.utf8.count <= 10 ? .day(try AccountingDay(text)) : .effective(try Timestamp(text))
            }
        } ?? .current
    }

    @Sendable private func lines(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let account = try await named(request, context)
        let cursor = try request.parameter(ifAny: "cursor") { try AccountLineCursor($0) }
        let order = try request.parameter(ifAny: "order") { text in
            guard text == "oldest" || text == "newest" else { throw Problem(.badRequest, "invalidOrder", "the order is oldest or newest") }
            return text
        }
        let limit = try request.parameter(ifAny: "limit") { text in
            guard let number = Int(text), (1...500).contains(number) else { throw Problem(.badRequest, "invalidLimit", "the limit is 1 to 500") }
            return number
        }
        // A cursor knows its order.
        let range = order.map { AccountLineRange.positions(newestFirst: $0 == "newest") }
        let page = try await ledger.accountLines(of: account.path, in: account.currency.code, range, after: cursor, limit: limit ?? 50)
        return Response(json(page))
    }

    private func named(_ request: Request, _ context: BasicRequestContext) async throws -> Account {
        let path = try Members.named("path") { try AccountPath(try context.part("path")) }
        return try await ledger.account(path, in: try request.parameter("currency") { try CurrencyCode($0) })
    }

    private func json(_ account: Account, _ control: AccountControl) -> JSON {
        func amount(_ minorUnits: Int64?) -> String? { minorUnits.map { account.currency.format(Int128($0)) } }
        return .object(
            Dictionary(
                [:],
                [
                    "path": account.path.text, "currency": account.currency.code.text, "type": account.type.rawValue,
                    "status": control.status.rawValue, "floor": amount(control.limits.floor), "ceiling": amount(control.limits.ceiling),
                ]))
    }

    private func json(_ page: AccountLinePage) -> JSON {
        let currency = page.account.currency
        let lines = page.lines.map { line in
            JSON.object(
                Dictionary(
                    ["position": .integer(Int64(clamping: line.position.number)), "line": .integer(Int64(line.line))],
                    [
                        "entry": line.entry.description, "kind": line.kind.text, "description": line.description, "reference": line.reference,
                        "effective_at": line.effectiveAt.description, "recorded_at": line.recordedAt.description,
                        "counterpart": line.counterpart.text, "side": line.side.rawValue, "amount": currency.format(Int128(line.amount)),
                        "status": "\(line.status)", "balance": currency.format(line.balance),
                    ]))
        }
        return .object(
            Dictionary(
                ["lines": .array(lines), "through": .integer(Int64(clamping: page.through.number))],
                [
                    "opening": currency.format(page.opening), "closing": currency.format(page.closing), "next": page.next?.text,
                ]))
    }
}
