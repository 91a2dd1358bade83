import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// What an older version of a program has written is read by the newer one, and stays as it is.
@Suite struct EventVersionTests {
    @Test func `the fixture is what the first version writes`() async throws {
        try await withBook { book in
            try await Self.writeFirst(Units(book.ledger))
            #expect(try await ParcelRows.read(book).map(ParcelRows.masked) == ParcelRows.rows.map(ParcelRows.masked))
        }
    }

    private static func writeFirst(_ units: Units) async throws {
        try await units.run { unit in
            let parcel = try await unit.load(First.Parcel.self, "7")
            try parcel.apply(First.Registered(to: "Zoë", kilograms: 2))
            try parcel.apply(First.Moved(place: "Graz"))
        }
        try await units.run(correlation: "order-9") { unit in
            try await unit.load(First.Parcel.self, "7").apply(First.Labelled(printer: "P1"))
            try await unit.load(First.Sender.self, "bob").swap { $0.mail = "bob@example.org" }
        }
        try await units.run { try await $0.load(First.Parcel.self, "7").apply(First.Moved(place: "Wien")) }
    }

    @Test func `the second version reads what the first has written`() async throws {
        try await withBook { book in
            try await ParcelRows.write(book)
            let unit = Units(book.ledger).begin()
            let shipment = try await unit.load(Second.Shipment.self, "7")
            var expected = Second.Shipment(id: "7")
            (expected.recipient, expected.grams, expected.hubs, expected.labels) = ("Zoë", 2000, ["Graz", "Wien"], 1)
            #expect(shipment.state == expected && shipment.revision == 4)
            let customer = try await unit.load(Second.Customer.self, "bob")
            #expect(customer.state.address == "bob@example.org" && customer.state.isVerified == false && customer.revision == 1)
        }
    }

    @Test func `what the second version appends is of version 2, and what stood stays as it was`() async throws {
        try await withBook { book in
            try await ParcelRows.write(book)
            let before = try await ParcelRows.whole(book)
            let units = Units(book.ledger)
            try await units.run { unit in
                try await unit.load(Second.Shipment.self, "7").apply(Second.Arrived(hub: "Linz", lane: 3))
                try await unit.load(Second.Customer.self, "bob").swap { $0.isVerified = true }
            }
            let after = try await ParcelRows.whole(book)
            #expect(Array(after.prefix(before.count)) == before && after.count == before.count + 2)
            let new = try await ParcelRows.read(book).suffix(2).map(ParcelRows.masked)
            #expect(
                new == [
                    #"parcel:7|5|parcel.moved|{"hub":"Linz","lane":3,"ledger":{"revision":5,"stream":"parcel:7","unit":"…","version":2}}"#,
                    #"sender:bob|2|sender.saved|{"address":"bob@example.org","id":"bob","isVerified":true,"ledger":{"revision":2,"stream":"sender:bob","unit":"…","version":2}}"#,
                ])
            // A program that remembers nothing folds both versions.
            let fresh = Ledger(book.location)
            let unit = Units(fresh).begin()
            #expect(try await unit.load(Second.Shipment.self, "7").state.hubs == ["Graz", "Wien", "Linz/3"])
            #expect(try await unit.load(Second.Customer.self, "bob").state.isVerified)
            // The third reads both.
            #expect(try await Units(fresh).begin().load(Third.Shipment.self, "7").state.hubs == ["Graz/0", "Wien/0", "Linz/3"])
            await fresh.close()
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `the first version refuses what the second has written, and can still append`() async throws {
        try await withBook { book in
            try await ParcelRows.write(book)
            let units = Units(book.ledger)
            try await units.run { try await $0.load(Second.Shipment.self, "7").apply(Second.Arrived(hub: "Linz")) }
            let old = Ledger(book.location)
            let error = await #expect(throws: LedgerError.self) { try await Units(old).begin().load(First.Parcel.self, "7") }
            #expect(error?.code == .invalidEvent)
            for word in ["position \(ParcelRows.rows.count + 1)", "parcel.moved", "version 2"] { #expect(error?.message.contains(word) == true, "\(word)") }
            // What needs no state is recorded as the version that wrote it.
            let unit = Units(old).begin()
            try unit.append(First.Moved(place: "Graz"), to: "7", expecting: .exact(5))
            try await unit.commit()
            #expect(try await ParcelRows.read(book).last?.contains(#""version":1"#) == true)
            await old.close()
        }
    }

    struct Unreadable: Sendable, CustomTestStringConvertible {
        let kind: String
        let members: String
        let version: Int
        let testDescription: String
    }

    @Test(arguments: [
        Unreadable(kind: "parcel.exploded", members: "", version: 1, testDescription: "an unknown kind"),
        Unreadable(kind: "parcel.moved", members: #""hub":"Linz","#, version: 3, testDescription: "a newer version"),
        Unreadable(kind: "parcel.moved", members: #""hub":7,"#, version: 2, testDescription: "a field of another type"),
        Unreadable(kind: "parcel.registered", members: #""recipient":"Zoë","#, version: 2, testDescription: "a field that is missing"),
        Unreadable(kind: "parcel.registered", members: #""to":"Zoë","kilograms":"2","#, version: 1, testDescription: "an old payload that upcast refuses"),
        Unreadable(kind: "parcel.moved", members: #""where":"Linz","#, version: 1, testDescription: "an old payload of which upcast makes nothing"),
    ])
    func `what cannot be read is named by position, kind and version`(row: Unreadable) async throws {
        try await withBook { book in
            try await ParcelRows.write(book)
            let position = ParcelRows.rows.count + 1
            let payload = #"{\#(row.members)"ledger":{"revision":5,"stream":"parcel:7","version":\#(row.version)}}"#
            try await ParcelRows.insert(book, position, "parcel:7|5|\(row.kind)|\(payload)")
            let error = await #expect(throws: LedgerError.self) { try await Units(book.ledger).begin().load(Second.Shipment.self, "7") }
            #expect(error?.code == .invalidEvent)
            for word in ["position \(position)", row.kind, "version \(row.version)"] {
                #expect(error?.message.contains(word) == true, "\(word) is missing in: \(error?.message ?? "")")
            }
        }
    }

    @Test func `a version that was counted up without an upcast names what it cannot read`() async throws {
        try await withBook { book in
            try await ParcelRows.write(book)
            let unit = Units(book.ledger).begin()
            for (position, kind) in [(1, "parcel.registered"), (4, "sender.saved")] {
                let error = await #expect(throws: LedgerError.self) {
                    if position == 1 { _ = try await unit.load(Forgetful.Shipment.self, "7") } else { _ = try await unit.load(Forgetful.Customer.self, "bob") }
                }
                #expect(error?.code == .invalidEvent)
                for word in ["position \(position)", kind, "version 1", "upcast"] { #expect(error?.message.contains(word) == true, "\(word)") }
            }
        }
    }
}
