extension LocalMariaDB {
    /// How to run the server of one folder.
    ///
    /// It takes effect when ``LocalMariaDB/start(_:)`` really starts a server; a server that is
    /// already running keeps the configuration it was started with.
    public struct Configuration: Sendable {
        /// The folder, absolute or relative to the working directory. It is created, readable by
        /// its owner only, when absent.
        public var folder: String
        /// After how many seconds without any client connection the server shuts itself down; nil
        /// for never; at least 1. A connection that is open and does nothing keeps the server alive.
        public var idleShutdownSeconds: Int?
        /// The port to listen on at 127.0.0.1, or nil to listen on the unix socket only.
        public var tcpPort: Int?
        /// Further `mariadbd` options, for example `--max_connections=50`. They come last, so they
        /// override the defaults. They are not passed to the program that creates the data folder,
        /// and must not move the socket, the data or the pid file elsewhere.
        public var extraOptions: [String]
        /// How many seconds to wait for the server to be ready, creating the data folder included.
        public var startTimeoutSeconds: Int
        /// Where `mariadbd` and `mariadb-install-db` are looked for, in this order.
        var programFolders: [String]

        /// A configuration for the server in `folder`.
        public init(
            folder: String,
            idleShutdownSeconds: Int? = 600,
            tcpPort: Int? = nil,
            extraOptions: [String] = [],
            startTimeoutSeconds: Int = 60
        ) {
            self.folder = folder
            self.idleShutdownSeconds = idleShutdownSeconds
            self.tcpPort = tcpPort
            self.extraOptions = extraOptions
            self.startTimeoutSeconds = startTimeoutSeconds
            self.programFolders = Program.defaultFolders
        }
    }
}
