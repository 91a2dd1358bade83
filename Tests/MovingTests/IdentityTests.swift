import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// One object that two parts of a program have loaded.
@Suite struct IdentityTests {
    @Test(.timeLimit(.minutes(2))) func `old: loaded twice and saved twice, the second takes the first's change back`() async throws {
        try await withOldServer { _, old in
            let members = OldMembers(connection: old[0])
            try await members.insert(OldMember(id: 1, name: "Bob", email: "bob@example.org", stories: 0))
            // One transaction of one program; each part of it asks for what it needs.
            try await old[0].execute(unprepared: "START TRANSACTION")
            var (renamed, moved) = (try await members.load(1), try await members.load(1))
            renamed.name = "Robert"
            moved.email = "bob@example.net"
            try await members.save(renamed)
            try await members.save(moved)
            try await old[0].execute(unprepared: "COMMIT")
            #expect(try await members.load(1) == OldMember(id: 1, name: "Bob", email: "bob@example.net", stories: 0))
        }
    }

    private static func join(_ units: Units) async throws {
        try await units.run { unit in
            try await unit.load(Profile.self, "1").swap { ($0.name, $0.email) = ("Bob", "bob@example.org") }
        }
    }

    @Test(.timeLimit(.minutes(2))) func `new: a unit has one reference for each thing, so both changes are there`() async throws {
        try await withBook { book in
            let units = Units(book.ledger)
            try await Self.join(units)
            try await units.run { unit in
                let (renamed, moved) = (try await unit.load(Profile.self, "1"), try await unit.load(Profile.self, "1"))
                #expect(renamed === moved)
                let before = renamed.state
                try renamed.swap { $0.name = "Robert" }
                try moved.swap { $0.email = "bob@example.net" }
                // What was read stays as it was.
                #expect(before.name == "Bob" && renamed.state.email == "bob@example.net")
            }
            let profile = try await units.begin().load(Profile.self, "1").state
            #expect(profile.name == "Robert" && profile.email == "bob@example.net")
            #expect(try await book.entries("profile.saved") == 3)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `new: of two units the second is told, and takes the first's change along`() async throws {
        try await withBook { book in
            let units = Units(book.ledger)
            try await Self.join(units)
            let (one, other) = (units.begin(), units.begin())
            let (renamed, moved) = (try await one.load(Profile.self, "1"), try await other.load(Profile.self, "1"))
            #expect(renamed !== moved)
            try renamed.swap { $0.name = "Robert" }
            try moved.swap { $0.email = "bob@example.net" }
            try await one.commit()
            await #expect { try await other.commit() } throws: { ($0 as? LedgerError)?.code == .revisionConflict }
            // With `run` it would have been repeated by itself.
            try await units.run { try await $0.load(Profile.self, "1").swap { $0.email = "bob@example.net" } }
            let profile = try await units.begin().load(Profile.self, "1").state
            #expect(profile.name == "Robert" && profile.email == "bob@example.net")
        }
    }
}
