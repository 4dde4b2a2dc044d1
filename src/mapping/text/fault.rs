//! The errors of texts that are no value, and of bytes that are no packed value. No message ever
//! carries the text.

use crate::error::{Error, ErrorKind};
use crate::sqlstate::SqlState;

pub(super) const OUT_OF_RANGE: &str = "22003";
pub(super) const INVALID_DATETIME: &str = "22007";
pub(super) const DATETIME_OVERFLOW: &str = "22008";
pub(super) const ZONE_DISPLACEMENT: &str = "22009";
pub(super) const INTERVAL_OVERFLOW: &str = "22015";
pub(super) const NOT_IN_REPERTOIRE: &str = "22021";
pub(super) const TOO_LONG: &str = "22001";
pub(super) const INVALID_PARAMETER: &str = "22023";
pub(super) const ARRAY_SUBSCRIPT: &str = "2202E";
pub(super) const INVALID_TEXT: &str = "22P02";
pub(super) const UNTRANSLATABLE: &str = "22P05";
pub(super) const LIMIT_EXCEEDED: &str = "54000";
pub(super) const TOO_DEEP: &str = "54001";

/// A text that PostgreSQL refuses with `code`.
#[cold]
pub(super) fn refused(code: &str, message: &'static str) -> Error {
    let error = Error::new(ErrorKind::Encode, message);
    match SqlState::parse(code) {
        Some(state) => error.with_sqlstate(state),
        None => error,
    }
}

/// A text that is no value of its type at all.
#[cold]
pub(super) fn invalid(message: &'static str) -> Error {
    refused(INVALID_TEXT, message)
}

/// Packed bytes that no value of the type has.
#[cold]
pub(super) fn corrupt(message: &'static str) -> Error {
    Error::new(ErrorKind::Decode, message)
}

/// Columns are not declared with a type of results.
#[cold]
pub(super) fn not_read() -> Error {
    Error::new(ErrorKind::Unsupported, "a text of a type that only results have")
}
