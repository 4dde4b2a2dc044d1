//! Faults 3.4: no session is left, a disk is full, a limit of the server is met.

use crate::support::crowd::time_to_fill;
use crate::support::proxy::{Fault, Proxy};
use crate::support::subject::{Kind, Setup, engine, pid, timed};
use crate::support::tmpfs::Tmpfs;
use crate::support::trial::{Sheet, in_time, measure, seed, sized, tell_apart};
use crate::support::{LIMIT, TestDb, shared};
use rowmill::backend::Connection;
use rowmill::{Append, Class, Engine, Entity, Iter, Job, Report, Result, RetryPolicy, Upsert};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const SECRET: &str = "n0b0dy-kn0ws";

fn few_sessions(kind: Kind, sheet: &mut Sheet) {
    let db = shared().database("few");
    let role = format!("{}_role", db.name());
    db.sql(&format!("create role {role} login password '{SECRET}' connection limit 5"));
    let proxy = Proxy::to(shared().port());
    let url = format!("postgresql://{role}:{SECRET}@127.0.0.1:{}/{}", proxy.port(), db.name());
    let opened = Setup::new(url, 8).timeout(Duration::from_secs(10)).open(kind);
    let Ok(pool) = opened else { return sheet.expect(false, "it does not even start") };
    let short = Duration::from_secs(sized(2, 20));
    let (end, served) = (Instant::now() + short, AtomicU64::new(0));
    let arrivals = proxy.arrivals();
    let (errors, attempts, grown) = thread::scope(|scope| {
        let work = |_| {
            let mut errors = 0;
            while Instant::now() < end {
                let used = pool.get().and_then(|mut lent| lent.run("select pg_sleep(0.02)"));
                served.fetch_add(u64::from(used.is_ok()), Ordering::SeqCst);
                errors += usize::from(used.is_err());
            }
            errors
        };
        let threads: Vec<_> = (0..8).map(|index| scope.spawn(move || work(index))).collect();
        let errors: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        let attempts = proxy.arrivals() - arrivals;
        db.sql(&format!("alter role {role} connection limit 8"));
        let grown = time_to_fill(&*pool, 8, LIMIT / 3);
        (errors, attempts, grown)
    });
    let rate = attempts as f64 / short.as_secs_f64();
    sheet.set("served_with_5_of_8", served.into_inner());
    sheet.set("errors", errors);
    sheet.set("attempts_per_second", (rate * 10.0).round() / 10.0);
    sheet.expect(errors == 0, "errors with five sessions of eight");
    // The three that find no session try again at most ten times a second each.
    sheet.expect(rate <= 40.0, "a storm of attempts");
    if let Some(time) = grown {
        sheet.set_ms("time_to_grow_ms", time);
    }
    sheet.expect(grown.is_some_and(|time| time <= Duration::from_secs(5)), "it does not grow");
}

/// F28: a server that has five sessions left (53300) serves a pool of eight with five, and with
/// eight soon after there are as many.
#[test]
fn a_pool_lives_with_fewer_sessions_than_it_wants() {
    tell_apart("F28", 3 * LIMIT, |kind, _, sheet| {
        in_time(kind, sheet, |sheet| few_sessions(kind, sheet));
    });
}

#[derive(Entity)]
#[entity(table = "large")]
struct Large {
    #[entity(key)]
    id: i64,
    filler: String,
}

fn large_job(rows: i64) -> Job {
    Job::named("large")
        .read(Iter::new("large", move || 0..rows))
        .map(|id| Ok(Large { id, filler: "x".repeat(1000) }))
        .write(Append::<Large>::new())
        .batch_rows(500)
        .workers(2)
}

fn assert_exact(db: &TestDb<'_>, rows: i64, report: &Report, sheet: &mut Sheet) {
    sheet.set("rows", rows);
    sheet.set("batches_reused", report.batches_reused);
    let there = db.value("select count(*) || ' ' || count(distinct id) from large");
    sheet.expect(there == format!("{rows} {rows}"), format!("lost or doubled: {there}"));
    sheet.expect(report.rejected == 0, "rows are rejected for a full disk");
}

fn full_disk(sheet: &mut Sheet) {
    let Some(disk) = Tmpfs::new(sized(28, 76)) else { return };
    let db = shared().database("full");
    let space = format!("{}_space", db.name());
    let folder = disk.folder("space");
    db.sql(&format!("create tablespace {space} location '{}'", folder.display()));
    db.sql(&format!("create table large (id bigint, filler text) tablespace {space}"));
    // So much is on the disk already; what is left has room for the rows, and for those that were
    // rolled back: no vacuum takes them away in time.
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; sized(22, 52) << 20]).unwrap();
    let rows = sized(10_000, 40_000);
    let engine = Engine::open(&db.url()).unwrap();
    let (failed, time) = timed(|| large_job(rows).run(&engine));
    let error = failed.expect_err("the disk is full");
    sheet.set_ms("time_to_stop_ms", time);
    sheet.set("error", error.to_string());
    let state = error.sqlstate().map(|state| state.to_string());
    sheet.expect(state.as_deref() == Some("53100"), format!("no 53100: {error}"));
    sheet.expect(error.class() == Class::Resource, "of another class");
    let rejects = db.value("select count(*) from rowmill.reject");
    sheet.set("false_dead_letters", rejects.as_str());
    sheet.expect(rejects == "0", "rows are rejected for a full disk");
    let done = db.count("large");
    sheet.set("rows_before_the_disk_was_full", done);
    sheet.expect(done > 0 && done.is_multiple_of(500), "a batch is half in");
    std::fs::remove_file(ballast).unwrap();
    let report = large_job(rows).run(&engine).unwrap();
    assert_exact(&db, rows, &report, sheet);
    drop(engine);
    // The disk goes away with this scope, so its table has to go first.
    db.sql("drop table large");
    db.sql(&format!("drop tablespace {space}"));
}

/// exactly-once 4d.
/// F29: a disk that fills up in the middle of a COPY (53100) stops the job, rejects no row, and
/// the next run carries on exactly.
#[test]
fn a_full_disk_stops_the_job_and_rejects_no_row() {
    measure("F29", Kind::Rowmill, seed(), 3 * LIMIT, full_disk).must_pass();
}

/// A load into a table with a primary key, in autocommit batches, that goes on after an error.
fn full_disk_at_home(sheet: &mut Sheet) {
    let Some(disk) = Tmpfs::new(8) else { return };
    let url = format!("sqlite:{}", disk.path().join("target.db").display());
    let rows = 12_000;
    let job = || {
        Job::named("large")
            .read(Iter::new("large", move || 0..rows))
            .map(|id| Ok(Large { id, filler: "x".repeat(1000) }))
            .write(Upsert::<Large>::new().create(true))
            .batch_rows(500)
    };
    let engine = Engine::open(&url).unwrap();
    let error = job().run(&engine).expect_err("the disk is full");
    sheet.set("error", error.to_string());
    sheet.expect(error.class() == Class::Resource, format!("of another class: {error}"));
    drop(engine);
    disk.grow(128);
    let engine = Engine::open(&url).unwrap();
    let report = job().run(&engine).unwrap();
    sheet.set("batches_reused", report.batches_reused);
    sheet.expect(report.rejected == 0, "rows are rejected for a full disk");
    let sqlite = rusqlite::Connection::open(disk.path().join("target.db")).unwrap();
    let count = "select count(*) || ' ' || count(distinct id) from large";
    let there: String = sqlite.query_row(count, [], |row| row.get(0)).unwrap();
    sheet.expect(there == format!("{rows} {rows}"), format!("lost or doubled: {there}"));
}

/// F30: the same where the database is a file on this machine; its rejects and its ledger are in
/// it, so there is nothing else that could be torn.
#[test]
fn a_full_disk_under_a_database_file_stops_the_job_and_the_next_run_completes() {
    measure("F30", Kind::Rowmill, seed(), 2 * LIMIT, full_disk_at_home).must_pass();
}

fn server_limits(kind: Kind, _: u64, sheet: &mut Sheet) {
    let db = shared().database("limits");
    db.sql("create table t (n int)");
    let pool = Setup::new(db.url(), 1).open(kind).unwrap();
    let holder = |sql: &str| {
        let mut holder = db.connect();
        holder.batch_execute(sql).unwrap();
        holder
    };
    let locked = holder("begin; lock table t");
    for (name, set, sql, state) in [
        ("statement_timeout", "set statement_timeout = '100ms'", "select pg_sleep(9)", "57014"),
        ("lock_timeout", "set lock_timeout = '100ms'", "insert into t values (1)", "55P03"),
        (
            "temp_file_limit",
            "set temp_file_limit = '1MB'; set work_mem = '64kB'",
            "select count(*) from (select n from generate_series(1, 500000) n order by -n) x",
            "53400",
        ),
    ] {
        let mut lent = pool.get().unwrap();
        let before = pid(&mut *lent).unwrap();
        lent.run(set).unwrap();
        let failure = lent.run(sql).expect_err("the server has a limit");
        sheet.expect(failure.is_state(state), format!("{name}: no {state}: {failure}"));
        sheet.expect(!failure.is_disconnect, format!("{name}: a disconnect"));
        let after = pid(&mut *lent);
        sheet.expect(after.is_ok_and(|after| after == before), format!("{name}: session lost"));
    }
    drop(locked);
    // The limits that were set must not be there for the next.
    let mut lent = pool.get().unwrap();
    let kept = lent.text("select current_setting('statement_timeout')").unwrap();
    sheet.expect(kept == "0", "a limit of another borrower");
}

/// F31: a limit of the server is an error with its SQLSTATE on a connection that lives on, and
/// limits that a borrower set for itself end with the loan.
#[test]
fn a_limit_of_the_server_is_an_error_and_no_disconnect() {
    tell_apart("F31", LIMIT, server_limits);
}

fn locked_out(sheet: &mut Sheet) {
    let db = shared().database("locked");
    db.sql("create table large (id bigint, filler text)");
    let url = format!("{}?options=-c%20lock_timeout%3D100ms", db.url());
    let engine = Engine::open(&url).unwrap();
    let run = |attempts| -> Result<Report> {
        let mut policy = RetryPolicy::default();
        policy.attempts = attempts;
        large_job(1_000).retry(policy).run(&engine)
    };
    let mut outsider = db.connect();
    outsider.batch_execute("begin; lock table large in exclusive mode").unwrap();
    let (outcome, time) = timed(|| run(3));
    let error = outcome.expect_err("the table is locked");
    sheet.set_ms("gave_up_after_ms", time);
    sheet.set("error", error.to_string());
    sheet.expect(error.class() == Class::Transient, format!("of another class: {error}"));
    sheet.expect(time < Duration::from_secs(10), "it gave up late");
    let text = error.to_string();
    sheet.expect(text.contains("large"), format!("the table is not named: {text}"));
    // Long enough for a few attempts to fail.
    let report = thread::scope(|scope| {
        let running = scope.spawn(|| run(50));
        thread::sleep(Duration::from_secs(sized(1, 10)));
        outsider.batch_execute("rollback").unwrap();
        running.join().unwrap()
    });
    let report = report.expect("the lock is free again");
    sheet.set("retries", report.retries);
    sheet.expect(report.retries > 0, "nothing was tried again");
    assert_exact(&db, 1_000, &report, sheet);
}

/// F31: a table that an outsider has locked is tried again so often, and then given up with its
/// name; once it is free, the load completes.
#[test]
fn a_table_that_is_locked_is_tried_again_and_then_given_up() {
    let work = |sheet: &mut Sheet| in_time(Kind::Rowmill, sheet, locked_out);
    measure("F31-job", Kind::Rowmill, seed(), 3 * LIMIT, work).must_pass();
}

/// pool-contract R6: an error of a statement costs no connection. R4: nor does a COMMIT that
/// fails, and no transaction stays open. The server sends an error at once and says that it is
/// ready in a message of its own, which here comes late.
#[test]
fn an_ordinary_error_costs_no_connection() {
    let db = shared().database("ordinary");
    db.sql("create table t (n int unique deferrable initially deferred)");
    let proxy = Proxy::to(shared().port());
    let pool = engine(&Setup::new(proxy.instead_of(&db.url()), 1));
    let session = || pid(&mut pool.get().unwrap()).unwrap();
    let first = session();
    proxy.set(Fault::Delay { least: Duration::from_millis(20), jitter: Duration::ZERO });
    for sql in ["select 1 / 0", "select * from nowhere", "selec", "rollback"] {
        let mut connection = pool.get().unwrap();
        let _ = Connection::run(&mut *connection, sql);
        assert!(!connection.is_broken(), "{sql}");
        drop(connection);
        assert_eq!(session(), first, "{sql}");
    }
    let mut connection = pool.get().unwrap();
    connection.begin().unwrap();
    Connection::run(&mut *connection, "select 1 / 0").unwrap_err();
    drop(connection);
    assert_eq!(session(), first, "an aborted transaction");
    let mut connection = pool.get().unwrap();
    connection.begin().unwrap();
    Connection::run(&mut *connection, "insert into t values (1), (1)").unwrap();
    assert_eq!(connection.commit().unwrap_err().sqlstate().unwrap().code(), "23505");
    assert!(!connection.in_transaction() && !connection.is_broken());
    drop(connection);
    assert_eq!(session(), first, "a commit that failed");
}
