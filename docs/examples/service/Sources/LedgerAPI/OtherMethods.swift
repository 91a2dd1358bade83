import HTTPTypes
import Hummingbird

/// A path that is served, asked in a way that it is not: 405 with the ways that there are, as RFC 9110 has it.
enum OtherMethods {
    private static let all: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]

    /// - Parameter router: with all its routes.
    static func refuse(on router: Router<BasicRequestContext>) {
        for (path, routes) in Dictionary(grouping: router.routes, by: \.path.description) {
            var served = Set(routes.map(\.method))
            if served.contains(.get) { served.insert(.head) }
            let allowed = served.map(\.rawValue).sorted().joined(separator: ", ")
            for method in all.subtracting(served) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    var problem = Problem(.methodNotAllowed, "methodNotAllowed", "this can be asked with \(allowed)")
                    problem.headers[.allow] = allowed
                    throw problem
                }
            }
        }
    }
}
