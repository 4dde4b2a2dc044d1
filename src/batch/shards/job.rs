//! The start of a run over shards.

use crate::batch::job::{Job, into_result};
use crate::batch::report::Report;
use crate::error::{Error, Result};
use crate::sharding::ShardedEngine;

impl Job {
    /// Runs it, its rows spread over shards by their [shard key](Job::shard_key): each is written to
    /// the shard that the map names, once, in a transaction in which the map cannot change.
    ///
    /// Each shard has a ledger of its own, with the rejects of its rows; a row that has no shard (its
    /// key is NULL, the map does not list it, its record cannot be read) is rejected on the first
    /// one. The source is read once for all shards, unless one of them stays behind. A shard that
    /// fails does not stop the others, and [`Report::shards`] says what came of each; the same call
    /// does what is missing. A job is refused where the map is not the one with which it began.
    ///
    /// Modes `append`, `insert-ignore` and `upsert` are possible; a key is unique on each shard, not
    /// over all of them. [`Job::workers`] are those of all shards together, at least one for each;
    /// limits of rejects are of all shards that can be reached.
    ///
    /// ```
    /// use rowmill::{Append, Engine, Entity, Executor, Iter, Job, ShardMap, ShardedEngine};
    ///
    /// #[derive(Entity)]
    /// #[entity(table = "sale")]
    /// struct Sale { #[entity(key)] id: i64, #[entity(shard_key)] customer: i64 }
    ///
    /// # let folder = std::env::temp_dir().join(format!("rowmill-job-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let url = |name: &str| format!("sqlite:{}", folder.join(name).display());
    /// let map = ShardMap::hashed(["north", "south"])?;
    /// let shards = ShardedEngine::open(map, [("north", url("n.db")), ("south", url("s.db"))])?;
    /// let report = Job::named("sales")
    ///     .read(Iter::new("sales", || (0..100).map(|id| Sale { id, customer: id })))
    ///     .write(Append::<Sale>::new().create(true))
    ///     .run_on_shards(&shards)?;
    /// assert_eq!(report.inserted, 100);
    /// assert_eq!(report.shards.iter().map(|shard| shard.inserted).sum::<u64>(), 100);
    /// # drop(shards);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Job::run`], of the shard where it is gravest: the message says what is missing where.
    /// `Shard` if a shard has another map; `Unsupported` for `mirror`, `replace`, files,
    /// [`Job::join`] and [`OnChange::Restart`](crate::OnChange::Restart).
    pub fn run_on_shards(&self, shards: &ShardedEngine) -> Result<Report> {
        into_result(self.execute_on(shards, true))
    }

    /// Does the same shard by shard, on the caller's thread alone: the same result. The source is
    /// read once for each shard.
    ///
    /// # Errors
    /// As [`Job::run_on_shards`].
    pub fn run_serial_on_shards(&self, shards: &ShardedEngine) -> Result<Report> {
        into_result(self.execute_on(shards, false))
    }

    /// Runs it as [`Job::run_on_shards`] and returns what was done, also where there is an error.
    pub fn report_on_shards(&self, shards: &ShardedEngine) -> (Report, Option<Error>) {
        self.execute_on(shards, true)
    }
}
