//! What the dispatcher asks of a source.

use super::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use super::prepared::Prepared;
use crate::error::Result;
use crate::mapping::column::Column;
use std::fmt::Debug;

/// The columns of packed rows, as the target wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// The columns that rows carry, with the target's own types, in the order of the fields.
    pub columns: Vec<Column>,
    /// Which of them are the key, in the key's order.
    pub key: Vec<usize>,
}

impl Layout {
    /// A layout of `columns`, of which those numbered in `key` are the key.
    pub fn new(columns: Vec<Column>, key: Vec<usize>) -> Self {
        Self { columns, key }
    }

    /// An empty list for rows of this layout.
    pub fn rows(&self) -> crate::mapping::rows::Rows {
        crate::mapping::rows::Rows::new(self.columns.len() as u16)
    }
}

/// A source as the dispatcher sees it: it cuts itself into batches, and parses, transforms and
/// packs the rows of one. It is asked from many threads at once, and never while a connection is
/// held.
pub trait Feed: Debug + Send + Sync {
    /// What it reads, for messages: a path, a table.
    fn describe(&self) -> String;

    /// The columns it delivers, with the types the job declared.
    fn columns(&self) -> &[Column];

    /// Identifies the input; cheap, asked at every start.
    ///
    /// # Errors
    /// `Source` if the input cannot be read.
    fn fingerprint(&self) -> Result<Fingerprint>;

    /// Cuts the input into batches, numbered from 0 in input order, in constant memory.
    ///
    /// # Errors
    /// `Source` if the input cannot be read or cut, with the line; what `each` returns.
    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()>;

    /// Reads, parses, transforms and packs the rows of a batch into `out`. A row that cannot be
    /// becomes a reject there.
    ///
    /// # Errors
    /// `Source` if the input cannot be read or is not what was planned; nothing is loaded then.
    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()>;

    /// Finds row `index` (from 0) of a batch again, for the reject store.
    ///
    /// # Errors
    /// `Source` as [`Feed::prepare`].
    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin>;
}
