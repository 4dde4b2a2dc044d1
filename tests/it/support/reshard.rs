//! Sales on shards whose buckets are moved, and where each of them is.

use super::shards::Shards;
use rowmill::{Entity, Find, Reshard, ShardMap, ShardedEngine};

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "sale")]
pub struct Sale {
    #[entity(key)]
    pub id: i64,
    #[entity(shard_key)]
    pub customer: i64,
    pub cents: i64,
}

pub const TABLE: &str =
    "create table sale (id bigint primary key, customer bigint not null, cents bigint not null)";

/// Sales of as many customers.
pub fn sales(count: i64) -> Vec<Sale> {
    (0..count).map(|id| Sale { id, customer: id * 7, cents: id * 3 }).collect()
}

/// A map by hash over the first `count` shards, and the table on all of them, also on those that no map
/// has yet.
pub fn with_sales(shards: &Shards, count: usize, rows: &[Sale]) -> ShardedEngine {
    let names = shards.names();
    let map = ShardMap::hashed_over(64, names[..count].iter().cloned()).unwrap();
    let engine = ShardedEngine::open(map, shards.urls()[..count].iter().cloned()).unwrap();
    (0..names.len()).for_each(|index| shards.alone(index).run(TABLE).unwrap());
    engine.writer().insert_many(rows.to_vec()).unwrap().all().unwrap();
    engine
}

/// The engine of the next map, in which all shards have their share.
pub fn grown(shards: &Shards, engine: &ShardedEngine) -> ShardedEngine {
    let (name, url) = &shards.urls()[engine.ids().count()];
    let map = engine.map().with_shard(name).unwrap();
    engine.with_map(map).shard(name, url).build().unwrap()
}

/// A move of the sales to the map of `engine`.
pub fn reshard(engine: &ShardedEngine) -> Reshard {
    Reshard::to(engine).entity::<Sale>().unwrap().batch_rows(100).workers(2)
}

/// All rows, each of which has to be where the map of `engine` says.
pub fn rows(engine: &ShardedEngine) -> Vec<Sale> {
    let mut all = Vec::new();
    for shard in engine.ids() {
        for sale in Sale::query().all(engine.engine(shard)).unwrap() {
            assert_eq!(engine.shard_of_entity(&sale).unwrap(), shard, "{sale:?}");
            all.push(sale);
        }
    }
    all.sort_by_key(|sale| sale.id);
    all
}

/// Nothing is left of a move on any shard of PostgreSQL but its record.
pub fn assert_nothing_is_left(shards: &Shards) {
    for database in shards.databases() {
        let left = "select (select count(*) from pg_trigger where tgname like 'rowmill%') + \
                    (select count(*) from pg_class where relname like 'shard_change%' or relname like 'shard_stage%') + \
                    (select count(*) from pg_proc where proname like 'shard_change%')";
        assert_eq!(database.value(left), "0");
    }
}
