//! How many statements a job costs beside its rows: what is asked of the catalog and of the ledger, the
//! transactions of its batches, its end.

use crate::support::both::Home;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Counted, shared};
use rowmill::{
    Append, Consistency, Engine, Entity, InsertIgnore, Iter, Job, Pipeline, Table, Upsert,
};

#[derive(Entity)]
#[entity(table = "t")]
struct Row {
    #[entity(key)]
    id: i64,
}

const BATCH: i64 = 100;

/// Rows of so many batches, behind those of the jobs before.
fn batches(name: &str, first: i64, batches: i64) -> Pipeline<Row> {
    let rows = Iter::new("rows", move || first..first + batches * BATCH);
    Job::named(name).read(rows).map(|id| Ok(Row { id }))
}

fn statements(counted: &Counted, job: Job) -> usize {
    counted.take();
    let report = job.batch_rows(BATCH as u64).workers(2).run(&counted.engine).unwrap();
    assert_eq!(report.inserted, report.read);
    let taken = counted.take();
    if std::env::var_os("ROWMILL_SHOW_STATEMENTS").is_some() {
        for sql in &taken {
            eprintln!("{sql}");
        }
    }
    taken.len()
}

/// A job of five batches ran 50 when this was written, or 81 with `upsert`; many more is a step back.
#[test]
fn a_job_of_five_batches_runs_few_statements() {
    let home = Home::postgres();
    home.sql("create table t (id bigint primary key)");
    let counted = Counted::on(&home);
    // The first one creates the ledger.
    statements(&counted, batches("zero", 0, 1).write(Append::<Row>::new()));
    let append = statements(&counted, batches("append", 1_000, 5).write(Append::<Row>::new()));
    let more = statements(&counted, batches("more", 2_000, 9).write(Append::<Row>::new()));
    let upsert = statements(&counted, batches("upsert", 4_000, 5).write(Upsert::<Row>::new()));
    eprintln!("append {append}, nine batches {more}, upsert {upsert}");
    assert!(append <= 53, "{append}");
    // BEGIN, the claim, COPY, the marks, COMMIT.
    assert!(more - append <= 4 * 5, "{append} {more}");
    assert!(upsert <= 84, "{upsert}");
}

#[derive(Entity)]
#[entity(table = "a")]
struct Item {
    #[entity(key)]
    id: i64,
}

/// A batch is one COPY that is read, without a transaction around it, and where its keys are all new one
/// statement that is written; of buckets that have nothing to merge nobody asks anything.
#[test]
fn a_batch_of_a_table_that_is_upserted_runs_few_statements() {
    let home = Home::postgres();
    home.sql("create table a (id bigint primary key); create table t (id bigint primary key)");
    home.sql("insert into a select n from generate_series(1, 4000) n");
    home.sql("analyze a");
    let counted = Counted::on(&home);
    let job = |name: &str| {
        let items = Table::<Item>::all().consistency(Consistency::PerBatch);
        let rows = Job::named(name).read(items).map(|item| Ok(Row { id: item.id }));
        rows.write(Upsert::<Row>::new()).batch_rows(BATCH as u64).workers(1)
    };
    job("first").run(&counted.engine).unwrap();
    home.sql("truncate t");
    counted.take();
    let report = job("second").run(&counted.engine).unwrap();
    let taken = counted.take();
    let of = |what: &str| taken.iter().filter(|sql| sql.contains(what)).count() as u64;
    let reads = of("SELECT t.\"id\" FROM \"a\" AS t");
    assert_eq!((reads, of("READ ONLY")), (report.batches, 1));
    assert_eq!(of("INSERT INTO \"t\""), report.batches);
    assert_eq!(of("SELECT count(*) FROM \"rowmill\".\"stage_"), 0);
}

/// How many round trips each batch more takes, in transactions of one batch each; `job` makes one of so many
/// batches.
fn trips_a_batch(home: &Home, job: impl Fn(&str, i64) -> Job) -> f64 {
    home.sql("truncate t; drop schema if exists rowmill cascade");
    let proxy = Proxy::to(shared().port());
    let engine = Engine::open(&proxy.instead_of(home.url())).unwrap();
    let trips = |name, batches| {
        let job = job(name, batches).batch_rows(BATCH as u64).workers(1).batches_a_transaction(1);
        proxy.set(Fault::Pass);
        let report = job.run(&engine).unwrap();
        assert_eq!(report.read - report.unchanged, report.inserted);
        (proxy.turns() as f64, report.batches as f64)
    };
    trips("none", 1);
    let (few, many) = (trips("few", 10), trips("many", 210));
    (many.0 - few.0) / (many.1 - few.1)
}

/// BEGIN, the claim and the rows are one, the marks and COMMIT the other.
#[test]
fn a_batch_of_few_rows_is_two_round_trips() {
    let home = Home::postgres();
    home.sql("create table t (id bigint primary key)");
    let rows = |name: &str, count| batches(name, count * 1_000, count);
    let append = trips_a_batch(&home, |name, count| rows(name, count).write(Append::<Row>::new()));
    let ignore = |name: &str, count| rows(name, count).write(InsertIgnore::<Row>::new());
    let staged = trips_a_batch(&home, ignore);
    eprintln!("append {append}, staged {staged}");
    assert!((1.8..2.3).contains(&append), "append {append}");
    assert!((1.8..2.3).contains(&staged), "staged {staged}");
}

/// And one is the read.
#[test]
fn a_batch_of_a_table_that_is_upserted_is_three_round_trips() {
    let home = Home::postgres();
    home.sql("create table t (id bigint primary key)");
    for count in [1, 10, 210] {
        home.sql(&format!(
            "create table a{count} (id bigint primary key); \
             insert into a{count} select generate_series(1, {count} * {BATCH}); analyze a{count}"
        ));
    }
    let trips = trips_a_batch(&home, |name, count| {
        let items = Table::<Item>::named(&format!("a{count}")).consistency(Consistency::PerBatch);
        let rows = Job::named(name).read(items).map(|item| Ok(Row { id: item.id }));
        rows.write(Upsert::<Row>::new())
    });
    eprintln!("{trips}");
    assert!((2.8..3.3).contains(&trips), "{trips}");
}
