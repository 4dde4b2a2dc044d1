//! Why a row was refused, as code that ran in the database noted it.

use crate::error::{Error, ErrorKind};
use crate::sqlstate::SqlState;
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
    /// The error, of which nothing but the code is known to be without values of the row.
    pub fn unexplained(&self) -> Error {
        let state = SqlState::parse(&self.code).unwrap_or(SqlState::INTERNAL_ERROR);
        Error::new(ErrorKind::Database, "the database refused the row").with_sqlstate(state)
    }
}
