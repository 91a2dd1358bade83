internal import MariaDBDriver

/// One right on one object: `INSERT (id, kind)` on `` `book`.`entry` ``.
struct Grant: Hashable, CustomStringConvertible {
    let right: String
    /// Sorted; empty for the whole object.
    let columns: [String]
    /// As the server writes it: `*.*`, `` `book`.* `` or `` `book`.`entry` ``.
    let object: String

    var description: String {
        right + (columns.isEmpty ? "" : " (\(columns.joined(separator: ", ")))") + " on " + object.replacing("`", with: "")
    }

    /// True if this grants at least the other.
    func covers(_ other: Grant) -> Bool {
        guard right == other.right || right == "ALL PRIVILEGES" else { return false }
        guard columns.isEmpty || Set(columns).isSuperset(of: other.columns) && !other.columns.isEmpty else { return false }
        return object == other.object || isOnWholeDatabase && other.object.hasPrefix(database + ".") || object == "*.*"
    }

    private var isOnWholeDatabase: Bool { object.hasSuffix(".*") }
    private var database: String { String(object.prefix { $0 != "." }).replacing("\\_", with: "_") }

    /// True if the object is the book, a table of it, or a pattern that its name fits.
    func concerns(book: String) -> Bool {
        if object == "*.*" || database == "`\(book)`" { return true }
        guard isOnWholeDatabase else { return false }
        return Self.fits(book[...], object.dropLast(2).filter { $0 != "`" }[...])
    }

    /// A name against a pattern as grants on databases have it: `%` any text, `_` any character, `\` before either itself.
    static func fits(_ name: Substring, _ pattern: Substring) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        let rest = pattern.dropFirst()
        if first == "%" { return fits(name, rest) || !name.isEmpty && fits(name.dropFirst(), pattern) }
        guard let character = name.first else { return false }
        if first == "\\", let literal = rest.first { return literal == character && fits(name.dropFirst(), rest.dropFirst()) }
        return (first == "_" || first == character) && fits(name.dropFirst(), rest)
    }

    /// True if it lets a role do more to the book than insert what its part is.
    func isDangerous(for role: BookRole, book: String) -> Bool {
        guard concerns(book: book), right != "USAGE", right != "SELECT", right != "SHOW VIEW" else { return false }
        // The tables of projections are the projector's own.
        let isOfProjection = object.contains("`.`") && object.contains("_g") && !isOnWholeDatabase
        return !(right == "INSERT" && role == .projector && isOfProjection)
    }
}

/// Rights as `SHOW GRANTS` prints them and as `sql/roles.sql` writes them.
struct GrantList {
    private(set) var grants: Set<Grant> = []

    /// What a connection may do, its role included.
    init(_ connection: MariaDBConnection) async throws {
        self.init(try await connection.query("SHOW GRANTS").map { try Row(row: $0).text(0) })
    }

    init(_ statements: [String]) {
        for statement in statements {
            // GRANT rights ON object TO somebody; a granted role has no ON.
            guard statement.hasPrefix("GRANT "), let on = statement.firstRange(of: " ON "),
                let to = statement[on.upperBound...].firstRange(of: " TO ")
            else { continue }
            let object = Self.quoted(String(statement[on.upperBound..<to.lowerBound]))
            for (right, columns) in Self.rights(statement[statement.index(statement.startIndex, offsetBy: 6)..<on.lowerBound]) {
                grants.insert(Grant(right: right, columns: columns, object: object))
            }
        }
    }

    func covers(_ right: String, book: String) -> Bool {
        grants.contains { ($0.right == right || $0.right == "ALL PRIVILEGES") && $0.concerns(book: book) }
    }

    /// `SELECT, INSERT (a, b)` as its rights and their columns.
    private static func rights(_ text: Substring) -> [(String, [String])] {
        var rights: [(String, [String])] = []
        var depth = 0
        var part = ""
        for character in text + "," {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            guard character == ",", depth == 0 else {
                part.append(character)
                continue
            }
            let pieces = part.split(separator: "(", maxSplits: 1)
            let columns = pieces.count < 2 ? [] : pieces[1].filter { !"`() ".contains($0) }.split(separator: ",").map(String.init)
            rights.append((pieces[0].uppercased().split(separator: " ").joined(separator: " "), columns.sorted()))
            part = ""
        }
        return rights
    }

    /// `book.entry` as the server quotes it.
    private static func quoted(_ object: String) -> String {
        object.split(separator: ".", maxSplits: 1).map { $0 == "*" || $0.hasPrefix("`") ? String($0) : "`\($0)`" }
            .joined(separator: ".")
    }
}
