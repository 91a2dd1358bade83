import MariaDBDriver

/// A charge as one row that is changed: what was agreed, how far it is, and what it costs as soon as somebody has computed that.
struct MutableCharge: Sendable, Equatable {
    let id: Int64
    var merchant: String
    var amount: Int64
    var status: String
    var fee: Int64?
}

/// Loads whole charges and saves whole charges, as an object-relational mapper does that does not know which members were changed: one
/// UPDATE of all columns, each with what was read.
struct ChargeRepository: Sendable {
    struct Unreadable: Error {}
    let connection: MariaDBConnection

    static func createTable(_ connection: MariaDBConnection) async throws {
        try await connection.execute(
            unprepared: """
                CREATE TABLE charge (
                    id       BIGINT      NOT NULL PRIMARY KEY,
                    merchant VARCHAR(64) NOT NULL,
                    amount   BIGINT      NOT NULL,
                    status   VARCHAR(16) NOT NULL,
                    fee      BIGINT      NULL
                ) ENGINE = InnoDB
                """)
    }

    func insert(_ charge: MutableCharge) async throws {
        _ = try await connection.query(
            "INSERT INTO charge VALUES (\(charge.id), \(charge.merchant), \(charge.amount), \(charge.status), \(charge.fee.map(SQLValue.int) ?? .null))")
    }

    func load(_ id: Int64) async throws -> MutableCharge {
        let row = try await connection.query("SELECT merchant, amount, status, fee FROM charge WHERE id = \(id)")[0]
        guard case .text(let merchant) = row[0], case .int(let amount) = row[1], case .text(let status) = row[2] else {
            throw Unreadable()
        }
        if case .int(let fee) = row[3] { return MutableCharge(id: id, merchant: merchant, amount: amount, status: status, fee: fee) }
        return MutableCharge(id: id, merchant: merchant, amount: amount, status: status, fee: nil)
    }

    func save(_ charge: MutableCharge) async throws {
        _ = try await connection.query(
            """
            UPDATE charge SET merchant = \(charge.merchant), amount = \(charge.amount), status = \(charge.status),
            fee = \(charge.fee.map(SQLValue.int) ?? .null) WHERE id = \(charge.id)
            """)
    }
}

/// One flow, step by step, so that a test can put two of them into any order: begin and load, change, save and commit. It is a
/// transaction, from before the load until after the save.
struct ChargeFlow {
    let charges: ChargeRepository
    private(set) var charge: MutableCharge

    init(_ charges: ChargeRepository, _ id: Int64) async throws {
        self.charges = charges
        try await charges.connection.execute(unprepared: "START TRANSACTION")
        charge = try await charges.load(id)
    }

    /// 1.4 % and 25 cents.
    mutating func computeFee() { charge.fee = LostFee.fee(charge.amount) }

    mutating func capture() { charge.status = "captured" }

    func saveAndCommit() async throws {
        try await charges.save(charge)
        try await charges.connection.execute(unprepared: "COMMIT")
    }
}

enum LostFee {
    /// Of amounts in whole euros, so nothing is rounded.
    static func fee(_ amount: Int64) -> Int64 { amount * 140 / 10_000 + 25 }
}
