import Testing

@testable import LedgerDatabase

/// What a grant reaches, by the name of its database.
@Suite struct GrantTests {
    @Test(arguments: [
        ("book", "book", true), ("book", "books", false), ("a_b", "a\\_b", true), ("axb", "a\\_b", false), ("axb", "a_b", true),
        ("a_b", "a_b", true), ("book", "%", true), ("book", "b%k", true), ("book", "test\\_%", false), ("test_1", "test\\_%", true),
        ("test1", "test\\_%", false), ("", "%", true), ("book", "", false),
    ]) func `a name fits a pattern as the server reads it`(_ name: String, _ pattern: String, _ fits: Bool) {
        #expect(Grant.fits(name[...], pattern[...]) == fits)
    }

    @Test func `rights elsewhere do not concern a book`() {
        let list = GrantList([
            "GRANT ALL PRIVILEGES ON `test\\_%`.* TO `x`@`localhost`", "GRANT SELECT ON `other`.`entry` TO `x`@`localhost`",
        ])
        #expect(!list.covers("TRIGGER", book: "book"))
        #expect(list.covers("TRIGGER", book: "test_7"))
        #expect(GrantList(["GRANT ALL PRIVILEGES ON *.* TO `x`@`localhost`"]).covers("TRIGGER", book: "book"))
    }
}
