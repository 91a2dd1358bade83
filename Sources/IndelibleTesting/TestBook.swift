import Foundation
public import Indelible
public import LocalMariaDB

/// A new book on a private server, for one test.
///
/// ```swift
/// try await withBook { book in
///     try await book.ledger.openAccount("cash", in: .eur, type: .asset)
/// }
/// ```
/// The login of the book has its three roles and nothing else. The database is kept, so that a failure can be looked at.
public struct TestBook: Sendable {
    public let server: LocalMariaDB
    /// For writers, projectors and auditors.
    public let location: BookLocation
    /// For what only the owner may do.
    public let owner: BookLocation
    /// Of the login in ``location``.
    public let password: String
    /// Open for writing.
    public let ledger: Ledger

    public var name: String { location.book }

    /// Makes a book; close its ledger at the end.
    public static func make(on server: LocalMariaDB, timeZone: String? = nil) async throws -> TestBook {
        let name = "t_" + UUID().uuidString.lowercased().replacing("-", with: "").prefix(12)
        let owner = try BookLocation(server: .socket(path: server.socketPath), book: name, user: server.adminUser)
        try await BookOwner(owner).create(timeZone: timeZone)
        let password = UUID().uuidString
        try await BookOwner(owner).createLogin(name, password: Secret(password))
        try await BookOwner(owner).grantRoles(to: name)
        let location = try BookLocation(
            server: .socket(path: server.socketPath), book: name, user: name, password: Secret(password))
        return TestBook(server: server, location: location, owner: owner, password: password, ledger: Ledger(location))
    }

    /// Projects everything that is decided, as one worker.
    @discardableResult
    public func project() async throws -> Position {
        let projector = Projector(location)
        let end = try await projector.catchUp()
        await projector.close()
        return end.through
    }

    public func reconcile() async throws -> Reconciliation {
        let auditor = Auditor(location)
        let result = try await auditor.reconcile()
        await auditor.close()
        return result
    }
}

/// Runs a test with a book of its own on the shared server. Only so many run at once; the others wait.
public func withBook<T>(_ body: (TestBook) async throws -> T) async throws -> T {
    await places.take()
    do {
        let book = try await TestBook.make(on: try await TestServer.shared())
        let result = try await body(book)
        await book.ledger.close()
        await places.giveBack()
        return result
    } catch {
        await places.giveBack()
        throw error
    }
}

private let places = Places(8)

/// A counting semaphore for tasks.
private actor Places {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func take() async {
        if free > 0 { return free -= 1 }
        await withCheckedContinuation { waiting.append($0) }
    }

    func giveBack() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
