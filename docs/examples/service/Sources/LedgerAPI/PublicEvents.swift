import Charges
import Indelible

/// What others are told of the journal, as CloudEvents. These words are a promise; kinds and payloads of entries are not, and anything that
/// has no translation here stays inside.
enum PublicEvents {
    static func translator(_ book: String) -> Translator {
        Translator(source: "/books/\(book)", [
            .entry(.accountOpened, to: "com.example.account-opened.v1", subject: { $0.payload["account"]?.string }) { entry in
                entry.payload.filter { ["account", "currency", "type"].contains($0.key) }
            },
            .entry(TransferRoutes.transferred, to: "com.example.transferred.v1", subject: key, data: moved),
            .entry(TransferRoutes.held, to: "com.example.held.v1", subject: key, data: moved),
            // Those of charges have no reference: a charge tells of itself.
            .entry(.holdCaptured, to: "com.example.hold-captured.v1", subject: { $0.reference }) { $0.reference == nil ? nil : settled($0) },
            .entry(.holdVoided, to: "com.example.hold-voided.v1", subject: { $0.reference }) { $0.reference == nil ? nil : settled($0) },
            .entry(.holdExpired, to: "com.example.hold-expired.v1") { settled($0) },
            .event(ChargeAuthorised.self, to: "com.example.charge-authorised.v1", subject: { event, _ in event.charge }) { event, _ in
                ["merchant": .string(event.merchant)].merging(money(event.amount)) { $1 }
            },
            .event(ChargeCaptured.self, to: "com.example.charge-captured.v1", subject: { event, _ in event.charge }) { event, _ in money(event.amount) },
            .event(ChargeRefunded.self, to: "com.example.charge-refunded.v1", subject: { event, _ in event.charge }) { event, _ in
                ["refund": .string(event.refund)].merging(money(event.posting.amount)) { $1 }
            },
        ])
    }

    private static func money(_ amount: Amount) -> [String: JSON] {
        ["minor_units": .integer(amount.minorUnits), "currency": .string(amount.currency.text)]
    }

    @Sendable private static func key(_ entry: RecordedEntry) -> String? { entry.payload[TransferRoutes.keyMember]?.string }

    @Sendable private static func moved(_ entry: RecordedEntry) -> [String: JSON]? {
        entry.postings.first.map { posting in
            ["debit": .string(posting.debit.text), "credit": .string(posting.credit.text)].merging(money(posting.amount)) { $1 }
        }
    }

    /// The hold's id, and what became of its money.
    private static func settled(_ entry: RecordedEntry) -> [String: JSON]? {
        let captured = entry.postings.first { $0.status == .posted }.map { money($0.amount) } ?? [:]
        return entry.payload["hold"].map { captured.merging(["hold": $0]) { $1 } }
    }
}
