import AsyncHTTPClient
import Foundation
import Indelible
import IndelibleTesting
import LedgerAPI
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Testing

/// What came back, over HTTP. Every answer is held against openapi.json.
struct Answer {
    let status: Int
    let headers: [String: String]
    let body: String

    func header(_ name: String) -> String? { headers[name.lowercased()] }

    var json: JSON { (try? JSON(parsing: body)) ?? .null }
    subscript(member: String) -> JSON? { json[member] }
    /// Of a problem.
    var code: String? { self["code"]?.string }
    var position: UInt64 { if case .integer(let number)? = self["position"] { UInt64(number) } else { 0 } }
}

/// A client of one service.
struct Client: Sendable {
    let port: Int
    static let timeoutSeconds: Int64 = 30

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer { try await send("GET", path, nil, headers: headers) }

    func post(_ path: String, _ body: JSON? = nil, key: String? = nil, headers: [String: String] = [:]) async throws -> Answer {
        var headers = headers
        if let key { headers["Idempotency-Key"] = "\"\(key)\"" }
        return try await send("POST", path, body?.text, headers: headers)
    }

    func send(_ method: String, _ path: String, _ body: String?, headers: [String: String] = [:]) async throws -> Answer {
        let answer = try await undocumented(method, path, body, headers: headers)
        try Documented.check(method, path, answer)
        return answer
    }

    /// For what no document can promise.
    func undocumented(_ method: String, _ path: String, _ body: String?, headers: [String: String] = [:]) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = HTTPMethod(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(Self.timeoutSeconds))
        let text = try await response.body.collect(upTo: 4 << 20)
        let named = response.headers.map { ($0.name.lowercased(), $0.value) }
        return Answer(
            status: Int(response.status.code), headers: Dictionary(named, uniquingKeysWith: { $1 }), body: String(buffer: text))
    }
}

extension Client {
    func open(_ path: String, _ type: String, floor: String? = nil) async throws {
        var body: [String: JSON] = ["path": .string(path), "currency": "EUR", "type": .string(type)]
        if let floor { body["floor"] = .string(floor) }
        let answer = try await post("/accounts", .object(body))
        try #require(answer.status == 200, "\(answer.body)")
    }

    /// A bank, and two customers who may not go below 0. Alice has 100.00.
    func openBank() async throws {
        try await open("bank", "asset")
        for name in ["alice", "bob"] { try await open("customers:\(name)", "liability", floor: "0.00") }
        let funded = try await post("/transfers", transfer("bank", "customers:alice", "100.00"), key: "funding")
        try #require(funded.status == 201, "\(funded.body)")
    }

    func balance(_ path: String, at: String = "current") async throws -> String? {
        try await get("/accounts/\(path)/balance?currency=EUR&at=\(at)")["balance"]?.string
    }
}

/// Debits and credits, as a request has it.
func transfer(_ debit: String, _ credit: String, _ amount: String, _ others: [String: JSON] = [:]) -> JSON {
    let members: [String: JSON] = [
        "debit": .string(debit), "credit": .string(credit), "amount": .string(amount), "currency": "EUR",
    ]
    return .object(members.merging(others) { $1 })
}

/// A logger that says nothing.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs a service on a free port while `body` runs, and ends it as SIGTERM would.
func serve<T>(_ settings: Settings, logger: Logger = quiet, _ body: (Client) async throws -> T) async throws -> T {
    let (ports, told) = AsyncStream<Int>.makeStream()
    var settings = settings
    settings.port = 0
    let group = ServiceGroup(services: LedgerAPI(settings, logger: logger).services { told.yield($0) }, logger: logger)
    let running = Task {
        defer { told.finish() }
        try await group.run()
    }
    var port = ports.makeAsyncIterator()
    guard let first = await port.next() else {
        try await running.value
        throw NeverRan()
    }
    let result: Result<T, any Error>
    do { result = .success(try await body(Client(port: first))) } catch { result = .failure(error) }
    await group.triggerGracefulShutdown()
    try await running.value
    return try result.get()
}

struct NeverRan: Error {}

/// A service on a new book.
func withService<T>(
    _ change: (inout Settings) -> Void = { _ in }, logger: Logger = quiet, _ body: (Client, TestBook) async throws -> T
) async throws -> T {
    try await withBook { book in
        var settings = Settings(location: book.location)
        change(&settings)
        return try await serve(settings, logger: logger) { try await body($0, book) }
    }
}

/// Asks again and again, for so long at the most.
func eventually(_ what: String, seconds: Int = 60, _ isSo: () async throws -> Bool) async throws {
    let begun = ContinuousClock.now
    while begun.duration(to: .now) < .seconds(seconds) {
        if try await isSo() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("it did not come about: \(what)")
}
