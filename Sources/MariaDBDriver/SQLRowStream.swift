/// The rows of a result, read while they arrive. It can be iterated once.
public struct SQLRowStream: AsyncSequence {
    public typealias Element = SQLRow

    let connection: MariaDBConnection
    let id: UInt64
    let batchRows: Int

    public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    public struct Iterator: AsyncIteratorProtocol {
        private let stream: SQLRowStream
        private var batch: SQLResult?
        private var next = 0
        private var isAtEnd = false

        init(stream: SQLRowStream) { self.stream = stream }

        public mutating func next() async throws -> SQLRow? {
            if let batch, next < batch.count {
                defer { next += 1 }
                return batch[next]
            }
            guard !isAtEnd else { return nil }
            let fetched = try await stream.connection.fetch(stream: stream.id, rows: stream.batchRows)
            isAtEnd = fetched.count < stream.batchRows
            batch = fetched
            next = 1
            return fetched.first
        }
    }
}
