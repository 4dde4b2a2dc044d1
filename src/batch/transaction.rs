//! All or nothing.

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
