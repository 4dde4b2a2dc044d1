//! Where the time of a run went, and how it compares with the runs before it.

use crate::support::both::{Home, on_both};
use parking_lot::Mutex;
use rowmill::batch::ledger::{Ledger, LedgerName, Wanted};
use rowmill::{
    Append, BatchDone, ColumnType, Culprit, Draft, Engine, Entity, Feed, Ident, Iter, Job, Mode,
    NdjsonColumn, NdjsonColumns, Observer, Report, Status, StopToken, TableColumn, TableColumns,
    TableName, Target,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Debug, Entity)]
#[entity(table = "numbers")]
struct Number {
    #[entity(key)]
    id: i64,
}

/// Keeps a processor busy.
fn work_for(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// A hundred rows in ten batches, each of which costs what `cost` says.
fn job(draft: Draft, first: i64, cost: fn(i64) -> Duration) -> Job {
    draft
        .read(Iter::new("numbers", move || first..first + 100))
        .map(move |id| {
            work_for(cost(id));
            Ok(Number { id })
        })
        .write(Append::<Number>::new().create(true))
        .batch_rows(10)
        .workers(2)
}

fn run(home: &Home, job: &Job) -> Report {
    job.run(home.engine()).unwrap()
}

/// exactly-once 11a, 11b
#[test]
fn a_closure_that_takes_most_of_the_time_is_named() {
    on_both(|home| {
        let report = run(home, &job(Job::named("slow"), 0, |_| Duration::from_millis(20)));
        let bottleneck = report.receipt.bottleneck.unwrap();
        assert_eq!(bottleneck.culprit, Culprit::Cpu, "{report:?}");
        assert!(bottleneck.share > 0.34 && bottleneck.share <= 1.0, "{bottleneck:?}");
        assert!(report.phases["transform"] > 1.9, "{report:?}");
        for phase in ["read", "transform", "encode", "wait", "send", "server", "commit", "plan"] {
            assert!(report.phases[phase] >= 0.0, "{phase}");
        }
        assert!(report.phases["commit"] > 0.0 && report.phases["server"] > 0.0, "{report:?}");
    });
}

/// exactly-once 11c, 11d, 11e
#[test]
fn the_slowest_batch_is_named_with_its_rows() {
    on_both(|home| {
        let cost = |id| if id == 55 { Duration::from_millis(500) } else { Duration::ZERO };
        let report = run(home, &job(Job::named("one"), 0, cost));
        let slowest = &report.receipt.slowest;
        assert_eq!((slowest[0].phase, slowest[0].number), ("load", 5));
        assert_eq!((slowest[0].first_row, slowest[0].rows), (51, 10));
        assert!(slowest[0].seconds >= 0.5 && slowest.len() == 3, "{slowest:?}");
        assert!((1..=2).contains(&report.receipt.peak_in_flight), "{report:?}");
        assert!(report.receipt.stages["load"] >= 0.5, "{report:?}");
        assert!(report.receipt.peak_memory_bytes.is_none_or(|bytes| bytes > 1 << 20));
    });
}

#[test]
fn what_a_table_takes_to_be_read_is_the_time_of_the_source() {
    on_both(|home| {
        home.sql("create table src (id bigint not null primary key)");
        home.sql("insert into src values (1), (2), (3)");
        let id = || Ident::new("id").unwrap();
        let feed = TableColumns::table("src", vec![TableColumn::new(id(), ColumnType::Int8)]);
        let feed = feed.unwrap().key(vec![id()]);
        let (table, columns) = (TableName::parse("copied").unwrap(), feed.columns().to_vec());
        let mut target = Target::new(table, columns, vec!["id".to_owned()], Mode::Append).unwrap();
        target.create = true;
        let feed = Arc::new(feed);
        let reads_longer = (0..10).any(|attempt| {
            home.sql("drop table if exists copied");
            let job = Job::named("copy").param("attempt", attempt.to_string());
            let report = run(home, &job.feed(feed.clone(), target.clone()));
            assert_eq!(report.inserted, 3);
            report.phases["read"] > report.phases["encode"]
        });
        assert!(reads_longer);
    });
}

#[test]
fn what_objects_take_to_be_parsed_is_encoding_and_not_the_source() {
    on_both(|home| {
        let object = |n: i64| {
            let rest: Vec<_> = (0..200).map(|key| format!("\"key {key}\":[{n},{key}]")).collect();
            format!("{{\"id\":{n},{}}}\n", rest.join(","))
        };
        let path = home.file("rows.ndjson", (0..1_000).map(object).collect::<String>());
        let id = NdjsonColumn::new(Ident::new("id").unwrap(), ColumnType::Int8);
        let feed = NdjsonColumns::open(&path, vec![id]).unwrap();
        let (table, columns) = (TableName::parse("parsed").unwrap(), feed.columns().to_vec());
        let mut target = Target::new(table, columns, Vec::new(), Mode::Append).unwrap();
        target.create = true;
        let report = run(home, &Job::named("parse").feed(Arc::new(feed), target));
        assert_eq!(report.inserted, 1_000);
        assert!(report.phases["encode"] > report.phases["read"], "{report:?}");
    });
}

/// Looks at the ledger of its job while it runs.
struct LookInside {
    url: String,
    seen: Mutex<Vec<(u64, Option<f64>)>>,
}

impl Observer for LookInside {
    fn batch_done(&self, _: &BatchDone) {
        let engine = Engine::open(&self.url).unwrap();
        let mut connection = engine.get().unwrap();
        let ledger = Ledger::find(&mut *connection, &LedgerName::default()).unwrap().unwrap();
        let jobs = ledger.jobs(&mut *connection, &Wanted::default(), 10).unwrap();
        let pace = ledger.pace(&mut *connection, jobs[0].id, 1).unwrap().unwrap();
        self.seen.lock().push((pace.rows, pace.rows_per_second()));
    }
}

/// batch 3.9.6, exactly-once 11i
#[test]
fn others_see_how_fast_a_run_gets_on() {
    on_both(|home| {
        let (url, seen) = (home.url().to_owned(), Mutex::default());
        let look = Arc::new(LookInside { url, seen });
        // Others see what is committed.
        let job =
            job(Job::named("seen"), 0, |_| Duration::ZERO).workers(1).batches_a_transaction(1);
        let job = job.observer(Arc::clone(&look) as Arc<dyn Observer>);
        run(home, &job);
        let seen = look.seen.lock();
        let rows: Vec<_> = seen.iter().map(|(rows, _)| *rows).collect();
        assert_eq!(rows, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert!(seen.iter().all(|(_, speed)| speed.is_some_and(|speed| speed > 0.0)), "{seen:?}");
    });
}

struct StopAtOnce(StopToken);

impl Observer for StopAtOnce {
    fn batch_done(&self, _: &BatchDone) {
        self.0.ask();
    }
}

/// exactly-once 11g, batch 4.11
#[test]
fn a_run_is_compared_with_those_that_did_a_whole_job_of_its_name() {
    on_both(|home| {
        let none = |_| Duration::ZERO;
        let night =
            |night: &str, first| job(Job::named("nightly").param("night", night), first, none);
        assert_eq!(run(home, &night("1", 0)).receipt.before, None);
        // Another job, and one that was done in two runs.
        run(home, &job(Job::named("other"), 1_000, none));
        let stop = StopToken::new();
        let stopped = night("2", 2_000).stop(stop.clone()).observer(Arc::new(StopAtOnce(stop)));
        stopped.run(home.engine()).unwrap_err();
        let carried_on = run(home, &night("2", 2_000));
        assert!(carried_on.status == Status::Complete && carried_on.batches_reused > 0);
        assert_eq!(carried_on.receipt.before, None);
        let cost = |_| Duration::from_millis(10);
        let slow = run(home, &job(Job::named("nightly").param("night", "3"), 3_000, cost));
        let before = slow.receipt.before.unwrap();
        assert_eq!(before.runs, 1);
        assert!(before.seconds > 0.0 && before.rows_per_second > 0.0, "{before:?}");
        assert_eq!(run(home, &night("4", 4_000)).receipt.before.unwrap().runs, 2);
        // What is already complete has nothing to compare.
        assert_eq!(run(home, &night("4", 4_000)).receipt.before, None);
    });
}
