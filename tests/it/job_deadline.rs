//! A run ends in time: at its deadline, or within a grace after it was asked to.

use crate::support::loading::{Input, JobText, Place};
use crate::support::{Home, LIMIT, on_both, shared};
use parking_lot::Mutex;
use rowmill::{Append, BatchDone, Clock, Entity, Iter, Job, Observer, Status};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

#[derive(Debug, Entity)]
#[entity(table = "numbers")]
struct Number {
    #[entity(key)]
    id: i64,
}

const ROWS: i64 = 1_000;

fn numbers() -> Job {
    Job::named("numbers")
        .read(Iter::new("numbers", || (0..ROWS).map(|id| Number { id })))
        .write(Append::<Number>::new().create(true))
        .batch_rows(10)
        .workers(1)
}

/// Lets a batch take so long, by a clock that nobody waits for, and keeps what it is told.
struct Slow {
    clock: Clock,
    batch: Duration,
    late: Mutex<Vec<u64>>,
}

impl Observer for Slow {
    fn batch_done(&self, _: &BatchDone) {
        self.clock.advance(self.batch);
    }

    fn will_be_late(&self, by: Duration) {
        self.late.lock().push(by.as_secs());
    }
}

fn slow(batch: Duration) -> Arc<Slow> {
    Arc::new(Slow { clock: Clock::manual(), batch, late: Mutex::default() })
}

fn rows_of(home: &Home) -> String {
    home.rows("select count(*) || ' ' || count(distinct id) from numbers").remove(0)
}

/// batch R12, 3.9.7, exactly-once 10c, 10d
#[test]
fn a_run_stops_at_its_deadline_between_two_batches_and_the_next_carries_on() {
    on_both(|home| {
        let slow = slow(Duration::from_mins(1));
        let job = numbers()
            .clock(slow.clock.clone())
            .deadline(Duration::from_mins(30))
            .observer(Arc::<Slow>::clone(&slow) as Arc<dyn Observer>);
        let (report, error) = job.report(home.engine());
        assert_eq!(report.status, Status::Stopped, "{error:?}");
        assert_eq!(error.unwrap().message(), "stopped at its deadline, before the end");
        assert_eq!((report.read, rows_of(home).as_str()), (300, "300 300"));
        // 100 batches of a minute: told once what is missing, and again after ten minutes.
        assert!(slow.late.lock().len() >= 2, "{:?}", slow.late.lock());
        assert!(slow.late.lock().iter().all(|by| (3_900..=4_300).contains(by)), "{:?}", slow.late);
        let report = numbers().run(home.engine()).unwrap();
        assert_eq!((report.status, report.batches_reused), (Status::Complete, 30));
        assert_eq!(rows_of(home), "1000 1000");
    });
}

#[test]
fn a_run_that_is_in_time_is_not_warned_of() {
    let home = Home::sqlite();
    let slow = slow(Duration::from_secs(10));
    let job = numbers()
        .clock(slow.clock.clone())
        .deadline(SystemTime::now() + Duration::from_hours(1))
        .observer(Arc::<Slow>::clone(&slow) as Arc<dyn Observer>);
    assert_eq!(job.run(home.engine()).unwrap().status, Status::Complete);
    assert!(slow.late.lock().is_empty());
}

#[test]
fn a_deadline_that_has_passed_begins_nothing() {
    let home = Home::sqlite();
    let (report, error) = numbers().deadline(SystemTime::UNIX_EPOCH).report(home.engine());
    assert_eq!((report.status, report.read), (Status::Stopped, 0), "{error:?}");
}

/// A load whose batches wait for a lock that the test holds, for ever.
fn held_up(
    limits: &str,
    words: &[&str],
) -> (Input, Place<'static>, crate::support::Running, postgres::Client) {
    let input = Input::lineitem(2_000, 500, false);
    let place = Place::Postgres(shared().database("grace"));
    place.create_lineitem(false);
    place.sql(
        "create function gate() returns trigger language plpgsql as $$ begin \
         perform pg_advisory_xact_lock_shared(4711); return null; end $$; \
         create trigger gate after insert on lineitem for each statement execute function gate()",
    );
    let Place::Postgres(database) = &place else { unreachable!() };
    let mut holder = database.connect();
    holder.batch_execute("select pg_advisory_lock(4711)").unwrap();
    let mut text = JobText::of_mode("append", 100);
    text.limits = format!("workers = 2\n{limits}");
    let job = text.write(&input, &place);
    let mut run = job.run();
    for word in words {
        run = run.arg(word);
    }
    let mut run = run.spawn();
    let sql = "select count(*) = 2 from pg_locks l join pg_database d on d.oid = l.database \
               where d.datname = current_database() and locktype = 'advisory' \
               and objid = 4711 and not granted";
    let held = run.wait_until(|_| holder.query_one(sql, &[]).unwrap().get(0));
    assert!(held, "it ended without being held: {}", run.stderr());
    (input, place, run, holder)
}

fn nothing_is_half_done(place: &Place<'_>) {
    assert_eq!(place.number("select count(*) from lineitem"), 0);
    assert_eq!(place.number("select count(*) from rowmill.batch where done"), 0);
    assert_eq!(place.value("select status from rowmill.run"), "stopped");
}

/// batch R12
#[test]
fn what_is_in_flight_at_a_signal_is_rolled_back_when_the_grace_is_over() {
    let (input, place, run, holder) = held_up("grace = \"1s\"\n", &[]);
    let asked = Instant::now();
    run.signal("TERM");
    let run = run.wait();
    let took = asked.elapsed();
    assert_eq!(run.code, Some(6), "{run}");
    assert!((Duration::from_secs(1)..LIMIT / 4).contains(&took), "{took:?}");
    nothing_is_half_done(&place);
    drop(holder);
    let job = JobText::of_mode("append", 100).write(&input, &place);
    assert_eq!(job.start().wait().code, Some(0));
    input.assert_exact(&place, "after the grace");
}

#[test]
fn a_second_signal_ends_a_statement_that_would_not_end_by_itself() {
    let (_input, place, mut run, _holder) = held_up("grace = \"1h\"\n", &[]);
    run.signal("TERM");
    assert!(run.wait_until(|run| run.stderr().contains("in flight are finished")));
    let asked = Instant::now();
    run.signal("INT");
    let run = run.wait();
    assert_eq!(run.code, Some(6), "{run}");
    assert!(asked.elapsed() < LIMIT / 4, "{:?}", asked.elapsed());
    nothing_is_half_done(&place);
}

#[test]
fn what_is_in_flight_at_the_deadline_is_rolled_back_when_the_grace_is_over() {
    let (_input, place, run, _holder) = held_up("grace = \"500ms\"\n", &["--deadline", "10s"]);
    let run = run.wait();
    assert_eq!(run.code, Some(6), "{run}");
    nothing_is_half_done(&place);
}

/// exactly-once 4c
#[test]
fn a_server_that_is_away_is_not_waited_for_beyond_the_deadline() {
    let cluster = crate::support::Cluster::start();
    let input = Input::lineitem(40_000, 500, false);
    let place = Place::Postgres(cluster.database("away"));
    place.create_lineitem(false);
    let mut text = JobText::of_mode("append", 200);
    text.limits = "retry_for = \"1h\"\ngrace = \"500ms\"\n".to_owned();
    let job = text.write(&input, &place);
    let mut run = job.run().arg("--deadline").arg("12s").spawn();
    let mut probe = place.probe();
    assert!(run.wait_until(|_| probe.units_done() >= 3), "too fast: {}", run.stderr());
    cluster.stop_immediate();
    let gone = Instant::now();
    let run = run.wait();
    assert_eq!(run.code, Some(6), "{run}");
    assert!(gone.elapsed() < LIMIT, "{:?}", gone.elapsed());
    cluster.restart();
    assert_eq!(job.start().wait().code, Some(0));
    input.assert_exact(&place, "after the deadline");
}
