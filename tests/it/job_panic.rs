//! A closure that panics fails its batch, and nothing else.

use crate::support::loading::Place;
use crate::support::shared;
use rowmill::{Append, Engine, Entity, ErrorKind, Iter, Job, Report, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const ROWS: u64 = 2_000;
const BATCH_ROWS: u64 = 100;

#[derive(Clone, Copy, Debug, Entity)]
#[entity(table = "numbers")]
struct Number {
    id: i64,
}

/// A job whose closure panics at a row of batch 3 while the fuse burns.
fn job(fuse: &Arc<AtomicBool>) -> Job {
    let fuse = Arc::clone(fuse);
    let source = Iter::new("numbers", || (0..ROWS as i64).map(|id| Number { id }));
    Job::named("numbers")
        .read(source)
        .map(move |number: Number| {
            assert!(number.id != 350 || !fuse.load(Ordering::Relaxed), "the planted panic");
            Ok(number)
        })
        .write(Append::<Number>::new().create(true))
        .batch_rows(BATCH_ROWS)
}

fn start(job: &Job, engine: &Engine, parallel: bool) -> Result<Report> {
    if parallel { job.run(engine) } else { job.run_serial(engine) }
}

fn contained_on(place: &Place<'_>, parallel: bool) {
    let engine = Engine::open(&place.url()).unwrap();
    let fuse = Arc::new(AtomicBool::new(true));
    let job = job(&fuse);
    for _ in 0..2 {
        let error = start(&job, &engine, parallel).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panic, "{error}");
        assert_eq!(error.place().batch, Some(3));
        assert_eq!(engine.stats().in_use, 0);
        let rows = place.number("select count(*) from numbers");
        assert!(rows < ROWS && rows.is_multiple_of(BATCH_ROWS), "a batch is half in: {rows}");
    }
    fuse.store(false, Ordering::Relaxed);
    let report = start(&job, &engine, parallel).unwrap();
    assert!(report.balances() && report.batches_reused >= 2, "{report:?}");
    assert_eq!(report.inserted, ROWS);
    let found = "select count(*) from numbers";
    let distinct = "select count(distinct id) from numbers where id between 0 and 1999";
    assert_eq!((place.number(found), place.number(distinct)), (ROWS, ROWS));
    assert_eq!(engine.stats().in_use, 0);
}

/// F61
#[test]
fn a_panic_in_a_closure_is_contained_on_postgresql() {
    for parallel in [true, false] {
        contained_on(&Place::Postgres(shared().database("panic")), parallel);
    }
}

#[test]
fn a_panic_in_a_closure_is_contained_on_sqlite() {
    for parallel in [true, false] {
        contained_on(&Place::sqlite(), parallel);
    }
}

/// F61
#[test]
fn panics_of_every_worker_at_once_end_the_run_and_not_the_process() {
    let place = Place::sqlite();
    let engine = Engine::open(&place.url()).unwrap();
    let calls = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&calls);
    let source = Iter::new("numbers", || (0..ROWS as i64).map(|id| Number { id }));
    let job = Job::named("numbers")
        .read(source)
        .map(move |_: Number| -> Result<Number> {
            counter.fetch_add(1, Ordering::Relaxed);
            panic!("the planted panic");
        })
        .write(Append::<Number>::new().create(true))
        .batch_rows(BATCH_ROWS)
        .workers(4);
    assert_eq!(job.run(&engine).unwrap_err().kind(), ErrorKind::Panic);
    // No batch is started after the first failure, save those that were in hand.
    assert!(calls.load(Ordering::Relaxed) <= 4);
    assert_eq!(engine.stats().in_use, 0);
    assert_eq!(place.number("select count(*) from numbers"), 0);
}
