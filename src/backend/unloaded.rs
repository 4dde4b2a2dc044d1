//! A row that was read in bulk.

use crate::error::Error;
use crate::mapping::rows::Fields;

/// A row that was read in bulk: see [`Connection::unload`](super::Connection::unload).
#[derive(Debug)]
pub struct Unloaded<'a> {
    /// Its packed fields.
    pub fields: Fields<'a>,
    /// Why it is none, where the database has values that are none of their column's type: the
    /// first of them, with its place in the row as the column, from 1. Their fields are NULL.
    pub fault: Option<(usize, Error)>,
}
