//! A replacement that empties its table at once and builds the indexes behind the rows, on PostgreSQL.
//!
//! - `indexes`: which are built anew, and that they are what they were
//! - `readers`: who reads the table meanwhile, and whose lock is waited for
//! - `refusals`: what stands against it, and which rights are missing
//! - `death`:   `kill -9` at each of its steps

#[cfg(feature = "cli")]
mod death;
mod indexes;
mod readers;
mod refusals;

use crate::support::{TestDb, shared};
use rowmill::{Engine, Entity, Indexes, Iter, Job, Observer, Replace, Report};
use std::sync::Arc;

#[derive(Clone, Debug, Entity)]
#[entity(table = "items")]
struct Item {
    #[entity(key)]
    id: i64,
    name: Option<String>,
    price: f64,
}

/// The table, with rows of before, and two indexes that only serve reading.
const ITEMS: &str = "create table items (id bigint primary key, name text, \
     price double precision not null); \
     create index by_name on items (name); create index by_price on items (price); \
     insert into items select -n, 'old ' || n, n from generate_series(1, 500) n";

const OLD_ROWS: u64 = 500;

/// So many rows take their place.
const ROWS: i64 = 1_000;

fn database() -> TestDb<'static> {
    let database = shared().database("rebuild");
    database.sql(ITEMS);
    database
}

fn item(id: i64) -> Item {
    Item { id, name: Some(format!("new {id}")), price: id as f64 }
}

fn job(indexes: Indexes) -> Job {
    job_of(indexes, || (0..ROWS).map(item).collect())
}

fn job_of(indexes: Indexes, items: impl Fn() -> Vec<Item> + Send + Sync + 'static) -> Job {
    Job::named("items")
        .read(Iter::new("items", items))
        .write(Replace::<Item>::new().indexes(indexes))
        .batch_rows(100)
}

fn run(database: &TestDb<'_>, job: &Job) -> Report {
    job.run(&Engine::open(&database.url()).unwrap()).unwrap()
}

fn watched(job: Job, observer: &Arc<impl Observer + 'static>) -> Job {
    job.observer(Arc::clone(observer) as Arc<dyn Observer>)
}

/// The rows of before, all of them, and nothing else.
fn assert_old(database: &TestDb<'_>, told: &str) {
    let counted = "select count(*) filter (where id < 0) || ' ' || count(*) from items";
    assert_eq!(database.value(counted), format!("{OLD_ROWS} {OLD_ROWS}"), "{told}");
}

/// The rows of the job, all of them, and nothing else.
fn assert_new(database: &TestDb<'_>, told: &str) {
    let counted = "select count(distinct id) || ' ' || count(*) || ' ' || min(id) from items";
    assert_eq!(database.value(counted), format!("{ROWS} {ROWS} 0"), "{told}");
}

/// All that the catalog says of the indexes of a table, but for their numbers and what the server counts.
fn catalog(database: &TestDb<'_>) -> Vec<Vec<Option<String>>> {
    database.rows(
        "select x.relname, pg_get_indexdef(x.oid), pg_get_userbyid(x.relowner), s.spcname, x.reloptions, \
         x.relpersistence, i.indisunique, i.indisprimary, i.indisexclusion, i.indimmediate, \
         i.indisclustered, i.indisvalid, i.indisready, i.indislive, i.indisreplident, i.indkey, \
         i.indcollation, i.indclass, i.indoption, i.indnkeyatts, i.indcheckxmin, \
         obj_description(x.oid, 'pg_class'), \
         (select string_agg(attname || coalesce(attoptions::text, ''), ' ' order by attnum) \
          from pg_attribute where attrelid = x.oid) \
         from pg_index i join pg_class x on x.oid = i.indexrelid \
         left join pg_tablespace s on s.oid = x.reltablespace \
         where i.indrelid = 'items'::regclass order by 1",
    )
}

/// The numbers of the indexes: one that was built anew has another.
fn numbers(database: &TestDb<'_>) -> Vec<(String, String)> {
    let sql = "select indexrelid::regclass::text, indexrelid from pg_index \
               where indrelid = 'items'::regclass order by 1";
    let rows = database.rows(sql);
    rows.into_iter().map(|row| (row[0].clone().unwrap(), row[1].clone().unwrap())).collect()
}
