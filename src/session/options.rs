//! What a transaction is to be like.

use crate::backend::capabilities::Capabilities;
use crate::error::{Error, ErrorKind, Result};
use crate::retry::RetryPolicy;
use std::fmt::Write;
use std::time::Duration;

/// How much a transaction sees of others, as in the SQL standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// All statements see what was committed before the first began.
    RepeatableRead,
    /// As if the transactions ran one after the other; one of them may have to be run again.
    Serializable,
}

impl Isolation {
    fn sql(self) -> &'static str {
        match self {
            Self::ReadCommitted => "READ COMMITTED",
            Self::RepeatableRead => "REPEATABLE READ",
            Self::Serializable => "SERIALIZABLE",
        }
    }
}

/// What a transaction is to be like, and how often its closure is run.
///
/// ```
/// use rowmill::{Isolation, RetryPolicy, TransactionOptions};
/// use std::time::Duration;
/// let options = TransactionOptions::new()
///     .isolation(Isolation::Serializable)
///     .lock_timeout(Duration::from_secs(2))
///     .retry(RetryPolicy::default());
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    isolation: Option<Isolation>,
    pub(super) read_only: bool,
    deferrable: bool,
    lock_timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
    pub(super) statement_timeout: Option<Duration>,
    pub(super) retry: Option<RetryPolicy>,
    pub(super) deadline: Option<Duration>,
    pub(super) resolve_commit: bool,
}

impl TransactionOptions {
    /// The database's own isolation, reading and writing, no time-outs, run once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how much it sees of others. Default: what the database is set to; SQLite is always
    /// serializable.
    #[must_use]
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// Has the database refuse every write. Default: no.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Has it wait at its start for a moment from which it cannot fail nor make others fail; only
    /// of use where it is serializable and read only, for long reports. Default: no.
    #[must_use]
    pub fn deferrable(mut self) -> Self {
        self.deferrable = true;
        self
    }

    /// Sets how long one statement may take. Default: as long as the connection allows.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = Some(timeout);
        self
    }

    /// Sets how long a statement may wait for a lock. Default: what the database is set to.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = Some(timeout);
        self
    }

    /// Sets how long it may stay open between two statements before the server ends its session.
    /// Default: what the database is set to.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Runs the closure again after an error that may pass: a deadlock, a serialization failure, a
    /// lock of others, a connection lost before COMMIT was sent. Default: it is run once.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Sets for how long after its start a closure is begun again. Default: as the retry policy
    /// says.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Has the database asked what became of the transaction if the answer to COMMIT was lost. It
    /// costs a round trip before each COMMIT of a transaction that wrote. Default: no; the error
    /// is then [`CommitUnknown`](ErrorKind::CommitUnknown).
    #[must_use]
    pub fn resolve_commit(mut self) -> Self {
        self.resolve_commit = true;
        self
    }

    /// The statements that make a transaction so, right after its start; empty if there are none.
    ///
    /// # Errors
    /// `Unsupported` if the database cannot do one of them.
    pub(super) fn sql(&self, capabilities: Capabilities) -> Result<String> {
        let always_so = self.isolation == Some(Isolation::Serializable) && !capabilities.row_locks;
        let isolation = self.isolation.filter(|_| !always_so || capabilities.transaction_modes);
        let mut modes = Vec::new();
        modes.extend(isolation.map(|isolation| format!("ISOLATION LEVEL {}", isolation.sql())));
        modes.extend(self.read_only.then(|| "READ ONLY".to_owned()));
        modes.extend(self.deferrable.then(|| "DEFERRABLE".to_owned()));
        let mut sql = String::new();
        if !modes.is_empty() {
            let _ = write!(sql, "SET TRANSACTION {};", modes.join(", "));
        }
        let timeouts = [
            ("lock_timeout", self.lock_timeout),
            ("idle_in_transaction_session_timeout", self.idle_timeout),
        ];
        for (name, timeout) in timeouts {
            if let Some(timeout) = timeout {
                // 0 would mean without an end.
                let _ = write!(sql, "SET LOCAL {name} = {};", timeout.as_millis().max(1));
            }
        }
        if !sql.is_empty() && !capabilities.transaction_modes {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this database has no isolation levels, no read-only transactions and no time-outs \
                 of a transaction",
            )
            .with_hint("its transactions are serializable; see busy_timeout and read_only"));
        }
        Ok(sql)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::dialect::Dialect;

    fn postgres() -> Capabilities {
        let mut capabilities = Capabilities::none(Dialect::PostgreSql);
        (capabilities.transaction_modes, capabilities.row_locks) = (true, true);
        capabilities
    }

    #[test]
    fn what_is_asked_for_is_one_message() {
        let options = TransactionOptions::new()
            .isolation(Isolation::Serializable)
            .read_only()
            .deferrable()
            .lock_timeout(Duration::from_micros(1))
            .idle_timeout(Duration::from_secs(5));
        assert_eq!(
            options.sql(postgres()).unwrap(),
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE;\
             SET LOCAL lock_timeout = 1;SET LOCAL idle_in_transaction_session_timeout = 5000;"
        );
        assert_eq!(TransactionOptions::new().sql(postgres()).unwrap(), "");
    }

    #[test]
    fn what_a_database_cannot_do_is_refused_and_what_it_always_does_is_not() {
        let sqlite = Capabilities::none(Dialect::Sqlite);
        let serializable = TransactionOptions::new().isolation(Isolation::Serializable);
        assert_eq!(serializable.sql(sqlite).unwrap(), "");
        for options in [
            TransactionOptions::new().isolation(Isolation::ReadCommitted),
            TransactionOptions::new().read_only(),
            TransactionOptions::new().lock_timeout(Duration::from_secs(1)),
        ] {
            assert_eq!(options.sql(sqlite).unwrap_err().kind(), ErrorKind::Unsupported);
        }
    }
}
