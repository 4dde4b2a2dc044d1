//! Updates and deletions, run.

use super::run;
use crate::engine::{Executor, Intent};
use crate::error::Result;
use crate::mapping::entity::Entity;
use crate::query::{Delete, Statement, Update, render};
use crate::sharding::{ShardId, ShardWriter, ShardWrites};
use crate::sql::dialect::Dialect;

macro_rules! run_change {
    ($name:ident, $render:path) => {
        impl<E: Entity> $name<E> {
            /// Runs it and says how many rows there were.
            ///
            /// # Errors
            /// `Config` if it has no condition and does not say `every_row`; as [`Executor::with`];
            /// `Database` or `Disconnect`; as [`Query::statement`](crate::Query::statement).
            #[track_caller]
            pub fn run(&self, on: &impl Executor) -> Result<u64> {
                run::execute(on, |dialect| $render(self, dialect, false))
            }

            /// Runs it and hands out the rows.
            ///
            /// # Errors
            /// As [`run`](Self::run); `Decode` with the column.
            #[track_caller]
            pub fn returning(&self, on: &impl Executor) -> Result<Vec<E>> {
                let mut rows = Vec::new();
                let build = |dialect| $render(self, dialect, true);
                run::query(on, Intent::Write, build, &mut |row| {
                    rows.push(E::unpack(&mut |index| row.cell(index))?);
                    Ok(())
                })?;
                Ok(rows)
            }

            /// The text and the values with which it is run on a database that speaks `dialect`.
            ///
            /// # Errors
            /// As [`Query::statement`](crate::Query::statement); `Config` if it has no condition.
            pub fn statement(&self, dialect: Dialect) -> Result<Statement> {
                $render(self, dialect, false)
            }
        }
    };
}

impl ShardWriter<'_> {
    /// Runs an update on the shards that can have its rows, all at once: a condition on the shard key
    /// (`eq`, `is_in`) narrows it down to its shards. Each does its part in one transaction, and the
    /// report says how many rows it changed, and where it is not committed.
    ///
    /// ```
    /// use rowmill::{Entity, ShardMap, ShardedEngine, Update};
    /// #[derive(Entity)]
    /// struct Sale {
    ///     #[entity(key)]
    ///     id: i64,
    ///     #[entity(shard_key)]
    ///     customer: i64,
    ///     paid: bool,
    /// }
    /// # let folder = std::env::temp_dir().join(format!("rowmill-change-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let url = |name: &str| format!("sqlite:{}", folder.join(name).display());
    /// let map = ShardMap::hashed(["north", "south"])?;
    /// let shards = ShardedEngine::open(map, [("north", url("n.db")), ("south", url("s.db"))])?;
    /// for shard in shards.ids() {
    ///     let table = "create table sale (id integer primary key, customer integer not null, \
    ///                  paid boolean not null)";
    ///     shards.engine(shard).run(table)?;
    /// }
    /// let sales = (0..100).map(|id| Sale { id, customer: id % 10, paid: false }).collect();
    /// shards.writer().insert_many::<Sale>(sales)?.all()?;
    ///
    /// let pay = Update::<Sale>::new().set(Sale::paid, true).filter(Sale::id.lt(30));
    /// let paid: u64 = shards.writer().update(&pay)?.all()?.iter().map(|(_, rows)| rows).sum();
    /// assert_eq!(paid, 30);
    /// # drop(shards);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` if it has no condition and does not say `every_row`, sets the shard key, or its entity
    /// has none; `Unsupported` if its condition looks at rows of other shards; as
    /// [`write`](Self::write). What a shard says is in the report.
    #[track_caller]
    pub fn update<E: Entity>(&self, update: &Update<E>) -> Result<ShardWrites<u64>> {
        let shards = self.shards().shards_of_change(&update.change, &update.set)?;
        self.change(shards, |dialect| render::update(update, dialect, false))
    }

    /// Runs a deletion, as [`update`](Self::update) an update.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    #[track_caller]
    pub fn delete<E: Entity>(&self, delete: &Delete<E>) -> Result<ShardWrites<u64>> {
        let shards = self.shards().shards_of_change(&delete.change, &[])?;
        self.change(shards, |dialect| render::delete(delete, dialect, false))
    }

    #[track_caller]
    fn change(
        &self,
        shards: Vec<ShardId>,
        build: impl Fn(Dialect) -> Result<Statement> + Sync,
    ) -> Result<ShardWrites<u64>> {
        let parts = shards.into_iter().map(|shard| (shard, ())).collect();
        self.write(parts, |connection, ()| {
            let statement = build(connection.capabilities().dialect)?;
            connection.execute(&statement.sql, &run::params(&statement.values))
        })
    }
}

run_change!(Update, render::update);
run_change!(Delete, render::delete);
