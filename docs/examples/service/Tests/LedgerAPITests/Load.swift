import Foundation
import Indelible
import IndelibleTesting
import LedgerAPI

/// Clients that make random transfers over HTTP on two instances of the service, while these are killed with kill -9 and started again.
struct Load: Sendable {
    let seed: UInt64
    let transfers: Int
    var clients = 24
    /// Someone is killed after so many milliseconds.
    var killAfter = 150...700

    static let accounts = (0..<12).map { "customers:c\($0)" }
    static let fundedCents: Int64 = 500_00

    /// What the request with this number asks for. It follows from the seed.
    struct Request: Sendable {
        let key: String
        let debit: String
        let credit: String
        let cents: Int64
        let entry: EntryID

        init(_ seed: UInt64, _ number: Int) {
            var random = Random(seed, UInt64(number))
            let debit = Int(random.next() % UInt64(Load.accounts.count))
            let credit = (debit + 1 + Int(random.next() % UInt64(Load.accounts.count - 1))) % Load.accounts.count
            (self.debit, self.credit) = (Load.accounts[debit], Load.accounts[credit])
            cents = Int64(1 + random.next() % 150_00)
            key = "load-\(seed)-\(number)"
            entry = EntryID(key: key)
        }

        var body: JSON { transfer(debit, credit, "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)") }
    }

    /// What a client knows in the end of its request.
    struct Outcome: Sendable {
        /// Each receipt says the same.
        var positions: Set<UInt64> = []
        /// Receipts that say that it was recorded just now: one at the most.
        var created = 0
        var refused: String?
        /// Attempts without an answer.
        var lost = 0
    }

    struct Result: Sendable {
        var outcomes: [Outcome]
        var kills = 0
        /// What a follower of the events was sent, one after the other.
        var followed: [PublicEvent] = []
        /// How often it was cut off.
        var cuts = 0
        /// Of the two, when they were told to end.
        var exits: [Int32] = []
        var seconds = 0.0
    }

    /// - Parameter receiver: is sent the webhooks.
    func run(on book: TestBook, _ receiver: Receiver) async throws -> Result {
        try await receiver.run { target in
            try await prepareWebhook(book, target)
            let webhook = ["LEDGER_WEBHOOK_URL": target.url, "LEDGER_WEBHOOK_SECRET": Receiver.secret]
            let instances = [try await Instance(book, webhook), try await Instance(book, webhook)]
            for instance in instances { try await instance.start() }
            return try await run(instances, receiver)
        }
    }

    private func run(_ instances: [Instance], _ receiver: Receiver) async throws -> Result {
        let services = instances.map(\.client)
        try await prepare(services[0])
        let begun = ContinuousClock.now
        let killer = Task { try await kill(instances) }
        let follower = Task { try await follow(services) }
        var result = Result(outcomes: Array(repeating: Outcome(), count: transfers))
        try await withThrowingTaskGroup(of: [(Int, Outcome)].self) { group in
            for client in 0..<clients { group.addTask { try await ask(client, services) } }
            for try await part in group { for (number, outcome) in part { result.outcomes[number] = outcome } }
        }
        killer.cancel()
        result.kills = try await killer.value
        result.seconds = begun.duration(to: .now) / .seconds(1)
        // Who has heard of this has heard of everything before.
        try await services[0].open(Self.last, "asset")
        (result.followed, result.cuts) = try await follower.value
        while !receiver.deliveries.contains(where: { $0.event["subject"] == .string(Self.last) }) { try await Task.sleep(for: .milliseconds(50)) }
        for instance in instances { result.exits.append(await instance.stop()) }
        return result
    }

    private static let last = "last"

    private func prepareWebhook(_ book: TestBook, _ target: WebhookTarget) async throws {
        var settings = Settings(location: book.owner)
        settings.webhook = target
        try await LedgerAPI(settings, logger: quiet).prepare()
    }

    /// Follows the events on one service after the other, as a browser would: it says the last id that it has.
    private func follow(_ services: [Client]) async throws -> (events: [PublicEvent], cuts: Int) {
        var (events, last, cuts): ([PublicEvent], UInt64, Int) = ([], 0, 0)
        while true {
            let followed = try? await services[cuts % services.count].follow(headers: ["Last-Event-ID": String(last)]) {
                $0.events.last?.event.subject == Self.last
            }
            events += followed?.events.map(\.event) ?? []
            last = followed?.events.last?.position ?? last
            if events.last?.subject == Self.last { return (events, cuts) }
            cuts += 1
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func prepare(_ client: Client) async throws {
        try await client.open("bank", "asset")
        for path in Self.accounts {
            try await client.open(path, "liability", floor: "0.00")
            let funded = try await client.post("/transfers", transfer("bank", path, "\(Self.fundedCents / 100).00"), key: "fund-\(path)")
            guard funded.status == 201 else { throw NeverRan() }
        }
    }

    /// Kills one after the other, and starts it again a little later.
    /// - Returns: how many were killed.
    private func kill(_ instances: [Instance]) async throws -> Int {
        var (random, kills) = (Random(seed, .max), 0)
        while true {
            do { try await Task.sleep(for: .milliseconds(Int.random(in: killAfter, using: &random))) } catch { return kills }
            let instance = instances[Int(random.next() % UInt64(instances.count))]
            await instance.killNow()
            kills += 1
            // Not cancelled in the middle: it runs afterwards in any case.
            let pause = Int.random(in: 10...200, using: &random)
            try await Task {
                try await Task.sleep(for: .milliseconds(pause))
                try await instance.start()
            }.value
        }
    }

    // MARK: - One client

    private func ask(_ client: Int, _ services: [Client]) async throws -> [(Int, Outcome)] {
        var done: [(Int, Outcome)] = []
        for number in stride(from: client, to: transfers, by: clients) {
            done.append((number, try await outcome(of: Request(seed, number), services, Random(seed, UInt64(number) << 20 + 1))))
        }
        return done
    }

    /// Asks with the same key until there is an answer. Some give up instead; some ask again though they have their answer.
    private func outcome(of request: Request, _ services: [Client], _ random: Random) async throws -> Outcome {
        var (random, outcome) = (random, Outcome())
        var service = Int(random.next() % UInt64(services.count))
        let givesUp = random.next() % 10 == 0
        var wanted = random.next() % 5 == 0 ? 2 : 1
        while true {
            // An attempt that has no answer may be recorded or not.
            guard let answer = try? await services[service].post("/transfers", request.body, key: request.key), answer.status < 500 else {
                outcome.lost += 1
                if givesUp { return outcome }
                service = (service + 1) % services.count
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...50, using: &random)))
                continue
            }
            guard answer.status < 300 else {
                outcome.refused = answer.code
                return outcome
            }
            outcome.positions.insert(answer.position)
            outcome.created += answer.status == 201 ? 1 : 0
            wanted -= 1
            if wanted == 0 { return outcome }
            service = (service + 1) % services.count
        }
    }
}

/// SplitMix64: the same seed is the same run.
struct Random: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(_ seed: UInt64, _ stream: UInt64) { state = seed &* 0xD129_0D3E_5E4F_1A9B &+ stream &* 0xA076_1D64_78BD_642F }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
