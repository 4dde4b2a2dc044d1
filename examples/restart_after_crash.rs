//! A process dies in the middle of a job; the same call in another process carries on.
//! Run with `cargo run --example restart_after_crash`; on PostgreSQL with `ROWMILL_TARGET=...`.
//! You should see `killed half-way; then 10000 rows, none lost, none doubled`.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

use rowmill::{Append, Engine, Entity, Iter, Job, Report};
use std::process::Command;
use std::time::SystemTime;

#[derive(Entity)]
#[entity(table = "example_payments")]
struct Payment {
    #[entity(key)]
    id: i64,
    cents: i64,
}

const ROWS: i64 = 10_000;

/// The job. The process that is to die dies at row 6500: no destructor runs, nothing is closed.
fn pay(engine: &Engine, at: &str, dies: bool) -> rowmill::Result<Report> {
    Job::named("payments")
        .param("at", at)
        .read(Iter::new("ids", || 1..=ROWS))
        .map(move |id| {
            if dies && id == 6_500 {
                std::process::abort();
            }
            Ok(Payment { id, cents: id * 7 })
        })
        .write(Append::<Payment>::new().create(true))
        .batch_rows(1_000)
        .workers(2)
        .run(engine)
}

fn main() -> rowmill::Result<()> {
    let words: Vec<String> = std::env::args().collect();
    if let [_, target, at] = &words[..] {
        return pay(&Engine::open(target)?, at, true).map(|_| ());
    }
    let folder = tempfile::tempdir().expect("make a folder");
    let file = format!("sqlite:{}", folder.path().join("example.db").display());
    let target = std::env::var("ROWMILL_TARGET").unwrap_or(file);
    let engine = Engine::open(&target)?;
    engine.run("drop table if exists example_payments")?;
    let at = format!("{:?}", SystemTime::now());

    let myself = std::env::current_exe().expect("find myself");
    let died = Command::new(myself).args([&target, &at]).status().expect("start myself");
    assert!(!died.success());

    let report = pay(&engine, &at, false)?;
    assert!((1..10).contains(&report.batches_reused), "{} batches", report.batches_reused);
    let mut rows = 0;
    engine.query("select id, cents from example_payments order by id", &[], |row| {
        let Payment { id, cents } = Payment::unpack(&mut |column| row.cell(column))?;
        rows += 1;
        assert_eq!((id, cents), (rows, rows * 7));
        Ok(())
    })?;
    assert_eq!((rows, report.inserted), (ROWS, 10_000));
    println!("killed half-way; then {rows} rows, none lost, none doubled");
    Ok(())
}
