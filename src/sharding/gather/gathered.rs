//! What the shards had to say.

use crate::error::{Error, Result};
use std::fmt;

/// What becomes of a query when a shard does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnShardError {
    /// It fails.
    #[default]
    Fail,
    /// It has the rows of the others, and says which shards are missing.
    Partial,
}

/// A shard that did not answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Missing {
    /// Its name.
    pub shard: String,
    /// Why.
    pub error: Error,
}

/// What the shards had to say.
#[derive(Debug)]
#[non_exhaustive]
pub struct Gathered<T> {
    /// The rows, or the count, of those that answered.
    pub found: T,
    /// How many shards were asked.
    pub asked: usize,
    /// Those that did not answer: none, unless [`OnShardError::Partial`] allows it.
    pub missing: Vec<Missing>,
}

impl<T> Gathered<T> {
    /// What was found, if no shard is missing.
    pub(super) fn complete(self) -> Result<T> {
        match self.missing.into_iter().next() {
            Some(missing) => Err(missing.error),
            None => Ok(self.found),
        }
    }

    pub(super) fn map<U>(self, make: impl FnOnce(T) -> U) -> Gathered<U> {
        Gathered { found: make(self.found), asked: self.asked, missing: self.missing }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.shard, self.error)
    }
}
