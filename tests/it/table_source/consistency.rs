//! What others write while a table is read, and what is promised of it.

use crate::support::Home;
use rowmill::{Append, BatchDone, Consistency, Entity, Job, Observer, Result, Table};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "a")]
pub(super) struct Row {
    #[entity(key)]
    pub(super) id: i64,
    pub(super) v: i64,
}

/// Rows 1 to 1000 in `a`, and a table without a key for what is read.
pub(super) fn home_with_rows() -> Home {
    let home = Home::postgres();
    home.sql(
        "create table a (id bigint primary key, v bigint not null);
         insert into a select n, n from generate_series(1, 1000) n; analyze a;
         create table b (id bigint, v bigint); create table before as table a",
    );
    wait_until_counts(&home, "n_tup_ins", 1_000);
    home
}

/// Waits until the server counts a change of `a` that was just made: others learn of it later.
pub(super) fn wait_until_counted(home: &Home, deleted: u64) {
    wait_until_counts(home, "n_tup_del", deleted);
}

/// The same, of any number of rows.
pub(super) fn wait_until_counts(home: &Home, what: &str, least: u64) {
    let sql = format!("select {what} from pg_stat_all_tables where relid = 'a'::regclass");
    let counted = || home.rows(&sql)[0].parse::<u64>().unwrap();
    crate::support::fake::until("the change was counted", || counted() >= least);
}

/// A job from `a` to `b`; `meanwhile` is done while the first row is on its way.
fn job(home: &Home, table: Table<Row>, meanwhile: impl Fn() + Send + Sync + 'static) -> Job {
    let is_done = Arc::new(AtomicBool::new(false));
    Job::named(home.job_name())
        .read(table)
        .map(move |row: Row| -> Result<Row> {
            if !is_done.swap(true, Ordering::SeqCst) {
                meanwhile();
            }
            Ok(row)
        })
        .write(Append::<Row>::new().table("b"))
        .batch_rows(100)
        .workers(1)
}

/// Changes rows in the part that is read first and in the part that is read last.
fn change(home: &Arc<Home>) -> impl Fn() + Send + Sync + 'static {
    let home = Arc::clone(home);
    move || {
        home.sql(
            "update a set v = -1 where id in (5, 995); delete from a where id in (6, 996);
             insert into a values (-7, 0), (2000, 0); update a set v = v + 0 where id > 500",
        );
        wait_until_counted(&home, 2);
    }
}

/// batch R10
#[test]
fn a_snapshot_is_the_table_at_one_instant_whatever_is_written_meanwhile() {
    for table in [Table::<Row>::all(), Table::all().partitions(rowmill::Partitions::Blocks)] {
        let home = Arc::new(home_with_rows());
        let table = table.consistency(Consistency::Snapshot);
        let report = job(&home, table, change(&home)).run(home.engine()).unwrap();
        assert!(report.batches >= 2, "{}", report.batches);
        super::assert_same(&home, "before", "b");
    }
}

/// batch R10
#[test]
fn batch_by_batch_each_row_that_is_there_all_the_time_is_read_once() {
    let home = Arc::new(home_with_rows());
    let report = job(&home, Table::all(), change(&home)).run(home.engine()).unwrap();
    assert!(report.batches >= 8, "{}", report.batches);
    // Nothing twice; and missing is nothing but what was deleted before its batch was read, or put
    // in after it.
    assert_eq!(home.rows("select id from b group by id having count(*) > 1"), [] as [&str; 0]);
    let missing = "select id from (select id from before union select id from a) x \
                   where id not in (select id from b) order by id";
    assert_eq!(home.rows(missing), ["-7", "996"]);
    assert_eq!(home.rows("select v from b where id in (5, 995) order by id"), ["5", "-1"]);
}

/// batch R10
#[test]
fn a_table_that_was_to_stay_as_it_is_and_did_not_fails_the_run() {
    let home = Arc::new(home_with_rows());
    let table = || Table::<Row>::all().consistency(Consistency::Static);
    let error = job(&home, table(), change(&home)).run(home.engine()).unwrap_err().to_string();
    assert!(error.contains("1000 inserted, 0 updated, 0 deleted"), "{error}");
    assert!(error.contains("1002 inserted, 502 updated, 2 deleted"), "{error}");
    let home = home_with_rows();
    job(&home, table(), || ()).run(home.engine()).unwrap();
    super::assert_same(&home, "before", "b");
}

/// Tries to empty the table after the first batch, while nobody reads.
#[derive(Debug)]
struct Emptier {
    url: String,
    refused: AtomicBool,
}

impl Observer for Emptier {
    fn batch_done(&self, _: &BatchDone) {
        let engine = rowmill::Engine::open(&self.url).unwrap();
        let error = engine.run("set lock_timeout = 50; truncate a").expect_err("it is to be read");
        assert_eq!(error.sqlstate().unwrap().code(), "55P03");
        self.refused.store(true, Ordering::SeqCst);
    }
}

/// batch R10
#[test]
fn nobody_rewrites_or_empties_a_table_while_its_snapshot_lives() {
    let home = home_with_rows();
    let emptier = Arc::new(Emptier { url: home.url().to_owned(), refused: AtomicBool::new(false) });
    let table = Table::all().consistency(Consistency::Snapshot);
    let job = job(&home, table, || ()).observer(Arc::clone(&emptier) as _);
    job.run(home.engine()).unwrap();
    assert!(emptier.refused.load(Ordering::SeqCst));
    super::assert_same(&home, "before", "b");
}

#[test]
fn several_processes_do_not_read_snapshots_of_their_own() {
    let home = home_with_rows();
    let copy = |consistency| {
        let table = Table::all().consistency(consistency);
        job(&home, table, || ()).join(None).run(home.engine())
    };
    let error = copy(Consistency::Snapshot).unwrap_err();
    assert_eq!(error.kind(), rowmill::ErrorKind::Config);
    assert!(error.message().contains("several processes cannot read one snapshot"), "{error}");
    assert_eq!(home.rows("select count(*) from b"), ["0"]);
    assert_eq!(copy(Consistency::PerBatch).unwrap().inserted, 1_000);
}
