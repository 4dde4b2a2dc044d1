//! Being called from within an async runtime.
//!
//! The driver runs a small runtime of its own for each connection, and a runtime inside of another
//! panics. Waiting would also stop every other task of the thread, so it is refused.

use crate::error::{Error, ErrorKind, Result};
use tokio::runtime::Handle;

/// Fails within an async runtime.
pub(super) fn refuse() -> Result<()> {
    if Handle::try_current().is_ok() { Err(within_runtime()) } else { Ok(()) }
}

/// What is said to whoever calls from there.
pub(super) fn within_runtime() -> Error {
    Error::new(ErrorKind::Unsupported, "a database was called from within an async runtime")
        .with_hint("call it from a thread of its own (spawn_blocking)")
}
