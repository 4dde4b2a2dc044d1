//! The packed rows of a batch, as a sink takes them.

use crate::mapping::key_range::KeyRange;
use crate::mapping::rows::Rows;

/// The packed rows of a batch, as a sink takes them.
#[derive(Clone, Copy, Debug)]
pub struct Portion<'a> {
    /// The good rows.
    pub rows: &'a Rows,
    /// For each good row its number in the batch, from 0.
    pub indexes: &'a [u32],
    /// The keys of rows that were refused before: the source still names them.
    pub named_keys: &'a Rows,
    /// For each of `named_keys` its number in the batch.
    pub named_indexes: &'a [u32],
    /// Whether a row was refused of which nobody can tell the key.
    pub hides_keys: bool,
    /// The range of the source's key of which no other batch has a row, where there is one.
    pub key_range: Option<KeyRange>,
}
