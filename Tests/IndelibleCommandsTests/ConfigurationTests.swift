import Foundation
import Testing

/// An option goes before the environment, the environment before `indelible.json`, that before the folder's server.
@Suite struct ConfigurationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let what: String
        var option: String?
        var environment: [String: String] = [:]
        var file: String?
        let status: Int32
        let message: String
        var testDescription: String { what }
    }

    private static let environment = ["INDELIBLE_DATABASE": "mariadb://environment.invalid/book"]
    private static let file = #"{"database":"mariadb://file.invalid/book"}"#

    static let rows: [Row] = [
        .init(what: "nothing", status: 69, message: "there is no book in .indelible"),
        .init(what: "file", file: file, status: 69, message: "'file.invalid'"),
        .init(what: "environment", environment: environment, status: 69, message: "'environment.invalid'"),
        .init(
            what: "environment over file", environment: environment, file: file, status: 69, message: "'environment.invalid'"),
        .init(
            what: "option over both", option: "mariadb://option.invalid/book", environment: environment, file: file,
            status: 69, message: "'option.invalid'"),
        .init(
            what: "folder in the file", file: #"{"folder":"elsewhere"}"#, status: 69, message: "there is no book in elsewhere"),
        .init(
            what: "folder in the environment", environment: ["INDELIBLE_FOLDER": "there"], file: #"{"folder":"elsewhere"}"#,
            status: 69, message: "there is no book in there"),
        .init(
            what: "another file", environment: ["INDELIBLE_CONFIG": "other.json"], file: file, status: 65,
            message: "the configuration file other.json cannot be read"),
        .init(
            what: "a file that is no JSON", file: "{", status: 65, message: "the configuration file indelible.json cannot be read"),
        .init(
            what: "a setting that is no text", file: #"{"database":5}"#, status: 65,
            message: "the setting “database” of the configuration is no text"),
        .init(
            what: "a word that is no setting", file: #"{"databse":"mariadb://file.invalid/book"}"#, status: 65,
            message: "unknown setting “databse”"),
        .init(
            what: "a switch that is none", environment: ["INDELIBLE_SKIP_SSL": "perhaps"], file: file, status: 65,
            message: "“skip_ssl” of the configuration is neither"),
        .init(
            what: "a switch in the file", file: #"{"database":"mariadb://file.invalid/book","skip_ssl":true}"#, status: 69,
            message: "'file.invalid'"),
        .init(
            what: "a password file that is not there", file: #"{"password_file":"none"}"#, status: 65, message: "none cannot be read"),
        .init(
            what: "a password in an address of the file", file: #"{"database":"mariadb://u:geheim@h/book"}"#, status: 65,
            message: "a password does not belong into the address"),
    ]

    @Test(arguments: rows) func `where the book is`(_ row: Row) async throws {
        let folder = try Folder()
        defer { folder.remove() }
        if let file = row.file { try folder.write("indelible.json", file) }
        let finished = try await indelible(
            ["balance"] + (row.option.map { ["--database", $0] } ?? []), environment: row.environment, folder: folder.path)
        expectFailure(finished, row.status, row.message, secret: "geheim", row.what)
    }
}
