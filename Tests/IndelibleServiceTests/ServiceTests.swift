import Foundation
import Indelible
import IndelibleService
import IndelibleTesting
import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct ServiceTests {
    private static func deposit(_ amount: Int64) -> Entry {
        Entry(kind: "deposit.received", postings: [Posting(debit: "bank", credit: "alice", amount: Amount(minorUnits: amount, .eur))])
    }

    private static func open(_ book: TestBook) async throws {
        try await book.ledger.openAccount("bank", in: .eur, type: .asset)
        try await book.ledger.openAccount("alice", in: .eur, type: .liability)
    }

    @Test func `a service that is read-only runs no jobs, reads and records nothing`() async throws {
        try await withBook { book in
            try await Self.open(book)
            try await book.ledger.post(Self.deposit(5))
            let service = LedgerService(book.location, mode: .readOnly)
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await service.run() }
                    #expect(try await service.ledger.balance(of: "alice", in: .eur).minorUnits == 5)
                    let error = await #expect(throws: LedgerError.self) { try await service.ledger.post(Self.deposit(1)) }
                    #expect(error?.code == .readOnly)
                    trigger.triggerGracefulShutdown()
                    try await group.waitForAll()
                }
            }
            #expect(service.health.isEmpty)
            #expect(try await book.ledger.balance(of: "alice", in: .eur, at: .projected).minorUnits == 0)
        }
    }

    @Test func `a service that embeds the library runs its jobs, and shuts down in order`() async throws {
        try await withBook { book in
            try await Self.open(book)
            let service = LedgerService(book.location)
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await service.run() }
                    for _ in 0..<20 { try await service.ledger.post(Self.deposit(1)) }
                    var projected: Int128 = 0
                    for _ in 0..<6000 where projected < 20 {
                        projected = try await service.ledger.balance(of: "alice", in: .eur, at: .projected).minorUnits
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    #expect(projected == 20)
                    // Each job by itself: the others may not have begun.
                    for _ in 0..<6000 where !service.health.allSatisfy(\.isReady) { try await Task.sleep(for: .milliseconds(10)) }
                    let health = service.health
                    #expect(health.map(\.job) == ["account_line", "balance", "fee"])
                    #expect(health.allSatisfy { $0.isAlive && $0.isReady }, "\(health)")
                    trigger.triggerGracefulShutdown()
                    try await group.waitForAll()
                }
            }
            #expect(service.health.isEmpty)
            let closed = await #expect(throws: LedgerError.self) { try await service.ledger.post(Self.deposit(1)) }
            #expect(closed?.code == .unavailable)
            // Whoever was at work when it ended may have left some.
            let projector = Projector(book.location)
            try await projector.catchUp()
            await projector.close()
            let result = try await book.reconcile()
            #expect(result.verdict == .clean, "\(result.notCovered) \(result.checks.flatMap(\.findings))")
        }
    }

    @Test func `jobs can be left to another process`() async throws {
        try await withBook { book in
            try await Self.open(book)
            let service = LedgerService(book.location, jobs: .elsewhere)
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await service.run() }
                    try await service.ledger.post(Self.deposit(5))
                    try await Task.sleep(for: .milliseconds(200))
                    #expect(try await service.ledger.balance(of: "alice", in: .eur, at: .projected).minorUnits == 0)
                    try await book.project()
                    #expect(try await service.ledger.balance(of: "alice", in: .eur, at: .projected).minorUnits == 5)
                    trigger.triggerGracefulShutdown()
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func `the process manager is told that it is ready, how it is, and that it is alive`() async throws {
        try await withBook { book in
            try await Self.open(book)
            let folder = "/tmp/indelible-notify-\(UUID().uuidString.prefix(8))"
            let manager = try DatagramSocket(path: folder)
            defer { manager.close() }
            var lines: [String] = []
            let service = ProjectorService(Projector(book.location), environment: ["NOTIFY_SOCKET": folder, "WATCHDOG_USEC": "300000"])
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await service.run() }
                    // The manager reads now and then only: nobody waits for it.
                    for _ in 0..<5 {
                        try await Task.sleep(for: .milliseconds(300))
                        lines += manager.received()
                    }
                    trigger.triggerGracefulShutdown()
                    try await group.waitForAll()
                }
            }
            lines += manager.received()
            #expect(lines.contains("READY=1"))
            #expect(lines.contains("STATUS=3 jobs follow the journal"))
            #expect(lines.filter { $0 == "WATCHDOG=1" }.count >= 5, "\(lines)")
            #expect(lines.last == "STOPPING=1")
        }
    }
}

/// A socket as systemd makes it, that keeps what it is told.
private final class DatagramSocket {
    private let descriptor: Int32
    private let path: String

    init(path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        try #require(bound == 0)
    }

    func received() -> [String] {
        var lines: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return lines }
            lines.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }

    func close() {
        _ = Glibc.close(descriptor)
        unsafe unlink(path)
    }
}
