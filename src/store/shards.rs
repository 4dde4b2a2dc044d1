//! Entities that are stored many at a time, on the shards that they belong to.

use super::crud::map;
use super::duplicates::{Duplicates, Upserted};
use super::record::Record;
use super::{insert, upsert};
use crate::error::Result;
use crate::mapping::key::Keyed;
use crate::mapping::sharded::Sharded;
use crate::sharding::{ShardWriter, ShardWrites};

impl ShardWriter<'_> {
    /// Inserts the rows of entities, each on its shard, as
    /// [`insert_many`](crate::InsertMany::insert_many) does, and hands them out again with what the
    /// databases made of them. Numbers that a database makes are unique on their shard only.
    ///
    /// ```
    /// use rowmill::{Entity, ShardMap, ShardedEngine};
    /// #[derive(Clone, Entity)]
    /// struct Sale {
    ///     #[entity(key)]
    ///     id: i64,
    ///     #[entity(shard_key)]
    ///     customer: i64,
    /// }
    /// # let folder = std::env::temp_dir().join(format!("rowmill-writes-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let url = |name: &str| format!("sqlite:{}", folder.join(name).display());
    /// let map = ShardMap::hashed(["north", "south"])?;
    /// let shards = ShardedEngine::open(map, [("north", url("n.db")), ("south", url("s.db"))])?;
    /// for shard in shards.ids() {
    ///     let table = "create table sale (id integer primary key, customer integer not null)";
    ///     shards.engine(shard).run(table)?;
    /// }
    /// let sales = (0..100).map(|id| Sale { id, customer: id % 10 }).collect();
    /// let written = shards.writer().insert_many::<Sale>(sales)?;
    /// assert!(written.is_complete(), "{written}");
    /// # drop(shards);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` with the row if one has no shard, and then nothing is written; as
    /// [`ShardWriter::write`]. What a shard says is in the report.
    #[track_caller]
    pub fn insert_many<E: Sharded + Send>(&self, rows: Vec<E>) -> Result<ShardWrites<Vec<E>>> {
        let parts = self.split::<E, E>(rows)?;
        self.write(parts, |connection, mut rows| {
            let map = map::<E>(connection)?;
            let mut records: Vec<_> = rows.iter_mut().map(|row| row as &mut dyn Record).collect();
            insert::insert(connection, &map, &mut records)?;
            Ok(rows)
        })
    }

    /// Inserts the rows of entities, or updates those whose key is there and that differ, each on its
    /// shard, as [`upsert_many`](crate::CrudMany::upsert_many) does. Doing it again after a shard
    /// failed changes nothing on the others.
    ///
    /// A row whose shard key changed is another row on another shard: the old one stays where it is.
    ///
    /// # Errors
    /// As [`insert_many`](Self::insert_many).
    #[track_caller]
    pub fn upsert_many<E: Sharded + Keyed + Sync>(
        &self,
        rows: &[E],
        duplicates: Duplicates,
    ) -> Result<ShardWrites<Upserted>> {
        let parts = self.split::<E, &E>(rows)?;
        self.write(parts, |connection, rows: Vec<&E>| {
            let map = map::<E>(connection)?;
            let records: Vec<_> = rows.into_iter().map(|row| row as &dyn Record).collect();
            upsert::upsert(connection, &map, &records, duplicates)
        })
    }
}
