import Hummingbird
import Indelible

/// Transfers between two accounts, at once or held first.
///
/// A transfer's id follows from its `Idempotency-Key`, so it is recorded once, whichever process is asked, and after any crash: the unique
/// key of the journal is the memory of the keys.
struct TransferRoutes: Sendable {
    let ledger: Ledger

    static let transferred: EntryKind = "transfer"
    static let held: EntryKind = "hold"
    /// Of the entry's payload: what the request was called.
    static let keyMember = "key"

    func add(to router: Router<BasicRequestContext>) {
        router.post("/transfers", use: transfer)
        router.get("/transfers/{key}", use: transferred)
        router.post("/holds", use: hold)
        router.post("/holds/{key}/capture", use: capture)
        router.post("/holds/{key}/void", use: void)
    }

    @Sendable private func transfer(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let key = try request.idempotencyKey()
        let entry = try await entry(try await Members(request, known: Self.members), key, Self.transferred)
        return Response(try await ledger.post(entry), key: key)
    }

    @Sendable private func hold(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let key = try request.idempotencyKey()
        let members = try await Members(request, known: Self.members.union(["expires_at"]))
        var entry = try await entry(members, key, Self.held)
        entry.hold = Hold(expiresAt: try members.value(ifAny: "expires_at") { try Timestamp($0) })
        return Response(try await ledger.post(entry), key: key)
    }

    /// A hold is settled once, and its id says by what: these need no key of their own.
    @Sendable private func capture(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let (key, hold) = try await standing(context, Self.held)
        let members = try await Members(request, known: ["amount"])
        var amounts: [Amount]?
        if let text = try members.text(ifAny: "amount"), let debit = hold.postings.first?.debit {
            let currency = try await ledger.accounts([debit])[debit]?.currency
            amounts = try Members.named("amount") { try currency.map { [try $0.amount(text)] } }
        }
        return Response(try await ledger.capture(EntryID(key: key), amounts: amounts, reference: key), key: key)
    }

    @Sendable private func void(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let (key, _) = try await standing(context, Self.held)
        _ = try await Members(request, known: [])
        return Response(try await ledger.void(EntryID(key: key), reference: key), key: key)
    }

    @Sendable private func transferred(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let (key, entry) = try await standing(context, Self.transferred)
        guard let id = entry.id, let posting = entry.postings.first else { throw LedgerError(.integrity, "a transfer without a posting") }
        let accounts = try await ledger.accounts([posting.debit, posting.credit])
        guard let debit = accounts[posting.debit], let credit = accounts[posting.credit] else {
            throw LedgerError(.integrity, "a posting on an account that is none")
        }
        let payload = try entry.payload.map { try JSON(parsing: $0) }
        return Response(
            .object(
                Dictionary(
                    ["position": .integer(Int64(clamping: entry.position.number))],
                    [
                        "key": key, "id": id.description, "debit": debit.path.text, "credit": credit.path.text,
                        "amount": debit.currency.format(Int128(posting.amount)), "currency": debit.currency.code.text,
                        "effective_at": entry.effectiveAt.description, "recorded_at": entry.recordedAt.description,
                        "description": payload?["description"]?.string, "reference": payload?["reference"]?.string,
                    ])))
    }

    // MARK: -

    private static let members: Set = ["debit", "credit", "amount", "currency", "description", "reference", "effective_at"]

    private func entry(_ members: Members, _ key: String, _ kind: EntryKind) async throws -> Entry {
        let (debit, credit) = (try members.value("debit") { try AccountPath($0) }, try members.value("credit") { try AccountPath($0) })
        let code = try members.value("currency") { try CurrencyCode($0) }
        let account = try await account(debit, code, "debit")
        _ = try await self.account(credit, code, "credit")
        let amount = try members.value("amount") { try account.currency.amount($0) }
        return Entry(
            id: EntryID(key: key), kind: kind, effectiveAt: try members.value(ifAny: "effective_at") { try Timestamp($0) },
            description: try members.text(ifAny: "description"), reference: try members.text(ifAny: "reference"),
            payload: [Self.keyMember: .string(key)], postings: [Posting(debit: debit, credit: credit, amount: amount)])
    }

    /// An account that a member of the request names.
    private func account(_ path: AccountPath, _ code: CurrencyCode, _ member: String) async throws -> Account {
        do { return try await ledger.account(path, in: code) } catch { throw Problem(error, member: member) }
    }

    /// What was recorded with the key in the path.
    private func standing(_ context: BasicRequestContext, _ kind: EntryKind) async throws -> (key: String, entry: JournalEntry) {
        let key = try context.part("key")
        guard let entry = try await ledger.entry(EntryID(key: key)), entry.kind == kind else {
            throw LedgerError(.unknownEntry, "there is no \(kind) with the key “\(key)”")
        }
        return (key, entry)
    }
}
