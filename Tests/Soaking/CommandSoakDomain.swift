import Foundation
import Indelible

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Something that wants a slot that only one can have; or is refused as it asks to be; or fires the next of its sort.
struct SoakCommand: Command {
    enum Sort: String, Codable, CaseIterable { case claim, entry, stream, chain }

    static let name: EntryKind = "soak.command"
    let number: Int
    let sort: Sort
    let about: Int
    let slot: String
    let urgency: Int
    let isRefused: Bool
    /// How many more it fires.
    let links: Int
    var subject: StreamName { get throws { try StreamName("about", "\(about)") } }
    var priority: Int { urgency }

    static let refusal = "as asked"

    static let handler = CommandHandler(for: SoakCommand.self) { command, unit in
        try command.record(unit)
        if command.isRefused { throw CommandRefusal(refusal) }
    }

    private func record(_ unit: UnitOfWork) throws {
        switch sort {
        case .claim: try unit.claim("slot", slot, for: "\(number)")
        case .entry: try unit.post(Entry(id: EntryID(key: "soak-entry-\(slot)"), kind: "soak.entry", payload: ["number": .integer(Int64(number))]))
        case .stream: try unit.append(SoakOpened(number: number), to: slot, expecting: .none)
        case .chain:
            try unit.append(SoakOpened(number: number), to: "chain-\(number)-\(links)\(slot.replacing(":", with: "-"))", expecting: .any)
            guard links > 0 else { return }
            try unit.enqueue(
                SoakCommand(
                    number: number, sort: .chain, about: about, slot: slot, urgency: urgency, isRefused: false, links: links - 1))
        }
    }
}

struct SoakThing: Aggregate {
    static let category: StreamCategory = "soak"
    static var events: [any DomainEvent<SoakThing>.Type] { [SoakOpened.self] }
    init(id: String) {}
}

struct SoakOpened: DomainEvent {
    static let name: EntryKind = "soak.opened"
    let number: Int
    func fold(into state: inout SoakThing) {}
}

/// Decides, expands, routes and fires until it is killed, or the conductor is gone.
public struct CommandFollower: Sendable {
    /// What the conductor tells it, in the environment.
    struct Orders: Codable, Sendable {
        var socket: String
        var book: String
        var user: String
        var password: String

        static let variable = "SOAK_COMMANDS"
    }

    private let orders: Orders

    /// What decides commands, expands bulks, routes halves and lists timers.
    static func jobs(_ ledger: Ledger) -> [any Job] {
        var processor = CommandProcessor(ledger, [SoakCommand.handler, CommandHandler(bulk: SoakBulk.self)], subjectsMax: 8)
        // Who expands a bulk is killed between two pages, too.
        processor.bulkPageMax = 5
        return [processor, ProcessRouter(of: SoakPair.self, ledger: ledger), Timers()]
    }

    /// - Throws: if there are no orders in the environment.
    public init() throws {
        let text = ProcessInfo.processInfo.environment[Orders.variable] ?? ""
        orders = try JSONDecoder().decode(Orders.self, from: Data(text.utf8))
    }

    /// Decides for as long as the conductor lives.
    public func run() async throws {
        let location = try BookLocation(server: .socket(path: orders.socket), book: orders.book, user: orders.user, password: Secret(orders.password))
        let ledger = Ledger(location)
        let jobs = Self.jobs(ledger)
        let projector = Projector(location, jobs: Projector.builtIn + jobs)
        let parent = getppid()
        let running = Task {
            try await projector.run(pollInterval: .milliseconds(5)) { event in
                if case .failure(let error) = event.result { print("FAILED \(error)") }
                if case .success(.failed(let failure)) = event.result { print("STOPPED \(failure.error)") }
                fflush(nil)
            }
        }
        let timing = Task {
            await TimerRunner(ledger).run(pollInterval: .milliseconds(50)) { if case .failure(let error) = $0 { print("FAILED \(error)") } }
        }
        while getppid() == parent { try await Task.sleep(for: .milliseconds(100)) }
        running.cancel()
        timing.cancel()
        _ = await running.result
        await timing.value
        await projector.close()
        await ledger.close()
    }
}
