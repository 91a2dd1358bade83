// Starts the server of a folder and prints its process id, as a process that a test can kill.
// Arguments: the folder, and after how many seconds an idle server ends (600).
import LocalMariaDB

let arguments = CommandLine.arguments
do {
    let server = try await LocalMariaDB.start(.init(
        folder: arguments[1], idleShutdownSeconds: arguments.count > 2 ? Int(arguments[2]) : 600))
    print(server.pid)
} catch {
    print(error)
}
