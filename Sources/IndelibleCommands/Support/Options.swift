public import ArgumentParser
public import Indelible

enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable { case table, json, csv }

/// Which book a command works on.
struct BookOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The book's database, as mariadb://user@host:port/book. Else INDELIBLE_DATABASE, else `database` of the "
                + "configuration file, else the private server of this folder.", valueName: "url"))
    var database: String?

    @Option(help: ArgumentHelp("The book on the private server (default: book).", valueName: "name"))
    var book: String?

    @Option(
        help: ArgumentHelp(
            "A file with the database password. Else INDELIBLE_PASSWORD_FILE, INDELIBLE_PASSWORD, or `password_file` of the "
                + "configuration file.", valueName: "path"))
    var passwordFile: String?

    @Flag(name: .customLong("skip-ssl"), help: "Do not encrypt a TCP connection. Else it is encrypted, and the server is verified.")
    var skipSSL = false

    @Flag(name: .customLong("disable-ssl-verify-server-cert"), help: "Encrypt, with whoever answers.")
    var disableSSLVerifyServerCert = false

    @Option(name: .customLong("ssl-ca"), help: ArgumentHelp("A file with the authorities whose certificates are trusted (default: the system's).", valueName: "path"))
    var sslCA: String?

    @Option(
        help: ArgumentHelp(
            "writer, or read-only: everything that records something is refused. Else INDELIBLE_MODE, else `mode` of the configuration "
                + "file (default: writer).", valueName: "mode"))
    var mode: String?

    @Option(
        help: ArgumentHelp(
            "A replica that commands which only read ask in place of the database. Else INDELIBLE_READING, else `reading` of the "
                + "configuration file.", valueName: "url"))
    var reading: String?

    @Option(help: ArgumentHelp("The folder of the private server (default: .indelible).", valueName: "path"))
    var folder: String?
}

struct OutputOptions: ParsableArguments {
    @Option(help: "table, json or csv.")
    var format: OutputFormat = .table

    @Flag(name: .shortAndLong, help: "No progress and no notes.")
    var quiet = false
}

extension AccountType: ExpressibleByArgument {}
extension Exporter.Format: ExpressibleByArgument {}
extension Exporter.Dates: ExpressibleByArgument {}
extension AccountLineRange.Order: ExpressibleByArgument {}
