import LedgerDatabase
import LedgerModel
import Synchronization

/// Writes what is posted at the same time together: one INSERT and one COMMIT for many.
///
/// A request that meets an idle lane is written at once, alone; what arrives while it is being written waits and goes together.
/// So nothing is ever delayed to gather more. A few lanes write at the same time, each on a connection of its own. Requests
/// that claim have one lane, so that those of one program never wait for each other in the database.
final class GroupCommit: Sendable {
    /// Requests of one group hold at most so many entries; a larger request goes alone.
    static let groupEntriesMax = 4096
    /// Entries that are waiting or being written; who brings more waits before it is taken in.
    static let entriesMax = 65_536
    private static let plainLanes = 2
    static let lanes = plainLanes + 1

    private final class Waiting: Sendable {
        let request: WriteStep.Request
        private let continuation = Mutex<CheckedContinuation<[Receipt], any Error>?>(nil)

        init(_ request: WriteStep.Request, _ continuation: CheckedContinuation<[Receipt], any Error>) {
            self.request = request
            self.continuation.withLock { $0 = continuation }
        }

        func answer(_ result: Result<[Receipt], any Error>) {
            continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }?.resume(with: result)
        }
    }

    private enum Lane: Int, CaseIterable { case plain, claiming }

    private struct State {
        var waiting: [[UInt64: Waiting]] = [[:], [:]]
        var order: [[UInt64]] = [[], []]
        var next: [Int] = [0, 0]
        var busy = [0, 0]
        var isClosed = false
        var closing: [CheckedContinuation<Void, Never>] = []
        var lastID: UInt64 = 0

        var isIdle: Bool { busy == [0, 0] }

        mutating func add(_ one: Waiting, _ id: UInt64, _ lane: Lane) {
            waiting[lane.rawValue][id] = one
            order[lane.rawValue].append(id)
        }

        /// Those that are next, in the order in which they came.
        mutating func takeGroup(_ lane: Lane) -> [Waiting] {
            let lane = lane.rawValue
            var group: [Waiting] = []
            var entries = 0
            while next[lane] < order[lane].count {
                // What was cancelled meanwhile is not there any more.
                guard let one = waiting[lane][order[lane][next[lane]]] else {
                    next[lane] += 1
                    continue
                }
                entries += one.request.count
                if !group.isEmpty, entries > GroupCommit.groupEntriesMax { break }
                group.append(one)
                waiting[lane][order[lane][next[lane]]] = nil
                next[lane] += 1
            }
            if next[lane] > 1024 || next[lane] == order[lane].count {
                order[lane].removeFirst(next[lane])
                next[lane] = 0
            }
            return group
        }
    }

    private let state = Mutex(State())
    private let room = Room(GroupCommit.entriesMax)
    private let writer: GroupWriter

    init(_ writer: GroupWriter) { self.writer = writer }

    /// Writes a request, with whatever else is there.
    /// - Throws: `CancellationError` if the task was cancelled before the request was taken up; once it is, the answer is
    ///   waited for, whatever it is.
    func write(_ request: WriteStep.Request) async throws -> [Receipt] {
        try await room.take(request.count)
        defer { room.giveBack(request.count) }
        let lane = request.contains(where: \.claims) ? Lane.claiming : .plain
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enter(Waiting(request, continuation), id, lane)
            }
        } onCancel: {
            let one = state.withLock { $0.waiting[lane.rawValue].removeValue(forKey: id) }
            one?.answer(.failure(CancellationError()))
        }
    }

    private func enter(_ one: Waiting, _ id: UInt64, _ lane: Lane) {
        let refusal: (any Error)? = state.withLock { state in
            if state.isClosed { return LedgerError(.unavailable, "the ledger is closed", retry: .never) }
            if Task.isCancelled { return CancellationError() }
            state.add(one, id, lane)
            return nil
        }
        if let refusal { return one.answer(.failure(refusal)) }
        let isFree = state.withLock { state in
            guard state.busy[lane.rawValue] < (lane == .plain ? Self.plainLanes : 1) else { return false }
            state.busy[lane.rawValue] += 1
            return true
        }
        // Of its own, not the caller's: a caller that is cancelled takes nobody with it.
        if isFree { Task.detached { await self.work(lane) } }
    }

    /// Writes group after group until nobody waits.
    private func work(_ lane: Lane) async {
        while true {
            let group = state.withLock { state -> [Waiting]? in
                let group = state.takeGroup(lane)
                if !group.isEmpty { return group }
                state.busy[lane.rawValue] -= 1
                return nil
            }
            guard let group else { break }
            let results = await writer.write(group.map(\.request))
            for (one, result) in zip(group, results) { one.answer(result.mapError { $0 }) }
        }
        let closing = state.withLock { state in
            guard state.isClosed, state.isIdle else { return [CheckedContinuation<Void, Never>]() }
            defer { state.closing = [] }
            return state.closing
        }
        for continuation in closing { continuation.resume() }
    }

    /// Takes nothing more, and returns when everything taken is answered.
    func close() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                state.isClosed = true
                if state.isIdle { return true }
                state.closing.append(continuation)
                return false
            }
            if isDone { continuation.resume() }
        }
        await writer.database.close()
    }
}

/// Room for so many entries; who needs more than there is waits for it, in order.
private final class Room: Sendable {
    private struct State {
        var free: Int
        var waiting: [(id: UInt64, count: Int, continuation: CheckedContinuation<Void, any Error>)] = []
        var lastID: UInt64 = 0
    }

    private let total: Int
    private let state: Mutex<State>

    init(_ total: Int) {
        self.total = total
        state = Mutex(State(free: total))
    }

    func take(_ count: Int) async throws {
        let count = min(count, total)
        let id: UInt64? = state.withLock { state in
            if state.waiting.isEmpty, state.free >= count {
                state.free -= count
                return nil
            }
            state.lastID += 1
            return state.lastID
        }
        guard let id else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isCancelled = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.waiting.append((id, count, continuation))
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) } else { hand(0) }
            }
        } onCancel: {
            let one = state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
            }
            one?.continuation.resume(throwing: CancellationError())
            hand(0)
        }
    }

    func giveBack(_ count: Int) { hand(min(count, total)) }

    private func hand(_ count: Int) {
        let ready = state.withLock { state in
            state.free += count
            var ready: [CheckedContinuation<Void, any Error>] = []
            while let first = state.waiting.first, first.count <= state.free {
                state.free -= first.count
                ready.append(first.continuation)
                state.waiting.removeFirst()
            }
            return ready
        }
        for continuation in ready { continuation.resume() }
    }
}
