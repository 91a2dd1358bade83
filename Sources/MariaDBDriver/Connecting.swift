import CMariaDB

/// Opens the link of a session: timeouts, encryption, authentication.
struct Connecting {
    private let configuration: ConnectionConfiguration

    init(_ configuration: ConnectionConfiguration) { self.configuration = configuration }

    func connect(_ handle: UnsafeMutablePointer<MYSQL>) throws(MariaDBError) {
        unsafe setTimeouts(handle)
        unsafe mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        // The server's own max_allowed_packet decides.
        var packetBytesMax: UInt = 1 << 30
        unsafe mysql_options(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packetBytesMax)
        // With a role the right to the database may come later.
        let database = configuration.role == nil ? configuration.database : nil
        // There is no link to break yet: a fault breaks it once it stands.
        let fault = configuration.willCall?(.connect)
        let connected: Bool
        // CLIENT_MULTI_STATEMENTS is never asked for: one call is one statement.
        switch configuration.address {
        case .host(let host, let port):
            var tcp = UInt32(MYSQL_PROTOCOL_TCP.rawValue)
            unsafe mysql_options(handle, MYSQL_OPT_PROTOCOL, &tcp)
            unsafe setTLS(handle)
            connected = unsafe mysql_real_connect(
                handle, host, configuration.user, configuration.password.secret, database, UInt32(port), nil, 0) != nil
        case .socket(let path):
            connected = unsafe mysql_real_connect(
                handle, nil, configuration.user, configuration.password.secret, database, 0, path, 0) != nil
        }
        guard connected else { throw explained(unsafe Session.error(of: handle, statement: nil)) }
        // The client library goes on in the clear with a server that has no TLS, also when told to enforce it.
        if mustBeEncrypted, unsafe mysql_get_ssl_cipher(handle) == nil {
            throw explained(MariaDBError(number: 2026, message: "TLS connection error: the server offers no TLS"))
        }
        if fault != nil { throw MariaDBError(number: 2013, message: "lost the link while connecting", retry: .sameRequest) }
    }

    private var mustBeEncrypted: Bool {
        if case .host = configuration.address { configuration.tls != .skipSSL } else { false }
    }

    private func setTimeouts(_ handle: UnsafeMutablePointer<MYSQL>) {
        var connectTimeout = configuration.connectTimeoutSeconds
        var responseTimeout = configuration.responseTimeoutSeconds
        unsafe mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connectTimeout)
        unsafe mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &responseTimeout)
        unsafe mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &responseTimeout)
    }

    private func setTLS(_ handle: UnsafeMutablePointer<MYSQL>) {
        if case .verifyServerCertificate = configuration.tls {} else {
            // Whoever answers may ask for the password itself: only ways that do not show it.
            unsafe mysql_options(
                handle, MARIADB_OPT_RESTRICTED_AUTH,
                "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password")
        }
        let (certificates, verifies): (TLS.Certificates, Bool)
        switch configuration.tls {
        case .skipSSL: return
        case .disableVerifyServerCertificate(let files): (certificates, verifies) = (files, false)
        case .verifyServerCertificate(let files): (certificates, verifies) = (files, true)
        }
        var enforce: Int8 = 1
        unsafe mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &enforce)
        var verify: Int8 = verifies ? 1 : 0
        unsafe mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify)
        if let file = certificates.authorities { unsafe mysql_options(handle, MYSQL_OPT_SSL_CA, file) }
        if let file = certificates.certificate { unsafe mysql_options(handle, MYSQL_OPT_SSL_CERT, file) }
        if let file = certificates.key { unsafe mysql_options(handle, MYSQL_OPT_SSL_KEY, file) }
    }

    /// The client library's words, with what to do about it.
    func explained(_ error: MariaDBError) -> MariaDBError {
        let advice: String
        switch error.number {
        case 2026:
            advice = " (over TCP a connection is encrypted and the server verified unless you say otherwise: name the authority "
                + "that issued its certificate, --ssl-ca, or choose --disable-ssl-verify-server-cert or --skip-ssl)"
        case 2059, 2061, 1251, 1524, 1275:
            advice = " (the server asks for a way to authenticate that this client library has not: "
                + "`ALTER USER … IDENTIFIED VIA ed25519 USING PASSWORD('…')`, or install the client's plugin)"
        default: return error
        }
        return MariaDBError(
            number: error.number, sqlState: error.sqlState, message: error.message + advice, retry: .never)
    }
}
