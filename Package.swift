// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// Every target is compiled with these.
var strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461
    .strictMemorySafety(),  // SE-0458: every C call says `unsafe`
]

// Warnings are errors in CI (`scripts/test` sets this), not for users: the next compiler must not break them.
if ProcessInfo.processInfo.environment["INDELIBLE_WARNINGS_AS_ERRORS"] != nil {
    strict.append(.treatAllWarnings(as: .error))  // SE-0480
}

let package = Package(
    name: "indelible",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Indelible", targets: ["Indelible"]),
        .library(name: "Charges", targets: ["Charges"]),
        .library(name: "IndelibleService", targets: ["IndelibleService"]),
        .library(name: "IndelibleCommands", targets: ["IndelibleCommands"]),
        .library(name: "IndelibleTesting", targets: ["IndelibleTesting"]),
        .library(name: "LedgerModel", targets: ["LedgerModel"]),
        .library(name: "MariaDBDriver", targets: ["MariaDBDriver"]),
        .library(name: "LocalMariaDB", targets: ["LocalMariaDB"]),
        .executable(name: "indelible", targets: ["IndelibleCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.0.0"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    ],
    targets: [
        // The C client of MariaDB; beside MariaDBDriver only tests and bounds that share nothing with it import it.
        .systemLibrary(
            name: "CMariaDB",
            pkgConfig: "libmariadb",
            providers: [.apt(["libmariadb-dev"]), .brew(["mariadb-connector-c"])]
        ),
        // A general client for MariaDB. It knows no ledger.
        .target(
            name: "MariaDBDriver",
            dependencies: [
                "CMariaDB", .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: strict
        ),
        // The pure domain: amounts, accounts, entries. It knows no database.
        .target(
            name: "LedgerModel",
            dependencies: [.product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        // A domain on top of it, as an example and to be used: card charges and payouts. It knows no database either.
        .target(name: "Charges", dependencies: ["LedgerModel"], swiftSettings: strict),
        // sql/: the schema, embedded file by file.
        .target(
            name: "LedgerSchema",
            path: "sql",
            resources: [
                .embedInCode("m0001_accounts.sql"), .embedInCode("m0002_journal.sql"),
                .embedInCode("m0003_jobs.sql"), .embedInCode("m0004_controls.sql"),
                .embedInCode("m0005_job_control.sql"), .embedInCode("m0006_fees.sql"),
                .embedInCode("m0007_streams.sql"),
                .embedInCode("migrations.sql"), .embedInCode("roles.sql"),
                .embedInCode("generation_balance.sql"), .embedInCode("generation_account_line.sql"),
                .embedInCode("generation_fee.sql"), .embedInCode("generation_guards.sql"),
            ],
            swiftSettings: strict
        ),
        // What a ledger may say to a database: InsertOnlySQL; and what only the owner may: migrate.
        .target(
            name: "LedgerDatabase",
            dependencies: [
                "LedgerSchema", "MariaDBDriver", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        // Journal, jobs, projections and audit, in InsertOnlySQL.
        .target(
            name: "LedgerStore",
            dependencies: [
                "LedgerModel", "LedgerDatabase", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"), .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: strict
        ),
        // The one import for users.
        .target(
            name: "Indelible",
            dependencies: ["LedgerModel", "LedgerDatabase", "LedgerStore"],
            swiftSettings: strict
        ),
        // A ledger and its jobs as services of a program, or of a process manager.
        .target(
            name: "IndelibleService",
            dependencies: [
                "Indelible", .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // A private server in a folder. It imports nothing.
        .target(name: "LocalMariaDB", swiftSettings: strict),
        // For tests of yours: a book for each, scenarios, a clock, and what the server saw.
        .target(
            name: "IndelibleTesting",
            dependencies: ["Indelible", "LocalMariaDB", "MariaDBDriver"],
            swiftSettings: strict
        ),
        .target(
            name: "IndelibleCommands",
            dependencies: [
                "Indelible", "IndelibleBench", "IndelibleService", "LocalMariaDB",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: strict
        ),
        // `indelible bench`: figures beside bounds, and the bounds: the C client with nothing around it.
        .target(name: "BareClient", dependencies: ["CMariaDB"]),
        .target(
            name: "IndelibleBench", dependencies: ["Indelible", "LedgerModel", "LocalMariaDB", "MariaDBDriver", "BareClient"],
            swiftSettings: strict
        ),
        // Two targets may not differ only in case (macOS), so the target of `indelible` has another name.
        .executableTarget(
            name: "IndelibleCLI",
            dependencies: ["IndelibleCommands", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict
        ),

        // A program that only starts a server; tests run it to kill it, or to be another user.
        .executableTarget(
            name: "LocalMariaDBStarter", dependencies: ["LocalMariaDB"], path: "Tests/LocalMariaDBStarter",
            swiftSettings: strict),
        // Stands between a program and a server and loses answers.
        .target(name: "LossyProxy", path: "Tests/LossyProxy", swiftSettings: strict),
        // A program that writes to a book; tests run several at once, and kill some.
        .executableTarget(
            name: "LedgerWriter",
            dependencies: [
                "Indelible", .product(name: "Logging", package: "swift-log"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"), .product(name: "Tracing", package: "swift-distributed-tracing"),
            ], path: "Tests/LedgerWriter", swiftSettings: strict),
        // A program that runs random units of work on a book; tests start several at once, and kill some.
        .executableTarget(name: "UnitRunner", dependencies: ["Indelible"], path: "Tests/UnitRunner", swiftSettings: strict),
        // Two services that know each other by events only; tests start both, and kill both.
        .executableTarget(name: "Neighbours", dependencies: ["Indelible"], path: "Tests/Neighbours", swiftSettings: strict),
        // A projection of somebody's own, and a command line that knows it: those of docs/projections.md.
        .target(name: "OwnProjection", dependencies: ["Indelible"], path: "Tests/OwnProjection", swiftSettings: strict),
        .executableTarget(
            name: "OwnTool", dependencies: ["IndelibleCommands", "OwnProjection"], path: "Tests/OwnTool", swiftSettings: strict),
        // `scripts/soak`: writers and workers that are killed, and what came of it.
        .target(
            name: "Soaking", dependencies: ["Indelible", "IndelibleTesting", "LocalMariaDB", "LossyProxy", "MariaDBDriver"], path: "Tests/Soaking",
            swiftSettings: strict),
        // A primary with a book, and a replica of it.
        .target(
            name: "Replication", dependencies: ["Indelible", "IndelibleTesting", "LocalMariaDB", "MariaDBDriver"], path: "Tests/Replication",
            swiftSettings: strict),
        .executableTarget(
            name: "Soak",
            dependencies: ["Indelible", "IndelibleTesting", "LocalMariaDB", "Soaking", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/Soak", swiftSettings: strict),
        .testTarget(
            name: "LocalMariaDBTests", dependencies: ["LocalMariaDB", "LocalMariaDBStarter"], swiftSettings: strict),
        .testTarget(
            name: "IndelibleServiceTests",
            dependencies: [
                "Indelible", "IndelibleService", "IndelibleTesting", .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"), .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .testTarget(name: "LedgerModelTests", dependencies: ["LedgerModel"], swiftSettings: strict),
        // The program of docs/tutorial/charges.md.
        .executableTarget(
            name: "ChargesTutorial", dependencies: ["Charges", "Indelible", "LocalMariaDB"], path: "Tests/ChargesTutorial", swiftSettings: strict),
        // The process and the program of docs/tutorial/orders.md.
        .executableTarget(name: "OrdersTutorial", dependencies: ["Indelible", "LocalMariaDB"], path: "Tests/OrdersTutorial", swiftSettings: strict),
        .testTarget(
            name: "ChargesTests", dependencies: ["Charges", "ChargesTutorial", "Indelible", "IndelibleTesting", "LocalMariaDB"], swiftSettings: strict),
        .testTarget(
            name: "IndelibleTestingTests", dependencies: ["Indelible", "IndelibleTesting", "LocalMariaDB", "MariaDBDriver"], swiftSettings: strict),
        .testTarget(
            name: "MariaDBDriverTests",
            dependencies: [
                "MariaDBDriver", "IndelibleTesting", "LocalMariaDB", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "LedgerStoreTests", dependencies: ["Indelible", "LocalMariaDB", "IndelibleTesting", "MariaDBDriver", "CMariaDB", "IndelibleCLI", "LedgerWriter", "LossyProxy", "Neighbours", "OrdersTutorial", "OwnProjection", "OwnTool", "Replication", "Soak", "Soaking", "UnitRunner"],
            swiftSettings: strict),
        // From mutable tables to a ledger, and what goes wrong in code that saves whole objects: the code of docs/moving.md.
        .testTarget(
            name: "MovingTests", dependencies: ["Indelible", "IndelibleTesting", "LedgerModel", "LocalMariaDB", "MariaDBDriver"], swiftSettings: strict),
        .testTarget(
            name: "IndelibleCommandsTests", dependencies: ["IndelibleCLI", "Indelible", "IndelibleTesting", "LocalMariaDB", "Replication"], swiftSettings: strict),
        .testTarget(name: "RepositoryTests", dependencies: ["IndelibleCLI", "IndelibleTesting"], swiftSettings: strict),
    ]
)
