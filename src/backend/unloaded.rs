//! A row that was read in bulk.

use crate::error::Error;
use crate::mapping::rows::Fields;
use std::fmt;

/// A row that was read in bulk: see [`Connection::unload`](super::Connection::unload).
#[derive(Debug)]
pub struct Unloaded<'a> {
    /// Its packed fields.
    pub fields: Fields<'a>,
    /// The first of its values that is none of its column's type, where the database has such
    /// values. Their fields are NULL.
    pub fault: Option<Misfit>,
}

/// A value that is none of its column's type.
pub struct Misfit {
    /// Its place in the row, from 0.
    pub field: usize,
    /// Why it is none.
    pub error: Error,
    /// What it is, for the reject store.
    pub shown: String,
}

impl fmt::Debug for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What it is goes to the reject store and nowhere else.
        write!(f, "Misfit(field {}, {})", self.field, self.error)
    }
}
