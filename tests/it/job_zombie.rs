//! What a killed process leaves under way in the server is waited for, not run into.

use crate::support::{Cluster, LIMIT, TestDb, shared};
use parking_lot::Mutex;
use rowmill::{Append, Engine, Entity, Iter, Job, Observer, OnChange, Pipeline, Result, Upsert};
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
    // Who may begin again stages every row, so that there is something to merge.
    beside(database, phase, sql, &|numbers| {
        numbers.write(Upsert::<Number>::new().create(true)).on_change(OnChange::Restart)
    })
}

fn beside(
    database: &TestDb<'_>,
    phase: &'static str,
    sql: &'static str,
    write: &dyn Fn(Pipeline<Number>) -> Job,
) -> Result<()> {
    let url = database.url();
    let zombie = Arc::new(Zombie { url: url.clone(), phase, sql, ended: Mutex::new(None) });
    let numbers = Job::named("zombie")
        .read(Iter::new("numbers", || 0..1_000_i64))
        .map(|id| Ok(Number { id }));
    let job = write(numbers).observer(Arc::<Zombie>::clone(&zombie) as Arc<dyn Observer>);
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

/// Takes a batch out of the stage and the table and opens it again before the stage is sealed, as a
/// server that
/// died and forgot it would.
struct Forgets {
    url: String,
    done: Mutex<bool>,
}

impl Observer for Forgets {
    fn phase(&self, name: &str) {
        if name != "merge" || std::mem::replace(&mut *self.done.lock(), true) {
            return;
        }
        let mut session = postgres::Client::connect(&self.url, postgres::NoTls).unwrap();
        session
            .batch_execute(
                "delete from rowmill.stage_1 where _rowmill_batch = 0; \
                 delete from numbers where id < 100; \
                 update rowmill.batch set done = false, run_id = null, read = 0 \
                 where phase = 0 and number = 0; \
                 create table marks (at serial, phase int, number int); \
                 create function mark() returns trigger language plpgsql as $$ begin \
                 insert into public.marks (phase, number) values (new.phase, new.number); \
                 return null; end $$; \
                 create trigger mark after update on rowmill.batch for each row \
                 when (new.done) execute function mark()",
            )
            .unwrap();
    }
}

#[test]
fn a_batch_that_the_server_forgot_is_done_again_before_the_stage_is_sealed() -> Result<()> {
    let database = cluster().database("forgets");
    let forgets = Arc::new(Forgets { url: database.url(), done: Mutex::new(false) });
    let job = Job::named("forgets")
        .read(Iter::new("numbers", || 0..1_000_i64))
        .map(|id| Ok(Number { id }))
        .write(Upsert::<Number>::new().create(true))
        .batch_rows(100)
        .observer(Arc::<Forgets>::clone(&forgets) as Arc<dyn Observer>);
    let report = job.run(&Engine::open(&database.url())?)?;
    assert_eq!((report.read, report.inserted, database.count("numbers")), (1_000, 1_000, 1_000));
    // The batch, and then the seal, which marks the merges as done where no row was staged.
    let first = "select string_agg(phase::text, ' ' order by at) from marks where at <= 3";
    assert_eq!(database.value(first), "0 1 3");
    Ok(())
}

fn append(numbers: Pipeline<Number>) -> Job {
    numbers.write(Append::<Number>::new().create(true))
}

/// batch R5, exactly-once 3a
#[test]
fn a_batch_that_a_killed_run_still_commits_is_stored_once() -> Result<()> {
    let stored = "insert into numbers select generate_series(0, 999); \
        update rowmill.batch set done = true, read = 1000, inserted = 1000 where phase = 0";
    beside(&cluster().database("zombie_load"), "load", stored, &append)
}

/// batch R5
#[test]
fn a_keyless_batch_that_a_killed_run_still_commits_is_stored_once() -> Result<()> {
    let database = cluster().database("zombie_keyless");
    database.sql("create table numbers (id bigint)");
    let stored = "insert into numbers select generate_series(0, 999); \
        update rowmill.batch set done = true, read = 1000, inserted = 1000 where phase = 0";
    beside(&database, "load", stored, &|numbers| numbers.write(Append::<Number>::new()))
}

#[test]
fn a_bucket_that_a_killed_run_still_commits_is_merged_once() -> Result<()> {
    let merged = "insert into numbers select id from rowmill.stage_1; \
        update rowmill.batch set done = true, inserted = 1000 where phase = 1";
    run_beside(&cluster().database("zombie_merged"), "merge", merged)
}

/// exactly-once 3a
#[test]
fn an_end_that_a_killed_run_still_commits_is_done_once() -> Result<()> {
    let ended = "update rowmill.batch set done = true where phase = 2; \
        update rowmill.job set status = 'complete'; drop table rowmill.stage_1";
    run_beside(&cluster().database("zombie_end"), "finish", ended)
}
