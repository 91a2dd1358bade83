import Indelible

/// A program in three versions, as streams meet it. The first wrote ``ParcelRows``.
enum First {
    struct Parcel: Aggregate {
        static let category: StreamCategory = "parcel"
        static var events: [any DomainEvent<Parcel>.Type] { [Registered.self, Moved.self, Labelled.self] }
        let id: String
        var place = ""
        init(id: String) { self.id = id }
    }

    struct Registered: DomainEvent {
        static let name: EntryKind = "parcel.registered"
        let to: String
        let kilograms: Int
        func fold(into parcel: inout Parcel) {}
    }

    struct Moved: DomainEvent {
        static let name: EntryKind = "parcel.moved"
        let place: String
        func fold(into parcel: inout Parcel) { parcel.place = place }
    }

    struct Labelled: DomainEvent {
        static let name: EntryKind = "parcel.labelled"
        let printer: String
        func fold(into parcel: inout Parcel) {}
    }

    struct Sender: PlainState {
        static let category: StreamCategory = "sender"
        static let name: EntryKind = "sender.saved"
        let id: String
        var mail = ""
        init(id: String) { self.id = id }
    }
}

/// Types and fields have other names, labels are no longer printed.
enum Second {
    struct Shipment: Aggregate, Equatable {
        static let category: StreamCategory = "parcel"
        static var events: [any DomainEvent<Shipment>.Type] { [ShipmentAccepted.self, Arrived.self, LabelOfOld.self] }
        let id: String
        var recipient = ""
        var grams = 0
        var hubs: [String] = []
        var labels = 0
        init(id: String) { self.id = id }
    }

    struct ShipmentAccepted: DomainEvent {
        static let name: EntryKind = "parcel.registered"
        static let version = 2
        let recipient: String
        let grams: Int

        static func upcast(_ payload: inout [String: JSON], from version: Int) throws {
            payload["recipient"] = payload.removeValue(forKey: "to")
            guard case .integer(let kilograms)? = payload.removeValue(forKey: "kilograms") else { throw NoWeight() }
            payload["grams"] = .integer(kilograms * 1000)
        }

        func fold(into shipment: inout Shipment) { (shipment.recipient, shipment.grams) = (recipient, grams) }
    }

    struct NoWeight: Error {}

    struct Arrived: DomainEvent {
        static let name: EntryKind = "parcel.moved"
        static let version = 2
        let hub: String
        var lane: Int?

        static func upcast(_ payload: inout [String: JSON], from version: Int) throws {
            payload["hub"] = payload.removeValue(forKey: "place")
        }

        func fold(into shipment: inout Shipment) { shipment.hubs.append(lane.map { "\(hub)/\($0)" } ?? hub) }
    }

    /// Recorded no longer, and read for ever.
    struct LabelOfOld: DomainEvent {
        static let name: EntryKind = "parcel.labelled"
        func fold(into shipment: inout Shipment) { shipment.labels += 1 }
    }

    struct Customer: PlainState {
        static let category: StreamCategory = "sender"
        static let name: EntryKind = "sender.saved"
        static let version = 2
        let id: String
        var address = ""
        var isVerified = false
        init(id: String) { self.id = id }

        static func upcast(_ payload: inout [String: JSON], from version: Int) throws {
            payload["address"] = payload.removeValue(forKey: "mail")
            payload["isVerified"] = false
        }
    }
}

/// Both older versions are to be read.
enum Third {
    struct Shipment: Aggregate {
        static let category: StreamCategory = "parcel"
        static var events: [any DomainEvent<Shipment>.Type] { [Accepted.self, Arrived.self, LabelOfOld.self] }
        let id: String
        var hubs: [String] = []
        init(id: String) { self.id = id }
    }

    struct Accepted: DomainEvent {
        static let name: EntryKind = "parcel.registered"
        static let version = 2
        static func upcast(_ payload: inout [String: JSON], from version: Int) throws {}
        func fold(into shipment: inout Shipment) {}
    }

    struct Arrived: DomainEvent {
        static let name: EntryKind = "parcel.moved"
        static let version = 3
        let hub: String
        let lane: Int
        static func upcast(_ payload: inout [String: JSON], from version: Int) throws {
            if version < 2 { payload["hub"] = payload.removeValue(forKey: "place") }
            if payload["lane"] == nil { payload["lane"] = 0 }
        }
        func fold(into shipment: inout Shipment) { shipment.hubs.append("\(hub)/\(lane)") }
    }

    struct LabelOfOld: DomainEvent {
        static let name: EntryKind = "parcel.labelled"
        func fold(into shipment: inout Shipment) {}
    }
}

/// A program that has counted a version up and reads no older one.
enum Forgetful {
    struct Shipment: Aggregate {
        static let category: StreamCategory = "parcel"
        static var events: [any DomainEvent<Shipment>.Type] { [Registered.self] }
        let id: String
        init(id: String) { self.id = id }
    }

    struct Registered: DomainEvent {
        static let name: EntryKind = "parcel.registered"
        static let version = 2
        func fold(into shipment: inout Shipment) {}
    }

    struct Customer: PlainState {
        static let category: StreamCategory = "sender"
        static let name: EntryKind = "sender.saved"
        static let version = 2
        let id: String
        init(id: String) { self.id = id }
    }
}
