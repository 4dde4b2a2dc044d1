//! What a run writes into the ledger for a batch, and what it leaves in the server meanwhile.

use crate::support::{Cluster, shared};
use parking_lot::Mutex;
use rowmill::{Append, Engine, Entity, Iter, Job, Observer, Pipeline, Upsert};
use rowmill::{
    Bounds, Column, ColumnType, CutLimits, Feed, Fingerprint, Ident, Layout, Mode, Origin,
    Prepared, Result, TableName, Target,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Texts, each a batch. It notes what the memory is like into which they are packed.
#[derive(Debug)]
struct Texts {
    columns: Vec<Column>,
    rows: u64,
    /// How large the text of a row is.
    size: fn(u64) -> usize,
    /// How often memory had to be asked for.
    asked: AtomicUsize,
    /// The most that was packed when another one was asked for.
    most: AtomicUsize,
}

impl Texts {
    fn new(rows: u64, size: fn(u64) -> usize) -> Arc<Self> {
        let columns = vec![Column::new(Ident::new("text").unwrap(), ColumnType::Text)];
        let (asked, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { columns, rows, size, asked, most })
    }

    fn job(self: &Arc<Self>, name: &str, mode: Mode) -> Job {
        let table = TableName::parse("texts").unwrap();
        let target = Target::new(table, self.columns.clone(), Vec::new(), mode).unwrap();
        let feed = Arc::<Self>::clone(self) as Arc<dyn Feed>;
        Job::named(name).feed(feed, target).batch_rows(1).workers(2)
    }
}

impl Feed for Texts {
    fn describe(&self) -> String {
        "texts".to_owned()
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint("texts".to_owned()))
    }

    fn plan(&self, _: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        (0..self.rows).try_for_each(|row| each(Bounds::of_rows(row as u32, row + 1, 1)))
    }

    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()> {
        self.asked.fetch_add(usize::from(out.indexes.capacity() == 0), Ordering::Relaxed);
        self.most.fetch_max(out.rows.size_bytes(), Ordering::Relaxed);
        out.read += bounds.rows;
        out.push(0, layout, |to| to.field(&vec![b'x'; (self.size)(bounds.first_row)]))
    }

    fn origin(&self, bounds: &Bounds, _: u32) -> Result<Origin> {
        Ok(Origin::of_row(bounds.first_row, Vec::new()))
    }
}

/// A long plan is handed out in parts. Memory that is freed behind each of them and asked for again comes to
/// lie beside what was there, so that a long job would take more than a short one.
#[test]
fn workers_keep_their_memory_from_one_part_of_a_long_plan_to_the_next() {
    let database = shared().database("kept");
    database.sql("create table texts (text text not null)");
    for (name, is_serial, most) in [("parallel", false, 2), ("serial", true, 1)] {
        let texts = Texts::new(1_500, |_| 10);
        let job = texts.job(name, Mode::Replace);
        let engine = Engine::open(&database.url()).unwrap();
        let report = if is_serial { job.run_serial(&engine) } else { job.run(&engine) }.unwrap();
        assert_eq!((report.batches, report.inserted), (1_500, 1_500));
        let asked = texts.asked.load(Ordering::Relaxed);
        assert!((1..=most).contains(&asked), "{name}: {asked} times");
    }
}

const SHORT_BATCHES: u64 = 60;
const LONG: usize = 100 << 10;

/// batch 3.7.3: how large the rows of a batch are is known when they are packed.
#[test]
fn batches_that_become_larger_do_not_share_more_memory_than_a_batch_may_have() {
    let database = shared().database("swelling");
    database.sql("create table texts (text text not null)");
    let size = |row| if row > SHORT_BATCHES { LONG } else { 10 };
    let texts = Texts::new(2 * SHORT_BATCHES, size);
    let job = texts.job("swelling", Mode::Append).batch_bytes(4 * LONG as u64);
    let report = job.run_serial(&Engine::open(&database.url()).unwrap()).unwrap();
    assert_eq!((report.batches, report.inserted), (2 * SHORT_BATCHES, 2 * SHORT_BATCHES));
    let most = texts.most.load(Ordering::Relaxed);
    assert!((LONG..4 * LONG).contains(&most), "{most} bytes of {}", 4 * LONG);
    assert!(report.receipt.transactions.unwrap().count > 4, "short ones did not share any");
}
