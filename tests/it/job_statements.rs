//! How many statements a job costs beside its rows: what is asked of the catalog and of the ledger, the
//! transactions of its batches, its end.

use crate::support::Counted;
use crate::support::both::Home;
use rowmill::{Append, Entity, Iter, Job, Pipeline, Upsert};

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
