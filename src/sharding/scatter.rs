//! The same work on several shards, all at once.

use super::engine::ShardedEngine;
use super::placement::ShardId;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

impl ShardedEngine {
    /// Does `work` for each of `shards`, all at once on the worker set, and hands out what came of
    /// it in the same order. A failure of one does not stop the others, and names its shard; a
    /// panic is one, too. `work` must hold one connection at a time.
    ///
    /// # Errors
    /// `Internal` if the caller's thread holds a connection. What `work` returns is in the results.
    #[track_caller]
    pub fn on_each<T: Send>(
        &self,
        shards: &[ShardId],
        work: impl Fn(ShardId, &Engine) -> Result<T> + Sync,
    ) -> Result<Vec<Result<T>>> {
        let one = |shard| {
            let done = catch_unwind(AssertUnwindSafe(|| work(shard, self.engine(shard))));
            let panicked = || Err(Error::new(ErrorKind::Panic, "work on a shard panicked"));
            self.at(shard, done.unwrap_or_else(|_| panicked()))
        };
        if let &[shard] = shards {
            return Ok(vec![one(shard)]);
        }
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<_>> = Mutex::new(shards.iter().map(|_| None).collect());
        let serve = || {
            while let Some((place, &shard)) = {
                let place = next.fetch_add(1, Ordering::Relaxed);
                shards.get(place).map(|shard| (place, shard))
            } {
                let done = one(shard);
                results.lock()[place] = Some(done);
            }
        };
        self.workers().run(|_| serve(), || ())?;
        let undone = || Err(Error::new(ErrorKind::Internal, "a shard was not asked"));
        Ok(results.into_inner().into_iter().map(|done| done.unwrap_or_else(undone)).collect())
    }
}
