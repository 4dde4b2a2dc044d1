//! How the command ends.

use crate::error::{Error, ErrorKind};
use std::error::Error as _;
use std::io;
use std::process::ExitCode;

/// How the command ends, for whoever started it. 4 and 6 (and 3 with a higher limit) carry on
/// when the same command runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// 0: complete, or already complete.
    Complete,
    /// 1: an internal error: a bug, or a panic in a closure.
    Internal,
    /// 2: the command line, the job file, or what they name cannot be used as it is.
    Usage,
    /// 3: more rows were rejected than the job allows, or rows have one key and it allows none.
    RejectLimit,
    /// 4: the database, the network or the input failed on the way.
    Infrastructure,
    /// 5: another process runs the job.
    AlreadyRunning,
    /// 6: stopped by a signal or a deadline.
    Stopped,
}

impl Exit {
    /// How a command ends that ended with `error`.
    pub(super) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Config
            | ErrorKind::Url
            | ErrorKind::Schema
            | ErrorKind::Shard
            | ErrorKind::Unsupported => Self::Usage,
            ErrorKind::Source => of_source(error),
            ErrorKind::Connect
            | ErrorKind::Disconnect
            | ErrorKind::CommitUnknown
            | ErrorKind::PoolTimeout
            | ErrorKind::PoolFull
            | ErrorKind::Database
            | ErrorKind::Stale
            | ErrorKind::Sink
            | ErrorKind::Ledger => Self::Infrastructure,
            ErrorKind::RejectLimit | ErrorKind::Duplicate => Self::RejectLimit,
            ErrorKind::AlreadyRunning => Self::AlreadyRunning,
            ErrorKind::Stopped => Self::Stopped,
            ErrorKind::PoolClosed
            | ErrorKind::NestedCheckout
            | ErrorKind::NotFound
            | ErrorKind::NotUnique
            | ErrorKind::Decode
            | ErrorKind::Encode
            | ErrorKind::Panic
            | ErrorKind::Internal => Self::Internal,
        }
    }

    /// The number.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::RejectLimit => 3,
            Self::Infrastructure => 4,
            Self::AlreadyRunning => 5,
            Self::Stopped => 6,
        }
    }
}

/// An input that is missing, empty or of another shape is named wrongly: the same command cannot
/// succeed. One that fails while a batch is read, or for a reason of the machine, may be back next
/// time.
fn of_source(error: &Error) -> Exit {
    let by_machine = |cause: &io::Error| {
        !matches!(
            cause.kind(),
            io::ErrorKind::NotFound
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::IsADirectory
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::InvalidData
                | io::ErrorKind::InvalidInput
        )
    };
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    if error.place().batch.is_some() || cause.is_some_and(by_machine) {
        Exit::Infrastructure
    } else {
        Exit::Usage
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_has_its_exit_code() {
        for (kind, code) in [
            (ErrorKind::Internal, 1),
            (ErrorKind::Panic, 1),
            (ErrorKind::NestedCheckout, 1),
            (ErrorKind::PoolClosed, 1),
            (ErrorKind::NotFound, 1),
            (ErrorKind::NotUnique, 1),
            (ErrorKind::Decode, 1),
            (ErrorKind::Encode, 1),
            (ErrorKind::Config, 2),
            (ErrorKind::Url, 2),
            (ErrorKind::Schema, 2),
            (ErrorKind::Unsupported, 2),
            (ErrorKind::Source, 2),
            (ErrorKind::RejectLimit, 3),
            (ErrorKind::Duplicate, 3),
            (ErrorKind::Connect, 4),
            (ErrorKind::Disconnect, 4),
            (ErrorKind::CommitUnknown, 4),
            (ErrorKind::PoolTimeout, 4),
            (ErrorKind::PoolFull, 4),
            (ErrorKind::Database, 4),
            (ErrorKind::Ledger, 4),
            (ErrorKind::AlreadyRunning, 5),
            (ErrorKind::Stopped, 6),
        ] {
            assert_eq!(Exit::of(&Error::new(kind, "x")).code(), code, "{kind:?}");
        }
        assert_eq!(Exit::Complete.code(), 0);
    }

    #[test]
    fn an_input_that_is_missing_is_usage_and_one_that_fails_on_the_way_is_not() {
        let error = |cause| Error::new(ErrorKind::Source, "x").with_source(io::Error::from(cause));
        let missing = error(io::ErrorKind::NotFound);
        assert_eq!(Exit::of(&missing), Exit::Usage);
        let in_a_batch = missing.locate(|place| place.batch = Some(7));
        assert_eq!(Exit::of(&in_a_batch), Exit::Infrastructure);
        assert_eq!(Exit::of(&error(io::ErrorKind::TimedOut)), Exit::Infrastructure);
    }
}
