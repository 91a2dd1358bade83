import Indelible

/// Reads balances at random, and knows of each what must hold.
struct JobSoakReader {
    /// What was read: exact for its position.
    struct Read: Sendable {
        let kind: String
        let through: Position
        let totals: [AccountPath: Totals]
    }

    private let ledger: Ledger
    private let notes: JobSoakNotes
    private var random: SoakRandom

    init(_ ledger: Ledger, _ notes: JobSoakNotes, _ random: SoakRandom) { (self.ledger, self.notes, self.random) = (ledger, notes, random) }

    mutating func run() async {
        while !notes.isOver {
            do throws(LedgerError) { try await read() } catch {
                // A position below which a transaction is in flight is not decided.
                if error.code != .historyUnavailable { notes.find("a reader: \(error)") }
            }
        }
    }

    private mutating func read() async throws(LedgerError) {
        let path = JobSoakWriter.paths.randomElement(using: &random)!
        switch Int.random(in: 0..<5, using: &random) {
        case 0: keep("projected", try await ledger.balances(at: .projected))
        case 1: keep("projected", [try await ledger.balance(of: path, in: .eur, at: .projected)])
        case 2:
            guard let position = notes.receipt(&random) else { return }
            keep("position", try await ledger.balances(at: .position(position)), at: position)
        case 3:
            guard let position = notes.receipt(&random) else { return }
            keep("position", [try await ledger.balance(of: path, in: .eur, at: .position(position))], at: position)
        default:
            // What was acknowledged before is in it, and nothing that was begun afterwards.
            let least = notes.done(path)
            let balance = try await ledger.balance(of: path, in: .eur, at: .current)
            let most = notes.begun(path)
            notes.note { $0.reads += 1 }
            guard balance.totals.debitsPosted < least || balance.totals.debitsPosted > most else { return }
            notes.find("\(path) read as current: \(balance.totals.debitsPosted) debited, and it must be \(least) to \(most)")
        }
    }

    private mutating func keep(_ kind: String, _ balances: [Balance], at position: Position? = nil) {
        guard let through = balances.first?.through else { return }
        if let position, through != position { notes.find("\(position) was asked for, and \(through) was answered") }
        if balances.contains(where: { $0.through != through }) { notes.find("balances read together, and not of one position: \(kind)") }
        if balances.count == JobSoakWriter.paths.count {
            let (debits, credits) = balances.reduce((Int128(0), Int128(0))) {
                ($0.0 + $1.totals.debitsPosted + $1.totals.debitsPending, $0.1 + $1.totals.creditsPosted + $1.totals.creditsPending)
            }
            if debits != credits { notes.find("\(kind) at \(through): \(debits) debited and \(credits) credited") }
        }
        let totals = Dictionary(uniqueKeysWithValues: balances.map { ($0.account.path, $0.totals) })
        notes.keep(Read(kind: kind, through: through, totals: totals), &random)
    }
}
