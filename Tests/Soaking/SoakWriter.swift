import Foundation
import Indelible
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One incarnation of a writer: it posts until it is killed.
public struct SoakWriter: Sendable {
    /// What the conductor tells it, in the environment.
    struct Orders: Codable, Sendable {
        var socket: String
        var book: String
        var user: String
        var password: String
        var seed: UInt64
        var writer: Int
        var incarnation: Int
        var tasks: Int
        var log: String

        static let variable = "SOAK_WRITER"
    }

    private let orders: Orders
    private let log: SoakLog
    private let ledger: Ledger
    private let conductor = getppid()
    private let numbers = Numbers()

    /// 0, 1, 2 …
    private final class Numbers: Sendable {
        private let count = Atomic(0)
        func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).oldValue }
    }

    /// - Throws: if there are no orders in the environment.
    public init() throws {
        let text = ProcessInfo.processInfo.environment[Orders.variable] ?? ""
        orders = try JSONDecoder().decode(Orders.self, from: Data(text.utf8))
        log = try SoakLog(orders.log)
        ledger = Ledger(
            try BookLocation(
                server: .socket(path: orders.socket), book: orders.book, user: orders.user, password: Secret(orders.password)))
    }

    /// Posts for as long as the conductor lives.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<orders.tasks {
                group.addTask {
                    while getppid() == conductor { await post(numbers.next()) }
                }
            }
        }
        await ledger.close()
    }

    private func post(_ number: Int) async {
        let entry = SoakEntry(writer: orders.writer, incarnation: orders.incarnation, number: number).entry(orders.seed)
        log.say(number, .begun)
        do throws(LedgerError) {
            log.say(number, .acknowledged(try await ledger.post(entry).position.number))
        } catch {
            log.say(number, error.code == .outcomeUnknown ? .unknown : .refused(error.code.rawValue))
        }
    }
}
