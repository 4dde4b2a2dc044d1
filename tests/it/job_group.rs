//! Batches of an append share a transaction, and nothing else is different: the same rows, the same
//! ledger, the same rejects.

use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::trial::{Random, seed};
use crate::support::{TestDb, shared};
use rowmill::{Append, Engine, Entity, Error, ErrorKind, Iter, Job, MaxRejects, Report};

const BATCHES: i64 = 60;
const BATCH_ROWS: i64 = 20;
const ROWS: i64 = BATCHES * BATCH_ROWS;

#[derive(Entity)]
#[entity(table = "numbers")]
struct Number {
    id: i64,
}

fn scene() -> TestDb<'static> {
    let db = shared().database("group");
    db.sql("create table numbers (id bigint primary key check (id <> 777 and id <> 790))");
    db
}

/// Keeps the numbers that `keep` says.
fn job_of(keep: fn(i64) -> bool, rows: i64) -> Job {
    Job::named("numbers")
        .read(Iter::new("numbers", move || 0..rows))
        .filter(move |id| keep(*id))
        .map(|id| Ok(Number { id }))
        .write(Append::<Number>::new())
        .batch_rows(BATCH_ROWS as u64)
        .max_rejects(MaxRejects::Count(10))
        .workers(2)
}

const GOOD: fn(i64) -> bool = |id| id != 777 && id != 790;

fn run(db: &TestDb<'_>, job: &Job) -> Report {
    job.run(&Engine::open(&db.url()).unwrap()).unwrap()
}

/// How many transactions wrote the rows.
fn transactions(db: &TestDb<'_>) -> i64 {
    db.value("select count(distinct xmin::text) from numbers").parse().unwrap()
}

/// What the ledger says of each batch.
fn ledger(db: &TestDb<'_>) -> String {
    db.value(
        "select string_agg(concat_ws(' ', number, done, read, inserted, filtered, unchanged, rejected), \
         ', ' order by number) from rowmill.batch where phase = 0",
    )
}

#[test]
fn batches_that_follow_each_other_share_a_transaction_and_are_each_in_the_ledger() {
    let (grouped, alone) = (scene(), scene());
    let report = run(&grouped, &job_of(GOOD, ROWS));
    assert_eq!((report.batches, report.written), (BATCHES as u64, ROWS as u64 - 2));
    run(&alone, &job_of(GOOD, ROWS).batches_a_transaction(1));
    assert_eq!(transactions(&alone), BATCHES);
    let shared = transactions(&grouped);
    assert!(shared <= BATCHES / 2, "{shared} transactions");
    let told = report.receipt.transactions.unwrap();
    assert!(told.count > 1 && told.most == 16, "{told:?}");
    assert_eq!(ledger(&grouped), ledger(&alone));
}

#[test]
fn batches_that_are_whole_are_marked_together_with_what_was_planned() {
    let (grouped, alone) = (scene(), scene());
    // No row of these is filtered or bad, so that every batch is as it was planned.
    run(&grouped, &job_of(|_| true, 700));
    run(&alone, &job_of(|_| true, 700).batches_a_transaction(1));
    assert!(transactions(&grouped) < transactions(&alone));
    assert_eq!(ledger(&grouped), ledger(&alone));
    let seconds =
        "select count(*) from rowmill.batch where phase = 0 and seconds > 0 and run_id > 0";
    assert_eq!(grouped.value(seconds), "35");
}

/// batch R2: rejects are the same, each once.
#[test]
fn a_bad_row_within_a_group_costs_one_row() {
    let (grouped, alone) = (scene(), scene());
    let everything: fn(i64) -> bool = |_| true;
    let report = run(&grouped, &job_of(everything, ROWS));
    assert_eq!((report.written, report.rejected), (ROWS as u64 - 2, 2));
    run(&alone, &job_of(everything, ROWS).batches_a_transaction(1));
    assert!(transactions(&grouped) < transactions(&alone));
    assert_eq!(ledger(&grouped), ledger(&alone));
    let rejects = "select string_agg(concat_ws(' ', batch, position, sqlstate), ', ' order by batch) \
                   from rowmill.reject";
    assert_eq!(grouped.value(rejects), alone.value(rejects));
}

/// The marks tell themselves, for COMMIT is sent before their answer is there.
#[test]
fn batches_that_the_ledger_does_not_mark_are_not_committed() {
    let db = scene();
    run(&db, &job_of(GOOD, BATCH_ROWS));
    db.sql(
        "truncate numbers; \
         create function keep_open() returns trigger language plpgsql as 'begin return null; end'; \
         create trigger keep_open before update on rowmill.batch for each row \
         when (new.done and new.phase = 0) execute function keep_open()",
    );
    let job = Job::named("more")
        .read(Iter::new("numbers", || 1_000..1_000 + ROWS))
        .map(|id| Ok(Number { id }))
        .write(Append::<Number>::new())
        .batch_rows(BATCH_ROWS as u64);
    let error: Error = job.run(&Engine::open(&db.url()).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ledger, "{error}");
    assert_eq!(db.count("numbers"), 0);
}

#[test]
fn a_closure_that_panics_within_a_group_is_told_with_its_batch() {
    let db = scene();
    let job = Job::named("numbers")
        .read(Iter::new("numbers", || 0..ROWS))
        .map(|id| {
            assert_ne!(id, 905, "on purpose");
            Ok(Number { id: id + 1_000 })
        })
        .write(Append::<Number>::new())
        .batch_rows(BATCH_ROWS as u64)
        .workers(1);
    let error: Error = job.run(&Engine::open(&db.url()).unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.place().batch), (ErrorKind::Panic, Some(45)));
    // What came before it in its group is in.
    assert_eq!(db.count("numbers"), 900);
}

/// Cuts the connection at a COMMIT of a load that is undisturbed but for that, wherever it is.
fn cuts(at: Moment) {
    let (seed, proxy) = (seed(), Proxy::to(shared().port()));
    let mut random = Random(seed);
    let db = scene();
    let url = proxy.instead_of(&db.url());
    for number in 0..20 {
        db.sql("truncate numbers; drop schema if exists rowmill cascade");
        // The first is that of the plan, and others than those of groups are hit, too.
        let spared = 1 + random.below(8);
        proxy.set_after_commits(spared, Fault::Cut { at, end: End::Rst });
        let report = job_of(GOOD, ROWS).run(&Engine::open(&url).unwrap()).unwrap();
        assert_eq!(proxy.fault(), Fault::Pass, "{number}: nothing was cut, seed {seed}");
        assert_eq!(report.written, ROWS as u64 - 2, "{number}: seed {seed}");
        assert_eq!(db.count("numbers"), ROWS as u64 - 2, "{number}: seed {seed}");
        assert!(ledger(&db).split(", ").all(|batch| batch.contains(" t ")), "seed {seed}");
    }
}

/// batch R6, F13
#[test]
fn a_group_whose_commit_held_and_whose_answer_is_lost_is_not_done_again() {
    cuts(Moment::AfterCommit);
}

/// batch R6, F12
#[test]
fn a_group_that_was_cut_before_its_commit_is_done_again() {
    cuts(Moment::BeforeCommit);
}
