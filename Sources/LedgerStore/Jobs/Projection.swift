public import LedgerModel

/// A projection of your own: typed entries in, rows of your insert-only tables out.
///
/// ```swift
/// struct CardVolume: Projection {
///     let definition = JobDefinition(
///         name: "card_volume", version: "1",
///         schema: """
///             CREATE TABLE IF NOT EXISTS card_volume_g{generation} (
///                 position BIGINT UNSIGNED NOT NULL PRIMARY KEY,
///                 amount   BIGINT UNSIGNED NOT NULL
///             ) ENGINE = InnoDB;
///             """)
///
///     func project(_ entries: JournalBatch, _ writer: borrowing StepWriter) throws {
///         let charges = entries.filter { $0.kind == "card.charged" }
///         try writer.insert(
///             into: "card_volume", ["position", "amount"],
///             rows: charges.map { [.uint($0.position.number), .uint($0.postings.reduce(0) { $0 + $1.amount })] })
///     }
/// }
/// ```
/// Its rows must follow from the entries and its own rows alone; then any two generations of it are the same. A table that
/// keeps totals has a row of a key for every step that touches it: the position through which it is true belongs into its
/// primary key.
public protocol Projection: Job {
    /// Inserts the rows of these entries, in the transaction that has claimed them. It may be called several times in a step.
    func project(_ entries: JournalBatch, _ writer: borrowing StepWriter) throws
}

extension Projection {
    public func begin(after previous: (any JobStep)?) -> any JobStep { ProjectionStep(projection: self) }
}

private struct ProjectionStep<P: Projection>: JobStep {
    let projection: P
    var batches: [JournalBatch] = []

    mutating func take(_ entries: JournalBatch) { batches.append(entries) }
    func write(_ writer: borrowing StepWriter) throws { for batch in batches { try projection.project(batch, writer) } }
}
