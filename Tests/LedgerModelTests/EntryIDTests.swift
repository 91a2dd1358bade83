import Foundation
import LedgerModel
import Testing

@Suite struct EntryIDTests {
    @Test func `a key's id is the first 16 bytes of its SHA-256`() {
        // FIPS 180-2, and coreutils' sha256sum.
        let rows = [
            ("", "e3b0c44298fc1c149afbf4c8996fb924"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223"),
            ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039"),
            ("é", "4a99557e4033c3539de2eb65472017ca"),
        ]
        for (key, hex) in rows { #expect(EntryID(key: key).description == hex) }
        #expect(!EntryID(key: "abc").isMinted)
        // A key is bytes: another spelling is another key.
        #expect(EntryID(key: "e\u{301}") != EntryID(key: "\u{E9}"))
    }

    @Test func `an id is read back from its digits`() throws {
        var random = Seeded(1)
        for _ in 0..<500 {
            let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
            let id = try EntryID(bytes: bytes)
            let hex = id.description
            #expect(hex.count == 32)
            #expect(EntryID(hex: hex) == id)
            #expect(EntryID(hex: hex.uppercased()) == id)
            let uuid = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)].map {
                hex.dropFirst($0.0).prefix($0.1 - $0.0)
            }
            #expect(EntryID(hex: uuid.joined(separator: "-")) == id)
            #expect(EntryID(hex: hex)?.bytes == bytes)
        }
    }

    @Test func `what is not 32 digits is no id`() {
        let digits = "0123456789abcdef0123456789abcdef"
        #expect(EntryID(hex: digits) != nil)
        for text in [
            "", "abc", String(digits.dropLast()), digits + "0", " " + digits, "g" + digits.dropFirst(), "+1" + digits.dropFirst(2),
            digits.replacing("01", with: "0 "), digits.replacing("0", with: "０"), "0x" + digits.dropFirst(2),
        ] {
            #expect(EntryID(hex: text) == nil, "\(text)")
        }
    }

    @Test func `an id has 16 bytes`() {
        for count in [0, 1, 15, 17, 32] {
            let error = #expect(throws: LedgerError.self) { try EntryID(bytes: [UInt8](repeating: 7, count: count)) }
            #expect(error?.code == .invalidEntry)
        }
    }

    @Test func `derived ids know where one part ends`() {
        let ids = [
            EntryID.derived("reversal", "a", "bc"), .derived("reversal", "ab", "c"), .derived("reversal", "abc"),
            .derived("reversal", "", "abc"), .derived("reversal", "abc", ""), .derived("reversal"), .derived("reversal", ""),
            .derived("reversal", "1:a"), .derived("reversal", "a/2:bc"), .derived("opening", "a", "bc"), .derived("reversal/a", "bc"),
            EntryID(key: "reversal"), EntryID(key: "abc"),
        ]
        #expect(Set(ids).count == ids.count)
        #expect(EntryID.derived("reversal", "a", "bc") == .derived("reversal", "a", "bc"))
        // Written down: ids in books must stay what they are.
        #expect(EntryID.derived("reversal", "a", "é") == EntryID(key: "indelible/reversal/1:a/2:é"))
    }

    @Test func `a minted id is a UUID of version 7 with the time in front`() throws {
        let before = UInt64(Date().timeIntervalSince1970 * 1000)
        let ids = (0..<1000).map { _ in EntryID.minted() }
        let after = UInt64(Date().timeIntervalSince1970 * 1000)
        #expect(Set(ids).count == ids.count)
        for id in ids {
            #expect(id.isMinted)
            #expect(id.bytes.count == 16)
            #expect(id.bytes[6] >> 4 == 7)
            #expect(id.bytes[8] >> 6 == 0b10)
            let milliseconds = id.bytes.prefix(6).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            #expect((before...after).contains(milliseconds))
        }
        // The random bits are random: each of the last bytes takes many values.
        for byte in 9..<16 { #expect(Set(ids.map { $0.bytes[byte] }).count > 200) }
    }

    @Test func `where an id came from is not part of it`() throws {
        let minted = EntryID.minted()
        let same = try EntryID(bytes: minted.bytes)
        #expect(minted == same)
        #expect(minted.hashValue == same.hashValue)
        #expect(!same.isMinted)
    }
}
