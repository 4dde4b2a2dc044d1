//! How many statements a job costs beside its rows: what is asked of the catalog and of the ledger, the
//! transactions of its batches, its end.

use crate::support::Counted;
use crate::support::both::Home;
use rowmill::{Append, Consistency, Entity, Iter, Job, Pipeline, Table, Upsert};

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

/// A job of five batches ran 70 when this was written, or 89 with `upsert`; many more is a step back.
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
    assert!(append <= 75, "{append}");
    // Begin, claim, savepoint, COPY, release, mark, COMMIT; and the look when the connection comes back.
    assert!(more - append <= 4 * 8, "{append} {more}");
    assert!(upsert <= 95, "{upsert}");
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
