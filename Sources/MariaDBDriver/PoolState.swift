/// Who has which connection and who waits, without any connection: the pool's decisions as a state machine.
struct PoolState<Connection> {
    struct Limits {
        var connectionsMax: Int
        var waitersMax: Int
        var idleMax: Duration
        var ageMax: Duration
        var pingAfter: Duration
    }

    struct Idle {
        var connection: Connection
        var openedAt: ContinuousClock.Instant
        var idleSince: ContinuousClock.Instant
        var isDoubtful = false
    }

    enum Acquire {
        /// Use it; it was idle for so long that it has to be asked whether it lives, if `needsPing`.
        case use(Idle, needsPing: Bool)
        /// Open a new one; its place is taken.
        case open
        case wait(UInt64)
        case refuse(Refusal)
    }
    enum Refusal { case closed, queueFull }
    enum Release {
        case keep
        case close
        /// Hand it to the one that waits longest.
        case handOver(to: UInt64)
        /// Close it, and open a new one for the one that waits longest.
        case replace(for: UInt64)
    }

    let limits: Limits
    private(set) var isClosed = false
    /// The one used last is used next, so that the others can grow old.
    private(set) var idle: [Idle] = []
    private(set) var waiting: [UInt64] = []
    /// Idle ones, those that are lent, and those being opened.
    private(set) var total = 0
    private var lastWaiter: UInt64 = 0

    var lent: Int { total - idle.count }

    init(_ limits: Limits) { self.limits = limits }

    mutating func acquire(now: ContinuousClock.Instant) -> Acquire {
        if isClosed { return .refuse(.closed) }
        if let found = idle.popLast() {
            return .use(found, needsPing: found.isDoubtful || found.idleSince.duration(to: now) >= limits.pingAfter)
        }
        if total < limits.connectionsMax {
            total += 1
            return .open
        }
        if waiting.count >= limits.waitersMax { return .refuse(.queueFull) }
        lastWaiter += 1
        waiting.append(lastWaiter)
        return .wait(lastWaiter)
    }

    /// A connection comes back.
    mutating func release(
        _ connection: Connection, isUsable: Bool, openedAt: ContinuousClock.Instant, now: ContinuousClock.Instant
    ) -> Release {
        // Where one link was lost the others may be too.
        if !isUsable { for index in idle.indices { idle[index].isDoubtful = true } }
        let isGood = isUsable && !isClosed && openedAt.duration(to: now) < limits.ageMax
        if let next = waiting.first {
            waiting.removeFirst()
            return isGood ? .handOver(to: next) : .replace(for: next)
        }
        guard isGood else {
            total -= 1
            return .close
        }
        idle.append(Idle(connection: connection, openedAt: openedAt, idleSince: now))
        return .keep
    }

    /// A connection could not be opened, or one that was handed out is gone. The one that waits longest may try next.
    mutating func lost() -> UInt64? {
        guard let next = waiting.first else {
            total -= 1
            return nil
        }
        waiting.removeFirst()
        return next
    }

    /// True if the waiter was still waiting.
    mutating func stopWaiting(_ waiter: UInt64) -> Bool {
        guard let index = waiting.firstIndex(of: waiter) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// Takes out what has been idle or open for too long.
    mutating func expire(now: ContinuousClock.Instant) -> [Connection] {
        let isOver = { (item: Idle) in
            item.idleSince.duration(to: now) >= limits.idleMax || item.openedAt.duration(to: now) >= limits.ageMax
        }
        let over = idle.filter(isOver)
        idle.removeAll(where: isOver)
        total -= over.count
        return over.map(\.connection)
    }

    /// No more connections are lent. Those that are lent come back by `release`.
    mutating func close() -> (connections: [Connection], waiters: [UInt64]) {
        isClosed = true
        let result = (idle.map(\.connection), waiting)
        total -= idle.count
        idle = []
        waiting = []
        return result
    }
}
