//! Sources that know more of a plan than bounds can say.

use super::bounds::{Bounds, Origin};
use super::feed::Layout;
use crate::engine::Acquire;
use crate::error::Result;
use crate::mapping::key_range::KeyRange;
use crate::mapping::rows::Fields;
use crate::stop::StopToken;
use std::fmt::Debug;
use std::sync::Arc;

/// What a run has for the sources that need it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Surroundings {
    /// The database that is written to, for a source that is in it, too.
    pub engine: Arc<dyn Acquire>,
    /// How many batches are in flight at once.
    pub workers: usize,
    /// Asks the run to stop.
    pub stop: StopToken,
    /// What makes the job the same job: a hash.
    pub identity: String,
    /// Whether other processes work on the same job, each with a source of its own.
    pub shared: bool,
    /// Whether it makes a difference in which order rows come: which of two with one key counts, or
    /// how a file looks. Default: yes.
    pub ordered: bool,
}

impl Surroundings {
    /// Those of a run of `workers` workers on `engine`.
    pub fn new(engine: Arc<dyn Acquire>, workers: usize) -> Self {
        let (stop, identity) = (StopToken::new(), String::new());
        Self { engine, workers, stop, identity, shared: false, ordered: true }
    }
}

/// What is left of a row that was prepared and then refused by the target.
#[derive(Debug)]
#[non_exhaustive]
pub struct Kept<'a> {
    /// Its columns.
    pub layout: &'a Layout,
    /// Its packed fields.
    pub fields: Fields<'a>,
    /// What was noted of its position: see [`Prepared::positions`](super::prepared::Prepared).
    pub position: Option<&'a [u8]>,
}

impl<'a> Kept<'a> {
    /// A row of `layout`, and what was noted of its position.
    pub fn new(layout: &'a Layout, fields: Fields<'a>, position: Option<&'a [u8]>) -> Self {
        Self { layout, fields, position }
    }
}

/// A source that is not read by bounds alone: what a run tells it, and asks of it.
///
/// ```text
/// begin     at every start, before all else
/// memo      after the plan was made: kept in the ledger, in the transaction of the plan
/// recall    with the plan that holds, whoever made it, before the first batch
/// settle    before the end of the job
/// end       when the run is over
/// ```
pub trait Stateful: Send + Sync {
    /// A run begins.
    ///
    /// # Errors
    /// `Config` or `Schema` if the source cannot be read by a run like this one; as its
    /// connections.
    fn begin(&self, surroundings: &Surroundings) -> Result<()>;

    /// What has to be known of the plan that was just made, beside its bounds, to read its
    /// batches.
    ///
    /// # Errors
    /// `Internal` if there is no plan.
    fn memo(&self) -> Result<String>;

    /// Takes up a plan, of which some batches are done if it has `begun`.
    ///
    /// # Errors
    /// `Source` if the input is not any more what was planned.
    fn recall(&self, memo: &str, begun: bool) -> Result<()>;

    /// Every batch was read: the last word on whether the input was what was promised of it.
    ///
    /// # Errors
    /// `Source` if it was not.
    fn settle(&self) -> Result<()>;

    /// The run is over, and the job is if it is `complete`: what was held is given back.
    fn end(&self, complete: bool);

    /// How it is cut and what it promises, for a person, once it was planned.
    fn explain(&self) -> Vec<String>;

    /// The range of which no other batch has a row, where batches are ranges of a key that is a whole number:
    /// then every batch has one, be it empty, and no two have a number in common. Default: they are not.
    fn key_range(&self, bounds: &Bounds) -> Option<KeyRange> {
        let _ = bounds;
        None
    }

    /// The origin of row `index` of a batch that the target refused, of which `kept` is left. It is
    /// asked while a connection of the target is held, and takes none.
    fn refused(&self, bounds: &Bounds, index: u32, kept: Option<Kept<'_>>) -> Origin;
}
