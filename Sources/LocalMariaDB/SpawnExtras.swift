#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// What `posix_spawn` can do here beyond POSIX.
enum SpawnExtras {
    #if canImport(Darwin)
    /// A session, clean signals, and no descriptor that is not passed on explicitly.
    static let flags = Int16(
        POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_CLOEXEC_DEFAULT)
    #else
    /// A session and clean signals. The header has POSIX_SPAWN_SETSID, 0x80, for _GNU_SOURCE only.
    static let flags = Int16(0x80 | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF))

    private typealias AddCloseFrom = @convention(c) (
        UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32
    ) -> Int32

    /// Lets the child close every descriptor from `first` on.
    ///
    /// The function for it (glibc 2.34) is hidden like the constant above, so it is looked up by
    /// name; where it is missing, the descriptors that can be expected are closed one by one.
    static func closeFrom(
        _ first: Int32, _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>
    ) {
        if let symbol = unsafe dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") {
            let function = unsafe unsafeBitCast(symbol, to: AddCloseFrom.self)
            _ = unsafe function(actions, first)
        } else {
            for descriptor in first..<1024 {
                unsafe posix_spawn_file_actions_addclose(actions, descriptor)
            }
        }
    }
    #endif
}
