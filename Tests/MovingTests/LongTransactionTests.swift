import Indelible
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

/// A flow that waits for somebody outside before it is done.
@Suite struct LongTransactionTests {
    @Test(.timeLimit(.minutes(2))) func `old: while one transaction waits for a slow service nobody else can write`() async throws {
        try await withOldServer(connections: 2) { server, old in
            let bob = OldMember(id: 1, name: "Bob", email: "bob@example.org", stories: 0)
            try await OldMembers(connection: old[0]).insert(bob)
            let service = SlowService()
            async let flow: Void = {
                let members = OldMembers(connection: old[0])
                try await old[0].execute(unprepared: "START TRANSACTION")
                var member = try await members.load(1)
                member.name = "Robert"
                try await members.save(member)
                await service.call()
                try await old[0].execute(unprepared: "COMMIT")
            }()
            await service.untilCalled()
            #expect(try await server.openTransactions(of: server.adminUser) == 1)
            await #expect { try await OldMembers(connection: old[1]).save(bob) } throws: {
                ($0 as? MariaDBError)?.number == MariaDBError.Number.lockWaitTimeout
            }
            await service.answer()
            try await flow
            #expect(try await server.openTransactions(of: server.adminUser) == 0)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `new: while a unit waits for a slow service no transaction is open, and others write`() async throws {
        try await withBook { book in
            let units = Units(book.ledger)
            try await units.run { try await $0.load(Profile.self, "1").swap { ($0.name, $0.email) = ("Bob", "bob@example.org") } }
            let service = SlowService()
            async let flow: Void = units.run { unit in
                let profile = try await unit.load(Profile.self, "1")
                try profile.swap { $0.name = "Robert" }
                await service.call()
            }
            await service.untilCalled()
            #expect(try await book.openTransactions() == 0)
            try await units.run { try await $0.load(Profile.self, "1").swap { $0.email = "bob@example.net" } }
            await service.answer()
            try await flow
            // It was overtaken, so it ran again, on what was there then.
            #expect(await service.calls == 2)
            let profile = try await units.begin().load(Profile.self, "1").state
            #expect(profile.name == "Robert" && profile.email == "bob@example.net")
        }
    }
}
