//! A third shard takes its share of the sales, while somebody writes to them all the time.
//! Run with `cargo run --example reshard`; it makes three SQLite files that go away again.
//! You should see `6000 rows on 3 shards, each where the map says, and every write is there`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

use rowmill::prelude::*;
use rowmill::{Duplicates, Reshard, ShardMap, ShardedEngine};
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Clone, Debug, Entity)]
struct Sale {
    #[entity(key)]
    id: i64,
    #[entity(shard_key)]
    customer: i64,
    cents: i64,
}

const TABLE: &str = "create table sale (id bigint primary key, customer bigint, cents bigint)";

fn sale(id: i64, cents: i64) -> Sale {
    Sale { id, customer: id * 31 % 1_000, cents }
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("make a folder");
    let url = |name: &str| format!("sqlite:{}.db", folder.path().join(name).display());
    let open = |map: ShardMap| {
        let names = map.shards().to_vec();
        let builder = ShardedEngine::builder(map);
        names.iter().fold(builder, |builder, name| builder.shard(name, &url(name))).build()
    };
    let shards = open(ShardMap::hashed(["north", "south"])?)?;
    shards.check()?;
    shards.ids().try_for_each(|shard| shards.engine(shard).run(TABLE))?;
    shards.writer().insert_many((0..6_000).map(|id| sale(id, 0)).collect::<Vec<_>>())?.all()?;

    // The new database has its tables, as any other one; the next map gives it a third of the buckets.
    let grown = open(shards.map().with_shard("west")?)?;
    grown.engine(grown.map().shard_named("west").expect("it was just added")).run(TABLE)?;
    let done = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write_until(&done, shards.clone(), &open));
        // Killed at any instant, it would go on where it was.
        let reshard = Reshard::to(&grown).entity::<Sale>()?;
        let moved = reshard.on_progress(|status| println!("{status}")).run();
        done.store(true, Ordering::Release);
        let written = writer.join().expect("the writer does not panic")?;
        moved.map(|_| written)
    })?;
    let mut rows = 0;
    for shard in grown.ids() {
        let sales = Sale::query().all(grown.engine(shard))?;
        assert!(sales.iter().all(|sale| grown.shard_of_entity(sale).is_ok_and(|at| at == shard)));
        rows += sales.len();
    }
    let changed = Sale::query().filter(Sale::cents.gt(0)).scatter(&grown).count()?;
    assert_eq!(changed, written.min(6_000));
    println!("{rows} rows on 3 shards, each where the map says, and every write is there");
    Ok(())
}

/// Changes one sale after the other, by whichever map holds, and says how many.
fn write_until(
    done: &AtomicBool,
    mut shards: ShardedEngine,
    open: &(impl Fn(ShardMap) -> Result<ShardedEngine> + Sync),
) -> Result<u64> {
    let mut count = 0;
    while !done.load(Ordering::Acquire) || count == 0 {
        let row = sale(count as i64 % 6_000, 1);
        match shards.writer().upsert_many(&[row], Duplicates::Last)?.all() {
            Ok(_) => count += 1,
            // The map has changed, or is just changing: take the stored one, and do it again.
            Err(error) if error.kind() == ErrorKind::Shard => shards = open(shards.stored_map()?)?,
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}
