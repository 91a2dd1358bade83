// The one import for users of the library.
@_exported public import LedgerDatabase
@_exported public import LedgerModel
@_exported public import LedgerStore
