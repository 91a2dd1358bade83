import LedgerDatabase
import LedgerModel

/// Blocks of positions, and between which times their entries count: whoever asks for balances by time passes over the blocks that
/// lie wholly before it or behind it.
struct BalanceSpans: Sendable {
    /// Positions of a block, in every book; it ends at multiples of this. Who reads the blocks does not depend on it.
    static let length: UInt64 = 16_384

    private let length: UInt64

    init(length: UInt64 = BalanceSpans.length) { self.length = length }

    /// What a step has of one block; its end may be still to come.
    private struct Block {
        let through: UInt64
        var effectiveMin = Int64.max
        var effectiveMax = Int64.min
        var recordedMax = Int64.min

        mutating func take(_ effective: (min: Int64, max: Int64), _ recorded: Int64) {
            effectiveMin = min(effectiveMin, effective.min)
            effectiveMax = max(effectiveMax, effective.max)
            recordedMax = max(recordedMax, recorded)
        }
    }

    private var blocks: [Block] = []

    mutating func take(_ entries: JournalBatch) {
        for index in entries.indices {
            let through = (entries.position(index).number + length - 1) / length * length
            if blocks.last?.through != through { blocks.append(Block(through: through)) }
            let effective = entries.effective[index]
            blocks[blocks.count - 1].take((effective, effective), entries.recorded[index])
        }
    }

    /// Inserts a row for each block that has ended.
    func write(_ writer: borrowing StepWriter) throws {
        var recordedMax: Int64?
        var rows: [[LedgerValue]] = []
        for var block in blocks where block.through <= writer.through.number {
            let start = block.through - length
            if writer.from.number > start { try Self.addEarlier(to: &block, after: start, writer) }
            if recordedMax == nil { recordedMax = try Self.recordedMax(through: start, writer) }
            recordedMax = max(recordedMax!, block.recordedMax)
            rows.append([
                .uint(block.through), .text(Self.text(block.effectiveMin)), .text(Self.text(block.effectiveMax)),
                .text(Self.text(recordedMax!)),
            ])
        }
        try writer.insert(into: "balance_span", ["through", "effective_min", "effective_max", "recorded_max"], rows: rows)
    }

    /// The part of a block that the steps before have counted.
    private static func addEarlier(to block: inout Block, after start: UInt64, _ writer: borrowing StepWriter) throws {
        let row = try writer.select(
            """
            MIN(effective_at), MAX(effective_at), MAX(recorded_at) FROM entry
            WHERE position > \(start) AND position <= \(writer.from.number)
            """)[0]
        guard !row.isNull(0) else { return }
        block.take((try time(row, 0), try time(row, 1)), try time(row, 2))
    }

    private static func recordedMax(through start: UInt64, _ writer: borrowing StepWriter) throws -> Int64 {
        let rows = try writer.select("recorded_max FROM \(table: writer.table("balance_span")) WHERE through = \(start)")
        return try rows.first.map { try time($0, 0) } ?? .min
    }

    private static func time(_ row: Row, _ column: Int) throws -> Int64 {
        guard let time = Timestamp(sqlText: try row.text(column)) else { throw LedgerError(.integrity, "an entry has a time that is none") }
        return time.microseconds
    }

    private static func text(_ microseconds: Int64) -> String { Timestamp(microseconds: microseconds).sqlText }
}
