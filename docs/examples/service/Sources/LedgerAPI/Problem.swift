import Charges
import Foundation
import HTTPTypes
import Hummingbird
import Indelible
import NIOCore

/// A refusal, as RFC 9457 has it: `application/problem+json`.
struct Problem: Error {
    let status: HTTPResponse.Status
    /// Never changes: for programs.
    let code: String
    /// For people. It shows nothing of the machinery behind the service.
    let detail: String
    var members: [String: JSON] = [:]
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ code: String, _ detail: String, member: String? = nil) {
        (self.status, self.code, self.detail) = (status, code, detail)
        if let member { members["member"] = .string(member) }
    }

    /// - Parameter member: the member of the request or the query that the error is about.
    init(_ error: any Error, member: String? = nil) {
        switch error {
        case let problem as Problem:
            self = problem
            if let member, members["member"] == nil { members["member"] = .string(member) }
        case let error as ChargeError: self.init(error.code.status, error.code.rawValue, error.message, member: member)
        case let error as any HTTPResponseError: self.init(error.status, Self.code(error.status), "\(error)", member: member)
        default: self.init(LedgerError.translating(error), member)
        }
    }

    private init(_ error: LedgerError, _ member: String?) {
        let status = error.code.status
        self.init(status, error.code.rawValue, Self.detail(error, status), member: member)
        // The same request may be sent again after a second.
        if status == .serviceUnavailable { headers[.retryAfter] = "1" }
        if let standing = error.standing {
            members["standing"] = ["id": .string(standing.id.description), "position": .integer(Int64(clamping: standing.position.number))]
        }
    }

    /// What the ledger says of a request is for whoever sent it; what it says of the database is for the log.
    private static func detail(_ error: LedgerError, _ status: HTTPResponse.Status) -> String {
        switch (error.retry, status) {
        case (.outcomeUnknown, _): "it is not known whether this was recorded: send the same request again, with the same key"
        case (_, .serviceUnavailable): "the ledger cannot answer now: send the same request again"
        case (_, .internalServerError): "the ledger cannot do this, and asking again will not help: its log has more under this correlation id"
        default:
            // The library shows both contents; one may be somebody else's.
            if error.code == .conflict, let standing = error.standing {
                "the key stands for another request, at position \(standing.position): use another key"
            } else {
                error.message
            }
        }
    }

    /// `notFound`, `contentTooLarge` …
    private static func code(_ status: HTTPResponse.Status) -> String {
        let words = status.reasonPhrase.split { !$0.isLetter }
        guard let first = words.first else { return "http\(status.code)" }
        return first.lowercased() + words.dropFirst().map(\.capitalized).joined()
    }

    func response(correlation: String) -> Response {
        var members = members
        members["type"] = .string("urn:problem:ledger:\(code)")
        members["title"] = .string(status.reasonPhrase)
        members["status"] = .integer(Int64(status.code))
        members["code"] = .string(code)
        members["detail"] = .string(detail)
        members["correlation_id"] = .string(correlation)
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: JSON.object(members).text)))
    }
}

extension LedgerError.Code {
    /// The one table of what the ledger's errors are in HTTP.
    var status: HTTPResponse.Status {
        switch self {
        case .invalidAmount, .invalidCurrency, .invalidAccount, .invalidEntry, .invalidTime, .invalidFile, .invalidEvent, .invalidCursor: .badRequest
        case .readOnly: .forbidden
        case .unknownAccount, .unknownEntry, .historyUnavailable: .notFound
        case .unknownCurrency, .currencyMismatch, .conflict: .unprocessableContent
        case .periodClosed, .accountClosed, .accountNotEmpty, .accountFrozen, .notAHold, .notReversible, .holdSettled, .holdExpired,
            .limitExceeded, .claimTaken, .notRefused:
            .conflict
        case .tailTooLong, .revisionConflict, .jobBehind, .replicaBehind, .unavailable, .storageFull, .busy, .outcomeUnknown: .serviceUnavailable
        case .unitEnded, .accessDenied, .schema, .integrity: .internalServerError
        }
    }
}

extension ChargeError.Code {
    /// And of what a charge refuses.
    var status: HTTPResponse.Status {
        switch self {
        case .invalidMerchant, .notPositive: .badRequest
        case .notAuthorised: .notFound
        case .wrongCurrency, .aboveHold, .aboveRest, .refundDiffers: .unprocessableContent
        case .alreadyAuthorised, .alreadyCaptured, .alreadyVoided, .notCaptured, .disputeIsOpen, .disputeHasEnded, .noDispute,
            .notRequested, .alreadyRequested, .alreadySent, .alreadyFailed:
            .conflict
        }
    }
}
