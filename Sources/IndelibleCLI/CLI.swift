import ArgumentParser
import IndelibleCommands

@main
enum CLI {
    static func main() async { await IndelibleCommand.main() }
}
