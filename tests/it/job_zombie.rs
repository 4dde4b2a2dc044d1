//! What a killed process leaves under way in the server is waited for, not run into.

use crate::support::{Cluster, LIMIT, TestDb, shared};
use parking_lot::Mutex;
use rowmill::{Engine, Entity, Iter, Job, Observer, Result, Upsert};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

#[derive(Entity)]
#[entity(table = "numbers")]
struct Number {
    #[entity(key)]
    id: i64,
}

/// When the run enters a phase, it leaves open in another session what a killed run would, and
/// commits that once the run waits for it.
struct Zombie {
    url: String,
    phase: &'static str,
    sql: &'static str,
    ended: Mutex<Option<JoinHandle<()>>>,
}

impl Observer for Zombie {
    fn phase(&self, name: &str) {
        if name != self.phase {
            return;
        }
        let mut session = postgres::Client::connect(&self.url, postgres::NoTls).unwrap();
        session.batch_execute(&format!("begin; {}", self.sql)).unwrap();
        let watcher = self.url.clone();
        *self.ended.lock() = Some(thread::spawn(move || {
            let mut watcher = postgres::Client::connect(&watcher, postgres::NoTls).unwrap();
            let since = Instant::now();
            let waits = "select count(*) from pg_stat_activity \
                where datname = current_database() and wait_event_type = 'Lock'";
            while watcher.query_one(waits, &[]).unwrap().get::<_, i64>(0) == 0 {
                assert!(since.elapsed() < LIMIT, "the run did not wait");
                thread::yield_now();
            }
            session.batch_execute("commit").unwrap();
        }));
    }
}

fn run_beside(database: &TestDb<'_>, phase: &'static str, sql: &'static str) -> Result<()> {
    let url = database.url();
    let zombie = Arc::new(Zombie { url: url.clone(), phase, sql, ended: Mutex::new(None) });
    let job = Job::named("zombie")
        .read(Iter::new("numbers", || 0..1_000_i64))
        .map(|id| Ok(Number { id }))
        .write(Upsert::<Number>::new().create(true))
        .observer(Arc::<Zombie>::clone(&zombie) as Arc<dyn Observer>);
    let report = job.run(&Engine::open(&url)?)?;
    assert_eq!(report.inserted, 1_000);
    assert_eq!(database.count("numbers"), 1_000);
    let watcher = zombie.ended.lock().take().expect("the phase was entered");
    watcher.join().unwrap();
    Ok(())
}

fn cluster() -> &'static Cluster {
    shared()
}

#[test]
fn a_stage_that_a_killed_run_still_seals_is_sealed_once() -> Result<()> {
    let seal = "create index stage_1_bucket on rowmill.stage_1 \
        (_rowmill_bucket, _rowmill_batch, _rowmill_index)";
    run_beside(&cluster().database("zombie_seal"), "merge", seal)
}

#[test]
fn a_bucket_that_a_killed_run_still_merges_is_merged_once() -> Result<()> {
    let claim = "select 1 from rowmill.batch where phase = 1 for update";
    run_beside(&cluster().database("zombie_merge"), "merge", claim)
}
