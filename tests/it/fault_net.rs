//! Faults 3.3: the network swallows everything, a peer says nothing, or says it slowly.

use crate::support::cluster::Cluster;
use crate::support::crowd::{fill, together};
use crate::support::island::Island;
use crate::support::proxy::{End, Fault, Proxy};
use crate::support::subject::{Kind, Lent, Setup, Subject, ask, engine, timed};
use crate::support::trial::{
    Sheet, both_pass, in_time, is_full, measure, seed, sized, tell_apart, tell_apart_at_length,
};
use crate::support::{LIMIT, shared};
use rowmill::Engine;
use rowmill::backend::Connection;
use std::thread;
use std::time::{Duration, Instant};

/// The time-out of every check-out here.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How much later than its time-out a check-out may end.
const GRACE: Duration = Duration::from_millis(250);

/// How long a statement may take here.
const STATEMENT: Duration = Duration::from_secs(1);

fn named_threads(prefix: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the threads of this process");
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
    };
    tasks.filter_map(name).filter(|name| name.starts_with(prefix)).count()
}

/// Four threads that ask as long as the fault lasts; the longest that one of them was held up.
fn longest_get(pool: &dyn Subject, rounds: usize) -> Duration {
    let asked = together(4, |_| {
        (0..rounds).map(|_| timed(|| pool.get().is_ok()).1).max().unwrap_or_default()
    });
    asked.into_iter().max().unwrap_or_default()
}

/// How long it takes until the pool works again.
fn recovery(pool: &dyn Subject, patience: Duration) -> Option<Duration> {
    let since = Instant::now();
    while since.elapsed() < patience {
        if ask(pool).is_ok() {
            return Some(since.elapsed());
        }
    }
    None
}

fn note_recovery(sheet: &mut Sheet, recovered: Option<Duration>) {
    if let Some(time) = recovered {
        sheet.set_ms("recovery_ms", time);
    }
    let most = Duration::from_secs(2);
    sheet.expect(recovered.is_some_and(|time| time <= most), "no recovery within 2 s");
}

fn swallowed_while_idle(kind: Kind, sheet: &mut Sheet) {
    let Some(island) = Island::new() else { return };
    let cluster = Cluster::on_island(island);
    let island = cluster.island().expect("it is on one");
    let setup = Setup::new(cluster.url(), 4).timeout(TIMEOUT).pre_ping(true);
    let pool = setup.open(kind).unwrap();
    fill(&*pool, 4);
    let held = pool.get().unwrap();
    island.cut_off();
    let ((), dropped) = timed(|| drop(held));
    sheet.set_ms("drop_ms", dropped);
    sheet.expect(dropped < GRACE, "dropping a connection blocked");
    let longest = longest_get(&*pool, sized(2, 10));
    sheet.set_ms("longest_get_ms", longest);
    sheet.expect(longest <= TIMEOUT + GRACE, "a check-out outlived its time-out");
    if is_full() {
        thread::sleep(Duration::from_secs(5));
        let stuck = named_threads("rowmill-connect") + named_threads("r2d2-worker");
        sheet.set("threads_after_5s", stuck);
    }
    island.heal();
    note_recovery(sheet, recovery(&*pool, 10 * TIMEOUT));
}

/// F20: behind a black hole a check-out ends in time, dropping what is dead blocks nobody, and
/// the pool works again two seconds after the network does.
#[test]
fn a_network_that_swallows_everything_holds_nobody_up() {
    tell_apart_at_length("F20", 3 * LIMIT, |kind, _, sheet| {
        in_time(kind, sheet, |sheet| swallowed_while_idle(kind, sheet));
    });
}

/// What is under way when the network swallows everything.
const UNDER_WAY: [(&str, &str); 3] = [
    ("a query", "select pg_sleep(0.2)"),
    ("a large statement", "insert into t select 1, repeat('x', 100) from generate_series(1, 99)"),
    ("a commit", "commit"),
];

fn bounded(pool: &Engine) -> rowmill::Result<rowmill::Pooled> {
    let mut connection = pool.get()?;
    connection.set_statement_timeout(Some(STATEMENT))?;
    Ok(connection)
}

fn swallowed_at_work(sheet: &mut Sheet) {
    let Some(island) = Island::new() else { return };
    let cluster = Cluster::on_island(island);
    let island = cluster.island().expect("it is on one");
    cluster.sql("create table t (n int, filler text)");
    let pool = engine(&Setup::new(cluster.url(), 4).timeout(TIMEOUT).pre_ping(true));
    for (what, sql) in UNDER_WAY {
        let mut connection = bounded(&pool).unwrap();
        connection.begin().unwrap();
        connection.run("insert into t values (0)").unwrap();
        island.cut_off();
        let (outcome, time) = timed(|| Connection::run(&mut *connection, sql));
        let ((), dropped) = timed(|| drop(connection));
        sheet.set_ms(&format!("release_ms_{}", what.replace(' ', "_")), time);
        sheet.expect(time <= STATEMENT + Duration::from_secs(1), format!("{what}: held up"));
        sheet.expect(dropped < GRACE, format!("{what}: dropping blocked"));
        match outcome {
            Err(error) if sql == "commit" => {
                let state = error.sqlstate().map(|state| state.to_string());
                sheet.expect(state.as_deref() == Some("08007"), format!("a commit: {error}"));
            }
            Err(error) => sheet.expect(error.is_disconnect(), format!("{what}: {error}")),
            Ok(()) => sheet.expect(false, format!("{what}: an answer out of nothing")),
        }
        if is_full() {
            thread::sleep(LIMIT);
        }
        island.heal();
        note_recovery(sheet, recovery(&pool, 10 * TIMEOUT));
    }
}

/// F21: a thread inside a query, a large statement or a COMMIT is free a second after the
/// statement's deadline; the COMMIT is unknown (08007). The naive baseline has no such deadline
/// and waits until TCP gives up (15 minutes), which nobody needs to see.
#[test]
fn a_network_that_swallows_everything_frees_who_is_at_work() {
    let work = |sheet: &mut Sheet| in_time(Kind::Rowmill, sheet, swallowed_at_work);
    measure("F21", Kind::Rowmill, seed(), 5 * LIMIT, work).must_pass();
}

fn silent(kind: Kind, sheet: &mut Sheet) {
    let db = shared().database("silent_peer");
    let proxy = Proxy::to(shared().port());
    let setup = Setup::new(proxy.instead_of(&db.url()), 4).timeout(TIMEOUT).pre_ping(true);
    let pool = setup.open(kind).unwrap();
    let other = Setup::new(db.url(), 2).timeout(TIMEOUT).open(kind).unwrap();
    fill(&*pool, 4);
    proxy.set(Fault::Silent);
    proxy.cut(End::Rst);
    let (longest, slowest_other) = thread::scope(|scope| {
        let held_up = scope.spawn(|| longest_get(&*pool, sized(2, 10)));
        let mut slowest = Duration::ZERO;
        while !held_up.is_finished() {
            let (outcome, time) = timed(|| ask(&*other));
            sheet.expect(outcome.is_ok(), "another pool of the process failed");
            slowest = slowest.max(time);
            thread::sleep(Duration::from_millis(20));
        }
        (held_up.join().expect("it panicked"), slowest)
    });
    sheet.set_ms("longest_get_ms", longest);
    sheet.set_ms("slowest_of_another_pool_ms", slowest_other);
    sheet.expect(longest <= TIMEOUT + GRACE, "a check-out outlived its time-out");
    sheet.expect(slowest_other < TIMEOUT, "another pool of the process was held up");
    proxy.set(Fault::Pass);
    note_recovery(sheet, recovery(&*pool, 3 * TIMEOUT));
}

/// F23: where a connection is taken and never answered, a check-out ends in time, other pools do
/// not notice, and all is well two seconds after the server speaks again.
#[test]
fn a_server_that_takes_connections_and_says_nothing_holds_nobody_up() {
    tell_apart("F23", 3 * LIMIT, |kind, _, sheet| {
        in_time(kind, sheet, |sheet| silent(kind, sheet));
    });
}

fn frozen(kind: Kind, sheet: &mut Sheet) {
    let cluster = Cluster::start();
    let setup = Setup::new(cluster.url(), 4).timeout(TIMEOUT).pre_ping(true);
    let pool = setup.open(kind).unwrap();
    fill(&*pool, 2);
    let held = pool.get().unwrap();
    let frozen = cluster.freeze();
    let ((), dropped) = timed(|| drop(held));
    sheet.set_ms("drop_ms", dropped);
    let longest = longest_get(&*pool, sized(2, 10));
    sheet.set_ms("longest_get_ms", longest);
    sheet.expect(dropped < GRACE, "dropping a connection blocked");
    sheet.expect(longest <= TIMEOUT + GRACE, "a check-out outlived its time-out");
    drop(frozen);
    note_recovery(sheet, recovery(&*pool, 3 * TIMEOUT));
}

/// F23: the same with a real server whose processes all stand still (SIGSTOP).
#[test]
fn a_server_that_stands_still_holds_nobody_up() {
    tell_apart_at_length("F23-stop", 3 * LIMIT, |kind, _, sheet| {
        in_time(kind, sheet, |sheet| frozen(kind, sheet));
    });
}

fn slow(kind: Kind, _: u64, sheet: &mut Sheet) {
    let db = shared().database("slow");
    let proxy = Proxy::to(shared().port());
    let setup = Setup::new(proxy.instead_of(&db.url()), 4).pre_ping(true);
    let pool = setup.connect_timeout(Duration::from_secs(5)).open(kind).unwrap();
    let delay =
        Fault::Delay { least: Duration::from_millis(40), jitter: Duration::from_millis(20) };
    proxy.set(delay);
    let rounds = sized(5, 50);
    let failed = |work: &(dyn Fn() -> bool + Sync)| -> usize {
        together(8, |_| (0..rounds).filter(|_| !work()).count()).iter().sum()
    };
    let late = failed(&|| ask(&*pool).is_ok());
    proxy.set(Fault::Throttle { bytes_per_second: 100_000 });
    let large = "select repeat('x', 20000)";
    let narrow = failed(&|| pool.get().and_then(|mut lent| lent.text(large)).is_ok());
    sheet.set("checkouts_of_each", 8 * rounds);
    sheet.set("false_timeouts_50ms", late);
    sheet.set("false_timeouts_100kB_s", narrow);
    sheet.expect(late == 0, "a false time-out at 50 ms");
    sheet.expect(narrow == 0, "a false time-out at 100 kB/s");
}

/// F25: latency with jitter, and a narrow line, are no faults. Both pools pass that.
#[test]
fn a_slow_line_causes_no_false_time_out() {
    both_pass("F25-slow", 5 * LIMIT, slow);
}

fn dripping(kind: Kind, sheet: &mut Sheet) {
    let db = shared().database("drip");
    let proxy = Proxy::to(shared().port());
    let setup = Setup::new(proxy.instead_of(&db.url()), 2).timeout(TIMEOUT).pre_ping(true);
    let (pool, mut lent): (Box<dyn Subject>, Box<dyn Lent>) = match kind {
        Kind::Rowmill => {
            let pool = engine(&setup);
            let lent = bounded(&pool).unwrap();
            (Box::new(pool), Box::new(lent))
        }
        Kind::Naive => {
            let pool = setup.open(kind).unwrap();
            let mut lent = pool.get().unwrap();
            // What a user of the plain driver has.
            lent.run("set statement_timeout = '1s'").unwrap();
            (pool, lent)
        }
    };
    proxy.set(Fault::Throttle { bytes_per_second: 1 });
    let (outcome, time) = timed(|| lent.text("select 'a drop every second, for minutes'"));
    sheet.set_ms("statement_ms", time);
    sheet.expect(outcome.is_err(), "an answer, drop by drop");
    sheet.expect(time <= STATEMENT + Duration::from_secs(1), "a statement outlived its deadline");
    drop(lent);
    let (_, time) = timed(|| pool.get().is_ok());
    sheet.set_ms("get_ms", time);
    sheet.expect(time <= TIMEOUT + GRACE, "a check-out outlived its time-out");
}

/// F25: a line that drips meets the deadline of the statement and that of the check-out.
#[test]
fn a_line_that_drips_meets_the_deadlines() {
    tell_apart_at_length("F25-drip", 3 * LIMIT, |kind, _, sheet| {
        in_time(kind, sheet, |sheet| dripping(kind, sheet));
    });
}
