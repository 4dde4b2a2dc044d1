//! The kinds of failure.

/// What kind of failure an [`Error`](crate::Error) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting, an option or a job file that cannot be used as it is.
    Config,
    /// A connection URL that cannot be used as it is.
    Url,
    /// No connection could be opened.
    Connect,
    /// A connection was lost.
    Disconnect,
    /// A connection was lost before the answer to COMMIT came: nobody knows whether it held.
    CommitUnknown,
    /// No connection was free within the time-out.
    PoolTimeout,
    /// All connections are in use, and nobody more is let into the line.
    PoolFull,
    /// The pool was disposed of.
    PoolClosed,
    /// A thread that holds a connection of a pool asked the pool for another.
    NestedCheckout,
    /// The database refused a statement.
    Database,
    /// There is no row where there has to be one.
    NotFound,
    /// There are several rows where there has to be one.
    NotUnique,
    /// A row that was to be changed is not there any more as it was read: somebody else has changed
    /// or deleted it.
    Stale,
    /// What came from the database or a file is no value of the type asked for.
    Decode,
    /// A value cannot be sent as the type of its column.
    Encode,
    /// The target table does not fit the job, or is not there.
    Schema,
    /// A shard has another map of the shards than the program, or none, or is another shard.
    Shard,
    /// The input cannot be read.
    Source,
    /// An output file cannot be written.
    Sink,
    /// The ledger cannot be read or written, or does not agree with the job.
    Ledger,
    /// Another process runs this job now.
    AlreadyRunning,
    /// More rows were rejected than the job allows.
    RejectLimit,
    /// Rows of the input have one key, and the job allows none of them.
    Duplicate,
    /// Stopped by a signal, a stop token or a deadline.
    Stopped,
    /// A closure of the user, or a worker, panicked.
    Panic,
    /// The backend, or this version, cannot do it.
    Unsupported,
    /// A promise of this crate was broken: a bug, please report it.
    Internal,
}
