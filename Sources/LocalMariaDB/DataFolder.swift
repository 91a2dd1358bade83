import Foundation
#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// Creates the server's data folder, whole or not at all.
enum DataFolder {
    /// Makes sure that the data folder exists. Only for the holder of the lock.
    ///
    /// It is made under another name and renamed when it is complete, so a crash in the middle is
    /// healed by the next start. The program that makes it inherits the lock: as long as an orphan
    /// of it still writes, nobody else can begin.
    static func prepare(
        _ folder: ServerFolder, adminUser: String, programFolders: [String],
        deadline: ContinuousClock.Instant, lock: borrowing FolderLock
    ) async throws(LocalMariaDBError) {
        if let status = fileStatus(folder.data) {
            guard status.st_mode & S_IFMT != S_IFDIR || status.st_uid == geteuid() else {
                throw LocalMariaDBError(.unusableFolder, """
                    \(folder.data) belongs to user id \(status.st_uid) and this process acts as user \
                    id \(geteuid()): start the server as its owner.
                    """)
            }
            return
        }
        do {
            if fileStatus(folder.unfinishedData) != nil {
                try FileManager.default.removeItem(atPath: folder.unfinishedData)
            }
        } catch {
            throw LocalMariaDBError(.unusableFolder, """
                Cannot remove \(folder.unfinishedData), left by a start that was interrupted: \(error).
                """)
        }
        let program = try Program.find("mariadb-install-db", in: programFolders)
        let child = try ChildProcess.spawn(
            ServerOptions.install(program: program, folder: folder, adminUser: adminUser),
            folder: folder, lock: lock)
        try await waitForEnd(of: child, folder: folder, deadline: deadline)
        guard unsafe rename(folder.unfinishedData, folder.data) == 0 else {
            throw LocalMariaDBError(.unusableFolder, """
                Cannot rename \(folder.unfinishedData) to \(folder.data): \(errorText()).
                """)
        }
    }

    private static func waitForEnd(
        of child: ChildProcess, folder: ServerFolder, deadline: ContinuousClock.Instant
    ) async throws(LocalMariaDBError) {
        while true {
            if let status = child.waitStatus {
                if status == 0 { return }
                throw LocalMariaDBError(
                    .initialisationFailed,
                    "mariadb-install-db could not create \(folder.data) (\(describe(waitStatus: status))).",
                    logPath: folder.log)
            }
            do throws(LocalMariaDBError) {
                guard ContinuousClock.now < deadline else {
                    throw LocalMariaDBError(
                        .startTimedOut, "mariadb-install-db did not create \(folder.data) in time.",
                        logPath: folder.log)
                }
                try await pause(.milliseconds(20))
            } catch {
                child.killGroup()
                throw error
            }
        }
    }
}
