// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// As in the library's own package.
var strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461
    .strictMemorySafety(),  // SE-0458
]
if ProcessInfo.processInfo.environment["INDELIBLE_WARNINGS_AS_ERRORS"] != nil {
    strict.append(.treatAllWarnings(as: .error))  // SE-0480
}

let package = Package(
    name: "ledger-service",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "ledger-service", targets: ["LedgerServiceMain"])],
    dependencies: [
        .package(name: "indelible", path: "../../.."),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.0.0"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    ],
    targets: [
        // The service: routes, errors, events, settings.
        .target(
            name: "LedgerAPI",
            dependencies: [
                .product(name: "Indelible", package: "indelible"),
                .product(name: "IndelibleService", package: "indelible"),
                .product(name: "Charges", package: "indelible"),
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [.embedInCode("openapi.json")],
            swiftSettings: strict
        ),
        // The program: settings, log, and the services until a signal ends them.
        .executableTarget(
            name: "LedgerServiceMain",
            dependencies: [
                "LedgerAPI",
                .product(name: "Indelible", package: "indelible"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: strict),
        .testTarget(
            name: "LedgerAPITests",
            dependencies: [
                "LedgerAPI", "LedgerServiceMain",
                .product(name: "Charges", package: "indelible"),
                .product(name: "Indelible", package: "indelible"),
                .product(name: "IndelibleTesting", package: "indelible"),
                .product(name: "LocalMariaDB", package: "indelible"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
    ]
)
