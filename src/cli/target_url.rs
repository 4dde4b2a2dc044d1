//! Which database is meant.

use crate::error::{Error, ErrorKind, Result};

/// The URL that was given with `--target`, or that of the variable `ROWMILL_TARGET`; `hint` says
/// what else could name it.
///
/// # Errors
/// `Config` if nothing names a database.
pub(super) fn target_url(
    given: Option<&String>,
    environment: &dyn Fn(&str) -> Option<String>,
    hint: &str,
) -> Result<String> {
    let url = given.cloned().or_else(|| environment("ROWMILL_TARGET"));
    url.filter(|url| !url.is_empty())
        .ok_or_else(|| Error::new(ErrorKind::Config, "no database is named").with_hint(hint))
}

/// What names a database where there is no job file.
pub(super) const HINT: &str = "give --target URL, or set ROWMILL_TARGET";
