//! Why a row was refused, as code that ran in the database noted it.

use crate::backend::postgres;
use crate::error::Error;
use std::fmt;

/// Why a row was refused, in the words of the server: its message may have values of the row.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: String,
    /// The message.
    pub message: String,
    /// The first line of the context: the function that was at fault, or the statement.
    pub context: Option<String>,
    /// The constraint.
    pub constraint: Option<String>,
    /// The column.
    pub column: Option<String>,
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal").field("code", &self.code).finish_non_exhaustive()
    }
}

impl Refusal {
    /// The error that the statement would have ended with, without values of the row.
    pub fn error(self) -> Error {
        postgres::refused(self)
    }
}
