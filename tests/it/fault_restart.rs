//! Faults 3.1: the server goes away and comes back, starts slowly, or refuses for good.

use crate::support::cluster::Cluster;
use crate::support::crowd::{fill, time_to_fill};
use crate::support::proxy::{End, Fault, Proxy};
use crate::support::subject::{Kind, Setup, Subject, ask, engine, pid, timed};
use crate::support::trial::{Sheet, in_time, is_full, sized, tell_apart};
use crate::support::{LIMIT, shared};
use rowmill::ErrorKind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const SIZE: usize = 4;

/// How the server goes away.
#[derive(Clone, Copy, Debug)]
enum Manner {
    Immediate,
    Fast,
    Kill,
    /// One of its sessions is killed, which makes it end all others and start over by itself.
    Crash,
}

/// What a pool saw of an absence.
struct Absence {
    /// From when the server was ready until each thread was served.
    recoveries: Vec<Duration>,
    errors: usize,
    attempts_per_second: f64,
}

/// Asks; a statement that was under way when the server went is lost, which is no error of a
/// check-out.
fn served(pool: &dyn Subject) -> bool {
    pool.get().is_ok_and(|mut lent| {
        let _ = lent.run("select 1");
        true
    })
}

/// Waits until the server has ended all sessions, that of `witness` among them, and takes others.
fn outlive_a_crash(cluster: &Cluster, mut witness: postgres::Client) {
    let since = Instant::now();
    while witness.batch_execute("select 1").is_ok() || cluster.try_connect("postgres").is_err() {
        assert!(since.elapsed() < LIMIT, "it did not start over");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Lets the server go away for a while, under threads that ask all the time.
fn go_away(
    cluster: &Cluster,
    proxy: &Proxy,
    pool: &dyn Subject,
    how: Manner,
    away: Duration,
) -> Absence {
    fill(pool, SIZE);
    let victim = pool.get().and_then(|mut lent| pid(&mut *lent)).expect("a live connection");
    let is_back = AtomicBool::new(false);
    let ready = Mutex::new(None::<Instant>);
    let witness = cluster.connect("postgres");
    let arrivals = proxy.arrivals();
    let since = Instant::now();
    let (seen, attempts) = thread::scope(|scope| {
        let asking: Vec<_> = (0..SIZE)
            .map(|_| {
                scope.spawn(|| {
                    let mut errors = 0;
                    // Until one that was begun after the server came back is served.
                    loop {
                        let was_back = is_back.load(Ordering::SeqCst);
                        errors += usize::from(!served(pool));
                        if was_back || is_back.load(Ordering::SeqCst) {
                            return (Instant::now(), errors);
                        }
                        thread::sleep(Duration::from_millis(1));
                    }
                })
            })
            .collect();
        match how {
            Manner::Immediate => cluster.stop_immediate(),
            Manner::Fast => cluster.stop_fast(),
            Manner::Kill => cluster.kill(),
            Manner::Crash => cluster.kill_backend(victim),
        }
        thread::sleep(away);
        let attempts = proxy.arrivals() - arrivals;
        match how {
            Manner::Crash => outlive_a_crash(cluster, witness),
            _ => cluster.restart(),
        }
        *ready.lock().unwrap() = Some(Instant::now());
        is_back.store(true, Ordering::SeqCst);
        let seen: Vec<_> = asking.into_iter().map(|thread| thread.join().unwrap()).collect();
        (seen, attempts)
    });
    let ready = ready.lock().unwrap().expect("it came back");
    let down = away.max(Duration::from_millis(1)).min(since.elapsed());
    Absence {
        recoveries: seen.iter().map(|(at, _)| at.saturating_duration_since(ready)).collect(),
        errors: seen.iter().map(|(_, errors)| errors).sum(),
        attempts_per_second: attempts as f64 / down.as_secs_f64(),
    }
}

fn plan() -> Vec<(Manner, Duration, usize)> {
    if !is_full() {
        // The naive baseline asks again after 0.2, 0.6, 1.4, 3, 6.2 and 12.6 seconds: it is late however long
        // the server takes to start.
        return vec![(Manner::Fast, Duration::from_secs(7), 1), (Manner::Crash, Duration::ZERO, 1)];
    }
    let mut plan = vec![(Manner::Crash, Duration::ZERO, 20)];
    for how in [Manner::Immediate, Manner::Fast, Manner::Kill] {
        plan.extend(
            [(500, 20), (5_000, 5), (60_000, 1)]
                .map(|(away, times)| (how, Duration::from_millis(away), times)),
        );
    }
    plan
}

fn restarted(kind: Kind, sheet: &mut Sheet) {
    let cluster = Cluster::start();
    let proxy = Proxy::to(cluster.port());
    let setup = Setup::new(proxy.instead_of(&cluster.url()), SIZE as u32).pre_ping(true);
    let pool = setup.timeout(2 * LIMIT).open(kind).unwrap();
    let (mut recoveries, mut errors, mut fastest, mut absences) = (Vec::new(), 0, 0.0_f64, 0);
    for (how, away, times) in plan() {
        for _ in 0..times {
            let seen = go_away(&cluster, &proxy, &*pool, how, away);
            recoveries.extend(seen.recoveries);
            errors += seen.errors;
            absences += 1;
            // A rate over less than a second says nothing.
            if away >= Duration::from_secs(1) {
                fastest = fastest.max(seen.attempts_per_second);
            }
        }
    }
    recoveries.sort_unstable();
    let at = |share: f64| recoveries[((recoveries.len() - 1) as f64 * share).round() as usize];
    sheet.set("absences", absences);
    sheet.set_ms("recovery_p50_ms", at(0.5));
    sheet.set_ms("recovery_p95_ms", at(0.95));
    sheet.set_ms("recovery_max_ms", at(1.0));
    sheet.set("attempts_per_second_while_down", (fastest * 10.0).round() / 10.0);
    sheet.set("user_errors", errors);
    sheet.expect(at(1.0) <= Duration::from_secs(2), "recovered later than 2 s");
    sheet.expect(fastest <= 5.0 * SIZE as f64, "more than 5 attempts a second for each slot");
    sheet.expect(errors == 0, "errors within the time-out");
}

/// F7: stopped, killed, crashed; away for a while. The pool works again two seconds after the
/// server does, and does not hammer it meanwhile.
#[test]
fn a_server_that_comes_back_is_used_again_within_two_seconds() {
    tell_apart("F7", sized(5 * LIMIT, 40 * LIMIT), |kind, _, sheet| {
        in_time(kind, sheet, |sheet| restarted(kind, sheet));
    });
}

fn starting_up(kind: Kind, sheet: &mut Sheet) {
    let db = shared().database("starting");
    let proxy = Proxy::to(shared().port());
    let startup = Duration::from_millis(sized(3_500, 20_000));
    proxy.set(Fault::StartingUp);
    let setup = Setup::new(proxy.instead_of(&db.url()), 1).timeout(LIMIT);
    let ((served, failure), ready) = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let told = setup.clone().timeout(Duration::from_millis(300)).open(kind);
            let failure = told.and_then(|pool| ask(&*pool)).expect_err("it starts up");
            let answer = setup.open(kind).and_then(|pool| ask(&*pool));
            (answer.map(|_| Instant::now()), failure)
        });
        thread::sleep(startup);
        proxy.set(Fault::Pass);
        let ready = Instant::now();
        (asking.join().unwrap(), ready)
    });
    sheet.set("attempts", proxy.arrivals());
    sheet.expect(failure.text.contains("starting up"), format!("it does not say why: {failure}"));
    sheet.expect(failure.is_state("57P03"), "no SQLSTATE");
    let late = served.map(|at| at.saturating_duration_since(ready));
    sheet.expect(late.is_ok(), "not served");
    let late = late.unwrap_or(LIMIT);
    sheet.set_ms("served_after_ready_ms", late);
    sheet.expect(late <= Duration::from_secs(2), "served late");
}

/// F8: a server that says that it is starting up (57P03) is waited for, and the wait says why.
#[test]
fn a_server_that_starts_up_is_waited_for() {
    tell_apart("F8", 5 * LIMIT, |kind, _, sheet| {
        in_time(kind, sheet, |sheet| starting_up(kind, sheet));
    });
}

/// What makes a server refuse for good, and the SQLSTATE it gives.
const REFUSALS: [(&str, &str); 3] = [
    ("alter role ROLE password 'another'", "28P01"),
    ("alter role ROLE nologin", "28000"),
    ("drop database DATABASE with (force)", "3D000"),
];

const SECRET: &str = "n0b0dy-kn0ws";

fn refused(kind: Kind, sheet: &mut Sheet) {
    let (mut slowest, mut most) = (Duration::ZERO, 0);
    for (change, state) in REFUSALS {
        let db = shared().database("refused");
        let role = format!("{}_role", db.name());
        db.sql(&format!("create role {role} login password '{SECRET}'"));
        let proxy = Proxy::to(shared().port());
        let url = format!("postgresql://{role}:{SECRET}@127.0.0.1:{}/{}", proxy.port(), db.name());
        let setup = Setup::new(url, 2).timeout(Duration::from_secs(4)).pre_ping(true);
        // In the middle of the work, and at its start.
        let pool = setup.open(kind).unwrap();
        fill(&*pool, 2);
        shared().sql(&change.replace("ROLE", &role).replace("DATABASE", db.name()));
        proxy.cut(End::Rst);
        for pool in [Ok(pool), setup.open(kind)] {
            let before = proxy.arrivals();
            let (outcome, time) = timed(|| pool.and_then(|pool| ask(&*pool)));
            let failure = outcome.expect_err("the server refuses");
            slowest = slowest.max(time);
            most = most.max(proxy.arrivals() - before);
            sheet.expect(failure.is_state(state), format!("no {state}: {failure}"));
            sheet.expect(!failure.text.contains(SECRET), "the password is shown");
        }
    }
    sheet.set_ms("slowest_to_error_ms", slowest);
    sheet.set("most_attempts", most);
    sheet.expect(slowest <= Duration::from_secs(1), "an error that was late");
    sheet.expect(most <= 3, "attempts that lock an account");
}

/// F10: a changed password, a role that may not log in, a database that was dropped: an error at
/// once, with its SQLSTATE and without the password, and no more than three attempts.
#[test]
fn a_refusal_for_good_is_an_error_at_once() {
    tell_apart("F10", 3 * LIMIT, |kind, _, sheet| {
        in_time(kind, sheet, |sheet| refused(kind, sheet));
    });
}

/// pool-contract P3: behind a ping, an idle connection whose server was restarted is silently
/// replaced. P4: while the server stays away, the check-out fails with what the system said, and
/// the counts are as if nobody had asked. P5: without a ping the first statement reports it.
#[test]
fn a_restart_shows_where_it_must_and_nowhere_else() {
    let cluster = Cluster::start();
    let setup = Setup::new(cluster.url(), 2).timeout(Duration::from_secs(1));
    let pinging = engine(&setup.clone().pre_ping(true));
    let trusting = engine(&setup);
    let stale = pid(&mut pinging.get().unwrap()).unwrap();
    ask(&trusting).unwrap();
    cluster.restart();
    assert_ne!(pid(&mut pinging.get().unwrap()).unwrap(), stale);
    assert_eq!((pinging.stats().idle, pinging.stats().total), (1, 1));

    let mut connection = trusting.get().unwrap();
    let error = rowmill::backend::Connection::run(&mut *connection, "select 1").unwrap_err();
    assert!(error.is_disconnect(), "{error}");
    drop(connection);

    cluster.stop_immediate();
    for pool in [&pinging, &trusting] {
        let error = pool.get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.message().contains("refused"), "{error}");
        let stats = pool.stats();
        assert_eq!((stats.idle, stats.in_use, stats.waiting, stats.total), (0, 0, 0, 0));
    }
    cluster.restart();
    for pool in [&pinging, &trusting] {
        assert!(time_to_fill(pool, 2, LIMIT).is_some());
    }
}
