import Testing

@testable import MariaDBDriver

/// The pool's decisions, without a server and with a clock of the test's own.
@Suite struct PoolStateTests {
    private let start = ContinuousClock.now

    private func state(max: Int, waiters: Int = 10) -> PoolState<String> {
        PoolState(
            .init(
                connectionsMax: max, waitersMax: waiters, idleMax: .seconds(100), ageMax: .seconds(1000), pingAfter: .seconds(10)))
    }

    private func after(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func `connections are opened up to the limit, then callers wait in order`() {
        var state = state(max: 2, waiters: 2)
        let found1 = state.acquire(now: start)
        #expect("\(found1)" == "open")
        let found2 = state.acquire(now: start)
        #expect("\(found2)" == "open")
        let found3 = state.acquire(now: start)
        #expect("\(found3)" == "wait(1)")
        let found4 = state.acquire(now: start)
        #expect("\(found4)" == "wait(2)")
        let found5 = state.acquire(now: start)
        #expect("\(found5)" == "refuse(MariaDBDriver.PoolState<Swift.String>.Refusal.queueFull)")
        let found6 = state.release("a", isUsable: true, openedAt: start, now: start)
        #expect("\(found6)" == "handOver(to: 1)")
        let found7 = state.release("b", isUsable: false, openedAt: start, now: start)
        #expect("\(found7)" == "replace(for: 2)")
        #expect(state.total == 2 && state.lent == 2 && state.waiting.isEmpty)
    }

    @Test func `the one used last is used next, and asked first if it was idle for long`() {
        var state = state(max: 3)
        for _ in 0..<2 { _ = state.acquire(now: start) }
        _ = state.release("a", isUsable: true, openedAt: start, now: start)
        _ = state.release("b", isUsable: true, openedAt: start, now: after(5))
        guard case .use(let first, let needsPing) = state.acquire(now: after(6)) else { return #expect(Bool(false)) }
        #expect(first.connection == "b" && !needsPing)
        guard case .use(let second, let needsPing) = state.acquire(now: after(11)) else { return #expect(Bool(false)) }
        #expect(second.connection == "a" && needsPing)
    }

    @Test func `idle and old connections are taken out`() {
        var state = state(max: 3)
        for _ in 0..<3 { _ = state.acquire(now: start) }
        _ = state.release("idle", isUsable: true, openedAt: after(0), now: after(0))
        _ = state.release("fresh", isUsable: true, openedAt: after(90), now: after(90))
        let found12 = state.expire(now: after(101))
        #expect(found12 == ["idle"])
        let found13 = state.expire(now: after(120))
        #expect(found13.isEmpty)
        // One that comes back too old is not kept.
        let found8 = state.release("old", isUsable: true, openedAt: after(0), now: after(1000))
        #expect("\(found8)" == "close")
        #expect(state.total == 1 && state.lent == 0)
    }

    @Test func `a place that is lost goes to the next waiter`() {
        var state = state(max: 1)
        _ = state.acquire(now: start)
        guard case .wait(let waiter) = state.acquire(now: start) else { return #expect(Bool(false)) }
        let found14 = state.lost()
        #expect(found14 == waiter)
        #expect(state.total == 1)
        let found15 = state.lost()
        #expect(found15 == nil)
        #expect(state.total == 0)
        let found16 = state.stopWaiting(waiter)
        #expect(!found16)
    }

    @Test func `a closed pool lends nothing and takes everything back`() {
        var state = state(max: 2)
        _ = state.acquire(now: start)
        _ = state.acquire(now: start)
        _ = state.acquire(now: start)
        _ = state.release("a", isUsable: true, openedAt: start, now: start)
        let closed = state.close()
        #expect(closed.connections.isEmpty && closed.waiters.isEmpty)
        let found9 = state.acquire(now: start)
        #expect("\(found9)" == "refuse(MariaDBDriver.PoolState<Swift.String>.Refusal.closed)")
        let found10 = state.release("b", isUsable: true, openedAt: start, now: start)
        #expect("\(found10)" == "close")
        let found11 = state.release("a", isUsable: true, openedAt: start, now: start)
        #expect("\(found11)" == "close")
        #expect(state.total == 0)
    }
}
