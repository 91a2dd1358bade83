/// The schema in MariaDB's dialect, as the files of this folder hold it.
///
/// A file of statements ends each with `;` at the end of a line. Migrations are numbered, run in order, and never
/// edited once released: the book keeps their checksums.
public enum LedgerSchema {
    public struct File: Sendable {
        public let name: String
        public let bytes: [UInt8]
        public var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Migrations in their order; the number is the place in this list, from 1.
    public static let migrations: [File] = [
        File(name: "m0001_accounts", bytes: PackageResources.m0001_accounts_sql),
        File(name: "m0002_journal", bytes: PackageResources.m0002_journal_sql),
        File(name: "m0003_jobs", bytes: PackageResources.m0003_jobs_sql),
        File(name: "m0004_controls", bytes: PackageResources.m0004_controls_sql),
        File(name: "m0005_job_control", bytes: PackageResources.m0005_job_control_sql),
        File(name: "m0006_fees", bytes: PackageResources.m0006_fees_sql),
        File(name: "m0007_streams", bytes: PackageResources.m0007_streams_sql),
    ]

    /// The tables that record the migrations themselves.
    public static let migrationRecord = File(name: "migrations", bytes: PackageResources.migrations_sql)

    /// Roles and grants of a book; `{book}` and `{book_pattern}` are to be filled in.
    public static let roles = File(name: "roles", bytes: PackageResources.roles_sql)

    /// Tables of a generation of a projection, by job; `{generation}` is to be filled in.
    public static let generations: [String: File] = [
        "balance": File(name: "generation_balance", bytes: PackageResources.generation_balance_sql),
        "account_line": File(name: "generation_account_line", bytes: PackageResources.generation_account_line_sql),
        "fee": File(name: "generation_fee", bytes: PackageResources.generation_fee_sql),
    ]

    /// Triggers of each table of a generation; `{table}` is to be filled in.
    public static let generationGuards = File(name: "generation_guards", bytes: PackageResources.generation_guards_sql)
}
