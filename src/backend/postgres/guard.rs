//! The driver's panics as errors.

use crate::error::{Error, ErrorKind, Result};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The driver panics inside an async runtime. Only the first call of a statement can be the one
/// that finds out, so the rows of a result are read without this.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panicked(&*panic))
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    if text.contains("runtime") {
        Error::new(ErrorKind::Unsupported, "a database was called from within an async runtime")
            .with_hint("call it from a thread of its own (spawn_blocking)")
    } else {
        Error::new(ErrorKind::Panic, "the PostgreSQL driver panicked")
    }
}
