//! Faults 3.4 and 3.9: what a process has besides its pool: an async runtime, children, and no more
//! descriptors.

use crate::support::alone::Alone;
use crate::support::crowd::{fill, time_to_fill, together};
use crate::support::subject::{Kind, Setup, ask, engine, timed};
use crate::support::trial::{Sheet, measure, seed};
use crate::support::{LIMIT, shared};
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The time-out of a check-out here.
const TIMEOUT: Duration = Duration::from_secs(2);

fn in_a_runtime(kind: Kind, url: &str, sheet: &mut Sheet) {
    let pool = Setup::new(url, 2).pre_ping(true).open(kind).unwrap();
    ask(&*pool).unwrap();
    let mut held = Some(pool.get().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut panics = 0;
    let mut contained = |work: &mut dyn FnMut() -> bool| {
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(async { work() })));
        panics += i32::from(outcome.is_err());
    };
    contained(&mut || held.as_mut().is_some_and(|held| held.run("select 1").is_err()));
    contained(&mut || held.take().is_some());
    contained(&mut || ask(&*pool).is_err());
    contained(&mut || pool.get().is_err());
    sheet.set("panics", panics);
    sheet.expect(panics == 0, "a panic inside of an async runtime");
    let afterwards = ask(&*pool);
    sheet.expect(afterwards.is_ok(), format!("it does not work afterwards: {afterwards:?}"));
    runtime.block_on(async move { drop(pool) });
}

/// F64: inside of an async runtime there are errors and no panics, whatever is called there. The
/// naive pool panics in a destructor, which ends the process: so it has one of its own.
#[test]
fn inside_an_async_runtime_nothing_panics() {
    let prepare = || {
        let db = shared().database("runtime");
        (db.url(), db)
    };
    let alone = Alone::named("fault_process::inside_an_async_runtime_nothing_panics");
    let mut inside = false;
    let status = alone.end(prepare, |url| {
        inside = true;
        for kind in [Kind::Rowmill, Kind::Naive] {
            let url = url.to_owned();
            let outcome = measure("F64", kind, seed(), LIMIT, move |sheet| {
                in_a_runtime(kind, &url, sheet);
            });
            match kind {
                Kind::Rowmill => drop(outcome.must_pass()),
                // Only if it lives to tell.
                Kind::Naive => outcome.must_fail(),
            }
        }
    });
    let Some(status) = status else { return };
    let ended = status.signal();
    // SIGABRT comes from the naive pool; an assertion about ours is an exit code.
    assert!(!inside && (status.success() || ended == Some(6)), "{status}");
    measure("F64", Kind::Naive, 0, LIMIT, move |sheet| {
        sheet.expect(status.success(), format!("the process ended: {status}"));
    });
}

/// F64: a program that is started while the pool has connections has none of them. (A `fork`
/// without `exec` needs `unsafe`, which this workspace forbids; it is not tested.)
#[test]
fn a_child_process_inherits_no_connection() {
    let db = shared().database("child");
    let pool = engine(&Setup::new(db.url(), 4));
    fill(&pool, 4);
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
    let sockets = descriptors
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|link| link.to_string_lossy().starts_with("socket:"))
        .count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(sockets, 0);
    assert_eq!(db.sessions(), 4);
}

/// Opens files until none can be opened.
fn all_descriptors() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

fn without_descriptors(kind: Kind, url: &str, sheet: &mut Sheet) {
    let mut killer = postgres::Client::connect(url, postgres::NoTls).unwrap();
    let pool = Setup::new(url, 4).timeout(TIMEOUT).pre_ping(true).open(kind).unwrap();
    fill(&*pool, 4);
    let mut taken = all_descriptors();
    let others = "select pg_terminate_backend(pid, 10000) from pg_stat_activity \
                  where datname = current_database() and pid <> pg_backend_pid()";
    killer.batch_execute(others).unwrap();
    let (all_tried, is_over) = (Barrier::new(4), AtomicBool::new(false));
    let outcomes = thread::scope(|scope| {
        // What is dead is closed first: its descriptors are taken, too.
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                taken.extend(all_descriptors());
            }
        });
        let outcomes = together(4, |_| {
            let (outcome, time) = timed(|| pool.get());
            all_tried.wait();
            (outcome.map(drop), time)
        });
        is_over.store(true, Ordering::SeqCst);
        outcomes
    });
    let slowest = outcomes.iter().map(|(_, time)| *time).max().unwrap_or_default();
    sheet.set_ms("error_after_ms", slowest);
    let failures: Vec<_> = outcomes.into_iter().filter_map(|(outcome, _)| outcome.err()).collect();
    sheet.set("errors", failures.len());
    sheet.expect(!failures.is_empty(), "it has descriptors");
    for failure in failures {
        let says = failure.text.contains("descriptor");
        sheet.expect(says, format!("it does not say why: {failure}"));
    }
    drop(taken);
    let recovered = time_to_fill(&*pool, 4, 5 * TIMEOUT);
    sheet.expect(recovered.is_some(), "slots are lost for ever");
}

/// F32: a process that has no descriptor left gets an error that says so, and once it has some
/// again, no slot is lost.
#[test]
fn a_process_without_descriptors_gets_an_error_and_loses_no_slot() {
    let prepare = || {
        let db = shared().database("descriptors");
        (db.url(), db)
    };
    let name = "fault_process::a_process_without_descriptors_gets_an_error_and_loses_no_slot";
    Alone::named(name).descriptors(128).run(prepare, |url| {
        for kind in [Kind::Rowmill, Kind::Naive] {
            let url = url.to_owned();
            let outcome = measure("F32", kind, seed(), LIMIT, move |sheet| {
                without_descriptors(kind, &url, sheet);
            });
            match kind {
                Kind::Rowmill => drop(outcome.must_pass()),
                Kind::Naive => outcome.must_fail(),
            }
        }
    });
}
