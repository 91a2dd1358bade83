import Foundation

/// Where public events are sent, and the secret that they are signed with.
public struct WebhookTarget: Sendable {
    /// An address of http or https.
    public let url: String
    let secret: Data

    /// - Parameter secret: as Standard Webhooks writes it: `whsec_` and 24 to 64 bytes in Base64.
    /// - Throws: `SettingsError`.
    public init(url: String, secret: String) throws {
        guard let address = URL(string: url), ["http", "https"].contains(address.scheme), address.host != nil else {
            throw SettingsError("webhook.url", "is no address of http or https")
        }
        guard secret.hasPrefix("whsec_"), let bytes = Data(base64Encoded: String(secret.dropFirst(6))), (24...64).contains(bytes.count) else {
            throw SettingsError("webhook.secret", "is no secret: whsec_ and 24 to 64 bytes in Base64")
        }
        (self.url, self.secret) = (url, bytes)
    }
}
