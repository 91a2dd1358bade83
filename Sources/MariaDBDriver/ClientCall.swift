/// The calls of the C client that can fail because of the server or the network.
///
/// Every one of them is announced to a test's hook, which can break the link just before the k-th: the client then fails by
/// itself, as it would in earnest.
enum ClientCall: String, Sendable, CaseIterable {
    case connect, query, prepare, execute, fetch, fetchColumn, drain, ping, selectDatabase
}

/// What a test's hook has done to a call.
enum ClientFault: Sendable {
    /// Shuts the socket down.
    case linkBroken
}
