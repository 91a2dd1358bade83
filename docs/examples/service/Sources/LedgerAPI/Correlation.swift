import Foundation
import HTTPTypes
import Hummingbird
import Indelible
import Logging

extension HTTPField.Name {
    static let correlationID = HTTPField.Name("X-Correlation-ID")!
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    static let lastEventID = HTTPField.Name("Last-Event-ID")!
}

/// Every request has a correlation id, the client's or a new one. It is in the answer, in the log lines, and in the entries that the
/// request records. What is thrown becomes a problem here.
struct Correlation: RouterMiddleware {
    typealias Context = BasicRequestContext

    let mode: LedgerMode

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let id = Self.id(request)
        var context = context
        context.logger[metadataKey: "correlation"] = "\(id)"
        var response = await Trace.withCorrelation(id) {
            do {
                try refuseWrite(request)
                return try await next(request, context)
            } catch { return Self.told(error, id, context.logger) }
        }
        response.headers[.correlationID] = id
        context.logger.info("\(request.method) \(context.endpointPath ?? request.uri.path) \(response.status.code)")
        return response
    }

    private func refuseWrite(_ request: Request) throws {
        guard mode == .readOnly, ![.get, .head, .options].contains(request.method) else { return }
        throw Problem(.forbidden, "readOnly", "this is a read-only copy of the service: send what writes to the one that does")
    }

    private static func told(_ error: any Error, _ id: String, _ logger: Logger) -> Response {
        let problem = Problem(error)
        if problem.status.kind == .serverError {
            logger.error("refused", metadata: ["code": "\(problem.code)", "error": "\(error)"])
        }
        return problem.response(correlation: id)
    }

    /// The client's, if the ledger can keep it as it is.
    private static func id(_ request: Request) -> String {
        let given = request.headers[.correlationID] ?? ""
        let isFit = (1...Trace.charactersMax).contains(given.utf8.count) && given.utf8.allSatisfy { (33...126).contains($0) }
        return isFit ? given : UUID().uuidString.lowercased()
    }
}
