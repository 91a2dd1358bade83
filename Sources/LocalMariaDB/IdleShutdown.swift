/// The statements by which a server ends itself when nobody uses it.
///
/// There is no watchdog process: an event inside the server looks a few times per period whether
/// any client is connected and whether any has come and gone since (the counter `Connections`), and
/// executes SHUTDOWN after a whole period without. The event is one worker that loops, started once
/// at every start of the server, so it does not move the counter itself. It reads and sleeps, it
/// writes nothing.
enum IdleShutdown {
    /// The content of the file that the server executes when it starts: one statement a line.
    static func initFile(seconds: Int?, adminUser: String) -> String {
        // Kept out of the binary log: it is about this server, not about its data.
        let start = "SET sql_log_bin = 0;\n"
        guard let seconds else { return start + "DROP EVENT IF EXISTS mysql.indelible_idle_shutdown;\n" }
        return start + event(seconds: max(1, seconds), adminUser: adminUser)
            .split(separator: "\n").joined(separator: " ") + "\n"
    }

    private static func event(seconds: Int, adminUser: String) -> String {
        """
        CREATE OR REPLACE DEFINER = `\(adminUser)`@`localhost` EVENT mysql.indelible_idle_shutdown
        ON SCHEDULE AT CURRENT_TIMESTAMP ON COMPLETION NOT PRESERVE DO
        BEGIN
        DECLARE clients, connections INT DEFAULT 0;
        DECLARE connections_seen INT DEFAULT -1;
        DECLARE idle_since DOUBLE DEFAULT 0;
        watch: LOOP
        SELECT COUNT(*) INTO clients FROM information_schema.PROCESSLIST
        WHERE ID <> CONNECTION_ID() AND COMMAND <> 'Daemon';
        SELECT VARIABLE_VALUE INTO connections FROM information_schema.GLOBAL_STATUS
        WHERE VARIABLE_NAME = 'CONNECTIONS';
        IF clients > 0 OR connections <> connections_seen THEN
        SET connections_seen = connections, idle_since = UNIX_TIMESTAMP(SYSDATE(6));
        ELSEIF UNIX_TIMESTAMP(SYSDATE(6)) - idle_since >= \(seconds) THEN
        SHUTDOWN;
        LEAVE watch;
        END IF;
        DO SLEEP(\(seconds >= 50 ? "5" : "\(Double(seconds) / 10)"));
        END LOOP;
        END;
        """
    }
}
