//! What is declared of a move, and a run of it.

use super::copy::CopyOptions;
use super::record::{MoveStatus, MoveStep};
use crate::batch::observer::Observer;
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::sharded::Sharded;
use crate::retry::RetryPolicy;
use crate::sharding::{ShardId, ShardedEngine};
use crate::stop::StopToken;
use std::fmt;
use std::sync::Arc;

/// Who wants to be told of each step.
type Told = Arc<dyn Fn(&MoveStatus) + Send + Sync>;

/// Moves buckets of keys between the shards, while others read and write by the map that holds: to the
/// map of an engine, which has to be the next version of the one that is stored.
///
/// It is a job: copied is what is there, then what changed meanwhile, and then the next map is
/// stored. A run that ended, however it did, is carried on by the same call; see the module for
/// what holds meanwhile.
///
/// ```
/// use rowmill::{Entity, Find, MoveStep, Reshard, ShardMap, ShardedEngine};
/// #[derive(Clone, Entity)]
/// struct Sale {
///     #[entity(key)]
///     id: i64,
///     #[entity(shard_key)]
///     customer: i64,
/// }
/// # let folder = std::env::temp_dir().join(format!("rowmill-reshard-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let url = |name: &str| format!("sqlite:{}", folder.join(name).display());
/// let map = ShardMap::hashed(["north", "south"])?;
/// let shards = ShardedEngine::open(map, [("north", url("n.db")), ("south", url("s.db"))])?;
/// let table = "create table sale (id integer primary key, customer integer not null)";
/// shards.ids().try_for_each(|shard| shards.engine(shard).run(table))?;
/// let sales = (0..300).map(|id| Sale { id, customer: id }).collect();
/// shards.writer().insert_many::<Sale>(sales)?.all()?;
///
/// // A third one takes its share. Its tables are made as those of any new database.
/// let grown = shards.with_map(shards.map().with_shard("west")?);
/// let grown = grown.shard("west", &url("w.db")).build()?;
/// let west = grown.map().shard_named("west").unwrap();
/// grown.engine(west).run(table)?;
/// let moved = Reshard::to(&grown).entity::<Sale>()?.run()?;
/// assert_eq!(moved.step, MoveStep::Done);
/// assert_eq!(moved.rows_copied, moved.rows_deleted);
/// assert_eq!(Sale::query().scatter(&grown).count()?, 300);
/// # drop((shards, grown));
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), rowmill::Error>(())
/// ```
#[must_use = "nothing is moved until `run` is called"]
#[derive(Clone)]
pub struct Reshard {
    pub(super) shards: ShardedEngine,
    pub(super) tables: Vec<(String, String)>,
    pub(super) copy: CopyOptions,
    pub(super) retry: RetryPolicy,
    pub(super) stop: StopToken,
    pub(super) told: Vec<Told>,
}

impl Reshard {
    /// Moves to the map of `shards`, which need not be stored anywhere yet.
    pub fn to(shards: &ShardedEngine) -> Self {
        Self {
            shards: shards.clone(),
            tables: Vec::new(),
            copy: CopyOptions::default(),
            retry: RetryPolicy::default(),
            stop: StopToken::new(),
            told: Vec::new(),
        }
    }

    /// Moves the rows of a table by the column that is its shard key. All tables that are spread by
    /// the map have to be named, those that are referred to before those that refer to them; a table
    /// that is not stays where it is. Default: those of the move that is under way.
    pub fn table(mut self, table: impl Into<String>, shard_key: impl Into<String>) -> Self {
        self.tables.push((table.into(), shard_key.into()));
        self
    }

    /// As [`table`](Self::table), of the table of an entity.
    ///
    /// # Errors
    /// `Config` if the entity has no name of a table.
    pub fn entity<E: Sharded>(self) -> Result<Self> {
        let key = E::shard_key().unwrap_or_default();
        Ok(self.table(E::table()?.plain(), key))
    }

    /// Copies in batches of so many rows of the source. Default: that of a job.
    pub fn batch_rows(mut self, rows: u64) -> Self {
        self.copy.batch_rows = Some(rows);
        self
    }

    /// Copies with so many workers. Default: that of a job.
    pub fn workers(mut self, workers: usize) -> Self {
        self.copy.workers = Some(workers);
        self
    }

    /// Has the jobs of the copy watched.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.copy.observers.push(observer);
        self
    }

    /// Sets how patient it is with servers that are away and locks of others. Default: that of a job.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Stops when `token` is asked to.
    pub fn stop(mut self, token: StopToken) -> Self {
        self.stop = token;
        self
    }

    /// Tells where it stands, at every step and as it gets on.
    pub fn on_progress(mut self, tell: impl Fn(&MoveStatus) + Send + Sync + 'static) -> Self {
        self.told.push(Arc::new(tell));
        self
    }

    /// Where the move stands, or the last one, by the record of the first shard.
    ///
    /// # Errors
    /// As [`MoveStatus::read`].
    pub fn status(&self) -> Result<Option<MoveStatus>> {
        let home = Self::home();
        let read = self.shards.engine(home).with(Intent::Write, MoveStatus::read);
        self.shards.at(home, read)
    }

    /// Moves, or goes on where an earlier run ended, or says that it is done.
    ///
    /// # Errors
    /// `AlreadyRunning` if another process moves; `Config` if the map is not the next one of that which
    /// is stored, or of a move that is under way; `Schema` if a table is not the same on the shards;
    /// `Shard` if a shard has another map, or two shards have rows of one key; `Stopped`; as
    /// [`Job::run`](crate::Job::run). After all of them the same call carries on.
    pub fn run(&self) -> Result<MoveStatus> {
        let _lock = self.lock()?;
        if let Some(done) = self.already_done()? {
            return Ok(done);
        }
        let (parties, mut status) = self.begin()?;
        if status.step == MoveStep::Cancel {
            let message = format!("the move to version {} is being cancelled", status.to.version());
            return Err(Error::new(ErrorKind::Config, message).with_hint("cancel it to the end"));
        }
        self.tell(&status);
        loop {
            let next = match status.step {
                MoveStep::Copy => self.copy(&parties, &mut status)?,
                MoveStep::CatchUp => self.catch_up(&parties, &mut status)?,
                MoveStep::Switch => self.switch(&parties, &mut status)?,
                MoveStep::Merge => self.merge(&parties, &mut status)?,
                MoveStep::Clean => Self::clean(&parties)?,
                MoveStep::Done | MoveStep::Cancel | MoveStep::Cancelled => return Ok(status),
            };
            self.enter(&parties, &mut status, next)?;
        }
    }

    /// Leaves everything as it was before a move that has not switched yet.
    ///
    /// # Errors
    /// `Config` if there is none, or it has switched: then it goes on. As [`run`](Self::run).
    pub fn cancel(&self) -> Result<MoveStatus> {
        let _lock = self.lock()?;
        let refused = |what: &str| Error::new(ErrorKind::Config, what);
        match self.status()?.map(|status| status.step) {
            Some(MoveStep::Copy | MoveStep::CatchUp | MoveStep::Cancel) => {}
            Some(MoveStep::Switch | MoveStep::Merge | MoveStep::Clean) => {
                return Err(refused(
                    "the move has switched to the new map, and cannot be cancelled",
                )
                .with_hint("run it to its end, and move the buckets back"));
            }
            _ => return Err(refused("no move is under way")),
        }
        let (parties, mut status) = self.begin()?;
        self.enter(&parties, &mut status, MoveStep::Cancel)?;
        Self::clean(&parties)?;
        self.enter(&parties, &mut status, MoveStep::Cancelled)?;
        Ok(status)
    }

    /// The shard whose record counts.
    pub(super) fn home() -> ShardId {
        ShardedEngine::first()
    }
}

impl fmt::Debug for Reshard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reshard")
            .field("version", &self.shards.map().version())
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}
