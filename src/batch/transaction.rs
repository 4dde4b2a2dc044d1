//! All or nothing.

use super::unit::Phase;
use crate::backend::Connection;
use crate::error::Result;

/// Runs `work` in a transaction: commits what it did, or rolls it back with its error.
///
/// # Errors
/// What `work` returns; `Database` or `Disconnect` from the transaction itself.
pub(super) fn in_transaction<T>(
    connection: &mut dyn Connection,
    work: impl FnOnce(&mut dyn Connection) -> Result<T>,
) -> Result<T> {
    connection.begin()?;
    let done = match work(connection) {
        Ok(value) => connection.commit().map(|()| value),
        Err(error) => Err(error),
    };
    if done.is_err() {
        // The first error is the one to show; a failed rollback discards the connection.
        let _ = connection.rollback();
    }
    done
}

const NO_WAIT: &str = "SET LOCAL synchronous_commit = off";

/// Has the open transaction not wait for the disk after all.
///
/// # Errors
/// `Database` or `Disconnect`.
pub(super) fn need_not_wait(connection: &mut dyn Connection) -> Result<()> {
    if connection.capabilities().async_commit { connection.ahead(NO_WAIT) } else { Ok(()) }
}

/// Begins the transaction of a unit, with what it needs to know.
pub(super) fn begin(connection: &mut dyn Connection, phase: Phase) -> Result<()> {
    let capabilities = *connection.capabilities();
    // Data and ledger row vanish together if the server dies before they are on its disk, so the
    // batch is done again; the last commit of a job waits for the disk, and all others with it. So
    // does the seal: what is merged must never have been forgotten, for nobody merges it again.
    let mut settings = String::new();
    if matches!(phase, Phase::Seal | Phase::Finish) {
        settings.push_str(capabilities.dialect.wait_for_disk().unwrap_or_default());
        settings.push(';');
    } else if capabilities.async_commit {
        settings.push_str(NO_WAIT);
        settings.push(';');
    }
    // A constraint that is checked at COMMIT could not be put down to a row.
    if capabilities.deferred_constraints {
        settings.push_str("SET CONSTRAINTS ALL IMMEDIATE;");
    }
    connection.begin_with(&settings)
}
