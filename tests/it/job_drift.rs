//! The table changes while a job writes to it.

use crate::support::{TestDb, shared};
use parking_lot::Mutex;
use rowmill::{Append, BatchDone, Engine, Entity, Iter, Job, Observer, Pipeline, Upsert};
use std::sync::{Arc, OnceLock};

const ROWS: i64 = 400;

#[derive(Entity)]
#[entity(table = "drifting")]
struct Drifting {
    #[entity(key)]
    id: i64,
    a: i32,
    b: i32,
}

/// Runs statements once, when the first batches are in.
struct Ddl {
    url: String,
    sql: Mutex<Option<&'static str>>,
    done: Arc<OnceLock<()>>,
}

impl Observer for Ddl {
    fn batch_done(&self, _: &BatchDone) {
        let Some(sql) = self.sql.lock().take() else { return };
        let mut client = postgres::Client::connect(&self.url, postgres::NoTls).unwrap();
        let ran = client.batch_execute(sql);
        self.done.get_or_init(|| ());
        ran.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

/// A change, and what takes it back where the job cannot go on with it.
const CHANGES: [(&str, &str); 9] = [
    ("alter table drifting add column c int", ""),
    ("alter table drifting add column c int not null default 7", ""),
    ("alter table drifting drop column gone", ""),
    (
        "alter table drifting alter column a type bigint",
        "alter table drifting alter column a type int",
    ),
    // The two change places, and keep their names and their values.
    (
        "alter table drifting rename a to x; alter table drifting rename b to a; \
         alter table drifting rename x to b; update drifting set a = b, b = a",
        "",
    ),
    (
        "alter table drifting drop column b; alter table drifting drop column a; \
         alter table drifting add column b int; alter table drifting add column a int; \
         update drifting set a = id * 10, b = id * 10 + 1",
        "",
    ),
    (
        "alter table drifting drop column b",
        "alter table drifting add column b int; \
      update drifting set b = id * 10 + 1",
    ),
    ("alter table drifting rename to elsewhere", "alter table elsewhere rename to drifting"),
    ("alter table drifting alter column a set not null, add check (a >= 0)", ""),
];

type Write = fn(Pipeline<Drifting>) -> Job;

/// The second half of the rows comes when the table has changed.
fn rows(changed: &Arc<OnceLock<()>>) -> Pipeline<Drifting> {
    let changed = Arc::clone(changed);
    Job::named("drift").read(Iter::new("numbers", || 0..ROWS)).map(move |id| {
        if id >= ROWS / 2 {
            changed.wait();
        }
        Ok(Drifting { id, a: id as i32 * 10, b: id as i32 * 10 + 1 })
    })
}

fn finish(job: Job) -> Job {
    job.batch_rows(20).workers(2)
}

/// F35: whatever becomes of the columns on the way, the job ends in order or goes on, and no value
/// is in the wrong column; what was stopped is carried on once the table fits again.
#[test]
fn a_table_that_changes_during_a_job_has_no_value_in_the_wrong_column() {
    let writes: [(&str, Write); 2] = [
        ("append", |rows| rows.write(Append::<Drifting>::new())),
        ("upsert", |rows| rows.write(Upsert::<Drifting>::new())),
    ];
    for (mode, write) in writes {
        for (change, back) in CHANGES {
            let database = shared().database("drift");
            database.sql("create table drifting (id bigint primary key, gone int, a int, b int)");
            let engine = Engine::open(&database.url()).unwrap();
            let done = Arc::new(OnceLock::new());
            let job = finish(write(rows(&done)));
            let job = job.observer(Arc::new(Ddl {
                url: database.url(),
                sql: Mutex::new(Some(change)),
                done: Arc::clone(&done),
            }));
            let (report, error) = job.report(&engine);
            eprintln!("{mode}: {change}: {:?} {error:?}", report.status);
            if let Some(error) = error {
                // It says so at once, and is not tried again until the patience ends.
                assert!(!error.is_transient(), "{mode}: {change}: {error}");
                database.sql(back);
                let again = finish(write(rows(&done))).run(&engine);
                assert!(again.is_ok(), "{mode}: {change}: {error}, then {again:?}");
            }
            assert_eq!(wrong(&database), "400 0", "{mode}: {change}");
        }
    }
}

/// How many rows there are, and how many have a value that is another column's.
fn wrong(database: &TestDb<'_>) -> String {
    database.value(
        "select count(*) || ' ' || count(*) filter (where a is distinct from id * 10 \
         or b is distinct from id * 10 + 1) from drifting",
    )
}

/// The check itself finds a value that is in the wrong column.
#[test]
fn a_value_in_the_wrong_column_is_noticed() {
    let database = shared().database("swapped");
    database.sql(
        "create table drifting as select n::bigint id, n * 10 a, n * 10 + 1 b \
         from generate_series(0, 399) n; update drifting set a = b, b = a where id = 7",
    );
    assert_eq!(wrong(&database), "400 1");
}
