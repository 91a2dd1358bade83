import Foundation
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
    /// A second lane begins when so many entries wait: fewer are written sooner as one group, and more often with one COMMIT …
    private static let crowd = 64
    /// … or when the first is at a group of so many.
    private static let longGroup = 512

    /// A caller that posts one entry after the other is back within this time.
    private static let promptness = Duration.microseconds(100)

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

    /// Those that claim stand in a line of their own.
    private enum Line: Int { case plain, claiming }
    private static let linesOfLanes: [Line] = [.plain, .plain, .claiming]

    private struct State {
        var waiting: [[UInt64: Waiting]] = [[:], [:]]
        var order: [[UInt64]] = [[], []]
        var next: [Int] = [0, 0]
        /// Entries that wait in each line.
        var entries = [0, 0]
        /// When a lane last became idle, and whether the next request has come so soon after it that it was worth looking out
        /// for it.
        var idleSince = ContinuousClock.now
        var isPrompt = false
        /// Entries that each lane is writing; 0: it is idle.
        var writing = [Int](repeating: 0, count: GroupCommit.linesOfLanes.count)
        var isClosed = false
        var closing: [CheckedContinuation<Void, Never>] = []
        var lastID: UInt64 = 0

        var isIdle: Bool { writing.allSatisfy { $0 == 0 } }

        mutating func add(_ one: Waiting, _ id: UInt64, _ line: Line) {
            waiting[line.rawValue][id] = one
            order[line.rawValue].append(id)
            entries[line.rawValue] += one.request.count
        }

        mutating func remove(_ id: UInt64, _ line: Line) -> Waiting? {
            guard let one = waiting[line.rawValue].removeValue(forKey: id) else { return nil }
            entries[line.rawValue] -= one.request.count
            return one
        }

        /// A lane for what waits in a line, if it is better not to wait for one that is busy; it is busy from now on.
        mutating func takeLane(_ line: Line) -> Int? {
            let lanes = writing.indices.filter { GroupCommit.linesOfLanes[$0] == line }
            guard let idle = lanes.first(where: { writing[$0] == 0 }) else { return nil }
            let busy = lanes.filter { writing[$0] > 0 }
            let isWorthIt = busy.isEmpty || entries[line.rawValue] >= GroupCommit.crowd
                || busy.allSatisfy { writing[$0] >= GroupCommit.longGroup }
            guard isWorthIt else { return nil }
            if busy.isEmpty { isPrompt = idleSince.duration(to: .now) < GroupCommit.promptness }
            writing[idle] = 1
            return idle
        }

        /// Those that are next, in the order in which they came.
        mutating func takeGroup(_ line: Line) -> [Waiting] {
            let line = line.rawValue
            var group: [Waiting] = []
            var taken = 0
            while next[line] < order[line].count {
                // What was cancelled meanwhile is not there any more.
                guard let one = waiting[line][order[line][next[line]]] else {
                    next[line] += 1
                    continue
                }
                if !group.isEmpty, taken + one.request.count > GroupCommit.groupEntriesMax { break }
                taken += one.request.count
                group.append(one)
                waiting[line][order[line][next[line]]] = nil
                next[line] += 1
            }
            entries[line] -= taken
            if next[line] > 1024 || next[line] == order[line].count {
                order[line].removeFirst(next[line])
                next[line] = 0
            }
            return group
        }
    }

    private let state = Mutex(State())
    private let room = Room(GroupCommit.entriesMax)
    private let lanes: [GroupWriter]

    /// - Parameter lane: makes the writer of a lane.
    init(_ lane: () -> GroupWriter) { lanes = Self.linesOfLanes.map { _ in lane() } }

    /// Writes a request, with whatever else is there.
    /// - Throws: `CancellationError` if the task was cancelled before the request was taken up; once it is, the answer is
    ///   waited for, whatever it is.
    func write(_ request: WriteStep.Request) async throws -> [Receipt] {
        try await room.take(request.count)
        defer { room.giveBack(request.count) }
        let line = request.contains(where: \.claims) ? Line.claiming : .plain
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enter(Waiting(request, continuation), id, line)
            }
        } onCancel: {
            let one = state.withLock { $0.remove(id, line) }
            one?.answer(.failure(CancellationError()))
        }
    }

    private func enter(_ one: Waiting, _ id: UInt64, _ line: Line) {
        let entered: Result<Int?, any Error> = state.withLock { state in
            if state.isClosed { return .failure(LedgerError(.unavailable, "the ledger is closed", retry: .never)) }
            if Task.isCancelled { return .failure(CancellationError()) }
            state.add(one, id, line)
            return .success(state.takeLane(line))
        }
        switch entered {
        case .failure(let refusal): one.answer(.failure(refusal))
        case .success(let lane?):
            // Of its own, not the caller's: a caller that is cancelled takes nobody with it.
            Task.detached(executorPreference: lanes[lane].lane.executor) { await self.work(lane) }
        case .success(nil): break
        }
    }

    /// Writes group after group until nobody waits.
    private func work(_ lane: Int) async {
        while true {
            let group = state.withLock { state -> [Waiting]? in
                let group = state.takeGroup(Self.linesOfLanes[lane])
                state.writing[lane] = group.reduce(0) { $0 + $1.request.count }
                if group.isEmpty { state.idleSince = .now }
                return group.isEmpty ? nil : group
            }
            guard let group else { break }
            let results = await lanes[lane].write(group.map(\.request))
            for (one, result) in zip(group, results) { one.answer(result.mapError { $0 }) }
            letCallersReturn(group.count, Self.linesOfLanes[lane])
        }
        let closing = state.withLock { state in
            guard state.isClosed, state.isIdle else { return [CheckedContinuation<Void, Never>]() }
            defer { state.closing = [] }
            return state.closing
        }
        for continuation in closing { continuation.resume() }
    }

    /// Whoever has just been answered often has more to post. Without a moment for them the first one back would be written
    /// alone, and all others wait for its COMMIT. After a group of few nobody is waited for.
    ///
    /// It blocks the lane's own thread and no other.
    private func letCallersReturn(_ count: Int, _ line: Line) {
        let isCrowd = count >= 8
        guard isCrowd || state.withLock({ $0.isPrompt }) else { return }
        let end = ContinuousClock.now + (isCrowd ? .microseconds(min(1000, 10 * count)) : Self.promptness)
        while ContinuousClock.now < end {
            let (waiting, isClosed) = state.withLock { ($0.waiting[line.rawValue].count, $0.isClosed) }
            if waiting > 0, waiting >= count * 3 / 4 || isClosed { return }
            // To wake a thread takes longer than one caller needs to come back.
            if isCrowd { Thread.sleep(forTimeInterval: 0.00002) }
        }
        if !isCrowd { state.withLock { $0.isPrompt = false } }
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
        for lane in lanes { await lane.lane.close() }
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
