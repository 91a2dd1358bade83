import IndelibleCommands
import OwnProjection

@main enum Tool {
    static func main() async { await IndelibleCommand.main(projections: [MerchantDays()]) }
}
