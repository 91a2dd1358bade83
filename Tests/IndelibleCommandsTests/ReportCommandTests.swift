import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

/// Balances as of a time, and reports, for programs: JSON, CSV and exit codes.
@Suite struct ReportCommandTests {
    @Test func `reports for programs have amounts as strings, and what is wrong is told with a code`() async throws {
        let environment = ["INDELIBLE_FOLDER": try await TestServer.shared().folder, "INDELIBLE_BOOK": bookName()]
        func ran(_ line: String) async throws -> Finished { try await indelible(line.split(separator: " ").map(String.init), environment: environment) }
        for line in [
            "init", "account open bank EUR --type asset", "account open c:a EUR --type liability", "account open c:b EUR --type asset",
            "account open kasse JPY --type asset", "account open c:a JPY --type equity",
            "post --debit bank --credit c:a --amount 12.50 --currency EUR --effective-at 2026-03-31T12:00:00Z",
            "post --debit c:b --credit bank --amount 2.00 --currency EUR --effective-at 2026-04-01T12:00:00Z",
            "post --debit kasse --credit c:a --amount 700 --currency JPY --effective-at 2026-04-01T12:00:00Z",
        ] {
            let done = try await ran(line)
            try #require(done.status == 0, "\(line): \(done.all)")
        }
        let tree = try await ran("balance c:* --format csv")
        #expect(
            tree.output == """
                account,balance,available,currency,type,through
                c:a,12.50,12.50,EUR,liability,10
                c:a,700,700,JPY,equity,10
                c:b,2.00,2.00,EUR,asset,10
                c:*,2.00,2.00,EUR,asset,10
                c:*,12.50,12.50,EUR,liability,10
                c:*,700,700,JPY,equity,10

                """, "\(tree.all)")
        let trial = try await ran("report trial-balance --as-of 2026-03-31 --format json")
        #expect(
            trial.output == """
                [{"account":"bank","credit":"","currency":"EUR","debit":"12.50","type":"asset"},\
                {"account":"c:a","credit":"12.50","currency":"EUR","debit":"","type":"liability"},\
                {"account":"*","credit":"12.50","currency":"EUR","debit":"12.50","type":""}]

                """, "\(trial.all)")
        let sheet = try await ran("report balance-sheet --as-of 2026-04-01 --format csv")
        #expect(sheet.output.contains("difference,*,0.00,EUR\n") && sheet.output.contains("difference,*,0,JPY\n"), "\(sheet.all)")
        #expect(try await ran("report income-statement --from 2026-03-31 --format json").output == "[]\n")
        for (line, status, message) in [
            ("balance --at 3 --as-of 2026-03-31", Int32(64), "exclude each other"),
            ("balance --history bank", 64, "--currency"),
            ("balance --history bank --currency EUR --at 3", 64, "--after"),
            ("balance --at later", 64, "a position, not"),
            ("balance --as-of 2026-02-30", 65, "2026-02-30"),
            ("balance --as-of 2026-03-31T12:00", 65, "RFC 3339"),
            ("balance --recorded 2999-01-01", 65, "still to come"),
            ("balance --at 99", 65, "not decided yet"),
            ("balance nobody:*", 65, "there is no account nobody:*"),
            ("balance c*", 65, "no account path"),
            ("report income-statement --from 2026-04-01 --to 2026-03-31", 65, "before the first"),
            ("report balance-sheet --as-of yesterday", 65, "is no day"),
            ("report income-statement", 64, "--from"),
        ] {
            expectFailure(try await ran(line), status, message, line)
        }
    }
}
