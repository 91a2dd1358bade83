import HTTPTypes
import Hummingbird
import Indelible
import NIOCore

extension Response {
    init(_ json: JSON, status: HTTPResponse.Status = .ok) {
        self.init(status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: ByteBuffer(string: json.text)))
    }

    /// 201 for something new, 200 for a repeat.
    init(_ receipt: Receipt, key: String) {
        let json: JSON = [
            "key": .string(key), "id": .string(receipt.id.description), "position": .integer(Int64(clamping: receipt.position.number)),
            "recorded_at": .string(receipt.recordedAt.description), "repeat": .bool(receipt.isRepeat),
        ]
        self.init(json, status: receipt.isRepeat ? .ok : .created)
    }
}

extension Dictionary where Key == String, Value == JSON {
    /// Without the members that are nil.
    init(_ members: [String: JSON], _ others: [String: String?]) {
        self = members
        for case (let name, let text?) in others { self[name] = .string(text) }
    }
}
