//! The driver's panics as errors.

use super::runtime::within_runtime;
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
        within_runtime()
    } else {
        Error::new(ErrorKind::Panic, "the PostgreSQL driver panicked")
    }
}
