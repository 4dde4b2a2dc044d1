//! Sales of a thousand customers on three shards, asked for as if they were on one.
//! Run with `cargo run --example shard_scatter`; it makes three SQLite files that go away again.
//! You should see `20000 rows on 3 shards, 4 countries, and one shard asked for one customer`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

use rowmill::prelude::*;
use rowmill::{OnShardError, ShardMap, ShardedEngine, count_all};

#[derive(Clone, Debug, Entity)]
struct Sale {
    #[entity(key)]
    id: i64,
    #[entity(shard_key)]
    customer: i64,
    country: String,
    cents: i64,
}

const TABLE: &str = "create table sale (id bigint primary key, customer bigint not null, \
                     country text not null, cents bigint not null)";

fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("make a folder");
    let names = ["north", "south", "west"];
    let url = |name: &str| format!("sqlite:{}.db", folder.path().join(name).display());
    let map = ShardMap::hashed(names)?;
    println!("{map}");
    let shards = ShardedEngine::open(map, names.map(|name| (name, url(name))))?;
    for shard in shards.ids() {
        shards.engine(shard).run(TABLE)?;
    }

    // Each row goes to its shard, in one transaction for each of them.
    let countries = ["CH", "AT", "DE", "FR"];
    let sale = |id: i64| Sale {
        id,
        customer: id * 31 % 1_000,
        country: countries[id as usize % 4].to_owned(),
        cents: id % 997,
    };
    let written = shards.writer().insert_many((0..20_000).map(sale).collect())?;
    for (shard, rows) in written.committed() {
        println!("{shard}: {} rows", rows.len());
    }
    assert!(written.is_complete(), "{written}");

    // In order, and no more than a hundred rows of each shard.
    let top = Sale::query().order_by((Sale::cents.desc(), Sale::id)).limit(100);
    let top = top.scatter(&shards).all()?;
    assert!(top.len() == 100 && top.is_sorted_by_key(|sale| (-sale.cents, sale.id)));

    // A group has rows on all shards; a mean is not the mean of three means.
    let countries = Sale::query()
        .group_by(Sale::country)
        .order_by(Sale::country)
        .select((Sale::country, count_all::<Sale>(), Sale::cents.avg(), Sale::id.count_distinct()))
        .scatter(&shards)
        .all()?;
    assert!(countries.iter().all(|(_, rows, _, ids)| (*rows, *ids) == (5_000, 5_000)));

    // What carries the shard key goes to one shard. What could not be asked would be in `missing`.
    let one = Sale::query().filter(Sale::customer.eq(42));
    let one = one.scatter(&shards).on_error(OnShardError::Partial).gather()?;
    assert!(one.found.len() == 20 && one.missing.is_empty());

    let rows = Sale::query().scatter(&shards).count()?;
    println!(
        "{rows} rows on {} shards, {} countries, and {} asked for one customer",
        shards.ids().count(),
        countries.len(),
        if one.asked == 1 { "one shard" } else { "several shards" }
    );
    Ok(())
}
