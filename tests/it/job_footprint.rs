//! What a run writes into the ledger for a batch, and what it leaves in the server meanwhile.

use crate::support::{Cluster, shared};
use parking_lot::Mutex;
use rowmill::{Append, Engine, Entity, Iter, Job, Observer, Pipeline, Upsert};
use std::sync::Arc;

#[derive(Entity)]
#[entity(table = "numbers")]
struct Number {
    #[entity(key)]
    id: i64,
}

const BATCHES: u64 = 40;

fn numbers() -> Pipeline<Number> {
    Job::named("footprint").read(Iter::new("numbers", || 0..1_000_i64)).map(|id| Ok(Number { id }))
}

/// batch 3.1: a batch is one row that is inserted with the plan and updated once.
#[test]
fn a_batch_costs_the_ledger_a_row_and_an_update() {
    let cluster = Cluster::start();
    let database = cluster.database("footprint");
    let job = numbers().write(Append::<Number>::new().create(true)).batch_rows(25).workers(2);
    let report = job.run(&Engine::open(&database.url()).unwrap()).unwrap();
    assert_eq!(report.batches, BATCHES);
    // What a session counted is known at the latest when it has ended.
    database.wait_until_alone();
    let counted = database.value(
        "select n_tup_ins || ' ' || n_tup_upd || ' ' || n_tup_del from pg_stat_all_tables \
         where schemaname = 'rowmill' and relname = 'batch'",
    );
    // And the end, which is a unit of its own.
    assert_eq!(counted, format!("{0} {0} 0", BATCHES + 1));
}

/// Connections are opened ahead for those workers alone that get a batch.
#[test]
fn a_job_of_one_batch_opens_no_connection_for_workers_without_one() {
    let database = shared().database("one_batch");
    let builder = Engine::builder(&database.url()).pool_size(8).max_overflow(0);
    let engine = builder.build().unwrap();
    let job = numbers().write(Append::<Number>::new().create(true)).batch_rows(5_000).workers(8);
    assert_eq!(job.run(&engine).unwrap().batches, 1);
    assert_eq!(engine.stats().connects, 1);
}

/// Looks at the stage when the merge begins.
struct Stage {
    url: String,
    seen: Mutex<Vec<String>>,
}

impl Observer for Stage {
    fn phase(&self, name: &str) {
        if name == "merge" {
            let mut client = postgres::Client::connect(&self.url, postgres::NoTls).unwrap();
            let sql = "select relpersistence::text from pg_class where relname like 'stage%' \
                       and relkind = 'r'";
            let kinds = client.query(sql, &[]).unwrap();
            self.seen.lock().extend(kinds.iter().map(|row| row.get::<_, String>(0)));
        }
    }
}

/// batch R8: an unlogged stage would be empty after a crash, while the ledger says that it is not.
#[test]
fn a_stage_outlives_a_crash_of_the_server() {
    let database = shared().database("stage");
    let stage = Arc::new(Stage { url: database.url(), seen: Mutex::default() });
    let job = numbers()
        .write(Upsert::<Number>::new().create(true))
        .observer(Arc::<Stage>::clone(&stage) as Arc<dyn Observer>);
    job.run(&Engine::open(&database.url()).unwrap()).unwrap();
    assert_eq!(*stage.seen.lock(), ["p"]);
}
