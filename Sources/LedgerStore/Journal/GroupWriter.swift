import LedgerDatabase
import LedgerModel

/// Writes a group of requests: tries again what may be tried again, and keeps the trouble of one from the others.
struct GroupWriter: Sendable {
    let lane: WriteLane
    let step: WriteStep

    /// An answer for each request, in order.
    func write(_ requests: [WriteStep.Request]) async -> [Result<[Receipt], LedgerError>] {
        var retrying = Retrying()
        while true {
            do { return try await attempt(requests, retrying.attempts) } catch let error as DatabaseError {
                if requests.count > 1, error.concernsOneRequest { return await oneByOne(requests) }
                // A stream's revision says nothing of accounts.
                if case .duplicateKey(let key) = error.kind, key != StreamHeads.key { step.memory?.noteConflict() }
                do { try await retrying.pause(after: error) } catch { return Self.failed(requests, error) }
            } catch {
                return Self.failed(requests, retrying.final(error))
            }
        }
    }

    private func attempt(_ requests: [WriteStep.Request], _ attempt: Int) async throws -> [Result<[Receipt], LedgerError>] {
        do {
            let outcome = try await lane.write { try step.run(requests, attempt: attempt, $0) }
            step.memory?.committed(outcome.learned)
            return outcome.results
        } catch let nothing as WriteStep.NothingToWrite {
            return nothing.outcome.results
        }
    }

    private func oneByOne(_ requests: [WriteStep.Request]) async -> [Result<[Receipt], LedgerError>] {
        var results: [Result<[Receipt], LedgerError>] = []
        for request in requests { results += await write([request]) }
        return results
    }

    private static func failed(_ requests: [WriteStep.Request], _ error: any Error) -> [Result<[Receipt], LedgerError>] {
        let error = LedgerError.translating(error)
        return requests.map { request in .failure(error.about(index: nil, id: request.count == 1 ? request[0].id : nil)) }
    }
}

extension DatabaseError {
    /// The database refused a row that nobody foresaw; the rows beside it may be good.
    fileprivate var concernsOneRequest: Bool {
        switch kind {
        case .refusedRow, .other: true
        default: false
        }
    }
}
