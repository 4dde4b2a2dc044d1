//! Faults 3.9: a pool ends, or a thread that has a connection panics.

use crate::support::alone::{Alone, Census};
use crate::support::crowd::together;
use crate::support::proxy::{Fault, Proxy};
use crate::support::subject::{Kind, Lent, Setup, ask, engine, timed};
use crate::support::trial::{Sheet, in_time, measure, seed, sized, tell_apart};
use crate::support::{Gate, LIMIT, TestDb, shared};
use rowmill::{Engine, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// How long the end may take until nothing is left of the pool.
const AFTERMATH: Duration = Duration::from_secs(2);

fn create_and_drop(kind: Kind, url: &str, cycles: usize, sheet: &mut Sheet) {
    let mut looker = postgres::Client::connect(url, postgres::NoTls).unwrap();
    let setup = Setup::new(url, 2);
    let cycle = || {
        let pool = setup.open(kind).unwrap();
        let _both = together(2, |_| ask(&*pool).unwrap());
    };
    cycle();
    thread::sleep(AFTERMATH);
    let before = Census::take();
    let ((), time) = timed(|| (0..cycles).for_each(|_| cycle()));
    let (threads, descriptors) = before.leaked(AFTERMATH);
    let others = "select count(*) from pg_stat_activity where datname = current_database() \
                  and pid <> pg_backend_pid()";
    // The server may hear of their end a moment later.
    let since = Instant::now();
    let sessions = loop {
        let left: i64 = looker.query_one(others, &[]).unwrap().get(0);
        if left == 0 || since.elapsed() > AFTERMATH {
            break left;
        }
        thread::sleep(Duration::from_millis(5));
    };
    sheet.set("cycles", cycles);
    sheet.set_ms("cycle_ms", time / cycles as u32);
    sheet.set("leaked_threads", threads);
    sheet.set("leaked_fds", descriptors);
    sheet.set("leaked_conns", sessions);
    sheet.expect(threads == 0, "threads are left");
    sheet.expect(descriptors == 0, "descriptors are left");
    sheet.expect(sessions == 0, "sessions are left");
}

/// F63: after many pools were made and dropped, threads, descriptors and sessions are back where
/// they were within two seconds.
#[test]
fn pools_that_were_dropped_leave_nothing() {
    let prepare = || {
        let db = shared().database("cycles");
        (db.url(), db)
    };
    let alone = Alone::named("fault_end::pools_that_were_dropped_leave_nothing");
    alone.run(prepare, |url| {
        let cycles = sized(30, 1000);
        let run = |kind, url: String| {
            measure("F63", kind, seed(), 10 * LIMIT, move |sheet| {
                in_time(kind, sheet, |sheet| create_and_drop(kind, &url, cycles, sheet));
            })
        };
        run(Kind::Rowmill, url.to_owned()).must_pass();
        run(Kind::Naive, url.to_owned()).must_fail();
    });
}

/// What a pool is doing when it is disposed of.
type Scene = fn(&Engine, &TestDb<'_>, &Proxy, &mut Sheet);

const SCENES: [(&str, Scene); 5] = [
    ("idle", |pool, _, _, _| {
        together(2, |_| pool.get().map(drop).unwrap());
        pool.dispose();
    }),
    ("busy", |pool, _, _, sheet| {
        let mut held = pool.get().unwrap();
        let ((), time) = timed(|| pool.dispose());
        sheet.expect(time < Duration::from_secs(1), "busy: disposing waited for the borrower");
        sheet.expect(Lent::run(&mut held, "select 1").is_ok(), "busy: the borrower was cut off");
    }),
    ("waited for", |pool, _, _, sheet| {
        let (first, second) = (pool.get().unwrap(), Gate::closed());
        thread::scope(|scope| {
            scope.spawn(|| {
                let _held = pool.get().unwrap();
                second.pass();
            });
            second.wait_until_reached();
            let waiters: Vec<_> = (0..4).map(|_| scope.spawn(|| pool.get().map(drop))).collect();
            while pool.stats().waiting < 4 {
                thread::yield_now();
            }
            let ((), time) = timed(|| {
                pool.dispose();
                for waiter in waiters {
                    let error = waiter.join().unwrap().unwrap_err();
                    sheet.expect(error.kind() == ErrorKind::PoolClosed, format!("{error}"));
                }
            });
            sheet.set_ms("waiters_told_ms", time);
            sheet.expect(time < Duration::from_secs(1), "the waiters were told late");
            second.open();
        });
        drop(first);
    }),
    ("connecting", |pool, _, proxy, sheet| {
        proxy.set(Fault::Silent);
        let arrivals = proxy.arrivals();
        thread::scope(|scope| {
            let connecting = scope.spawn(|| timed(|| pool.get().map(drop)));
            while proxy.arrivals() == arrivals {
                thread::yield_now();
            }
            let ((), time) = timed(|| pool.dispose());
            sheet.expect(time < Duration::from_secs(1), "connecting: disposing waited");
            let (outcome, time) = connecting.join().unwrap();
            sheet.expect(outcome.is_err(), "connecting: a connection of a pool that is closed");
            sheet.expect(time < Duration::from_secs(3), "connecting: it outlived its time-out");
        });
        proxy.set(Fault::Pass);
    }),
    ("unwinding", |pool, _, _, _| {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _held = pool.get().unwrap();
            pool.dispose();
            resume_unwind(Box::new("on purpose"));
        }));
        assert!(unwound.is_err());
    }),
];

fn disposed(sheet: &mut Sheet) {
    let db = shared().database("disposed");
    let proxy = Proxy::to(shared().port());
    let mut slowest = Duration::ZERO;
    for (name, scene) in SCENES {
        let setup = Setup::new(proxy.instead_of(&db.url()), 2).timeout(Duration::from_secs(2));
        let pool = engine(&setup);
        scene(&pool, &db, &proxy, sheet);
        let error = pool.get().unwrap_err();
        sheet.expect(error.kind() == ErrorKind::PoolClosed, format!("{name}: {error}"));
        slowest = slowest.max(db.wait_until_alone());
        sheet.expect(pool.stats().total == 0, format!("{name}: the pool counts connections"));
    }
    sheet.set_ms("slowest_until_no_session_ms", slowest);
    sheet.expect(slowest <= AFTERMATH, "a session outlived its pool");
}

/// F63: a pool that is disposed of while it is idle, busy, waited for, connecting or unwinding
/// tells its waiters at once, and its sessions end. The naive pool has no way to be closed.
#[test]
fn a_pool_can_be_disposed_of_at_any_moment() {
    let work = |sheet: &mut Sheet| in_time(Kind::Rowmill, sheet, disposed);
    measure("F63-matrix", Kind::Rowmill, seed(), 3 * LIMIT, work).must_pass();
}

/// Where a panic strikes whoever has a connection.
type Strike = fn(&mut dyn Lent);

const STRIKES: [(&str, Strike); 4] = [
    ("in a transaction", |lent| {
        lent.run("begin; lock table t").unwrap();
        resume_unwind(Box::new("a text"));
    }),
    ("with a payload that is no text", |lent| {
        lent.run("begin; insert into t values (1)").unwrap();
        resume_unwind(Box::new(17_u64));
    }),
    ("while rows are read", |lent| {
        lent.run("begin; select n from t for update").unwrap();
        lent.read_one_row_of("select n from generate_series(1, 200000) n");
        resume_unwind(Box::new("a text"));
    }),
    ("in a destructor", |lent| {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                resume_unwind(Box::new("a text"));
            }
        }
        lent.run("begin; set lock_timeout = '77s'; lock table t").unwrap();
        drop(Bomb);
    }),
];

fn panicking(kind: Kind, sheet: &mut Sheet) {
    let db = shared().database("panicking");
    db.sql("create table t (n int)");
    let mut lost_slots = 0;
    for (name, strike) in STRIKES {
        let setup = Setup::new(db.url(), 2).timeout(Duration::from_secs(2));
        let pool = setup.open(kind).unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let mut lent = pool.get().unwrap();
            strike(&mut *lent);
        }));
        assert!(panic.is_err());
        let in_transaction = "select exists (select from pg_stat_activity \
            where datname = current_database() and state like 'idle in transaction%')";
        let since = Instant::now();
        while db.watch(in_transaction) == "t" && since.elapsed() < AFTERMATH {
            thread::sleep(Duration::from_millis(5));
        }
        let is_open = db.watch(in_transaction) == "t";
        sheet.expect(!is_open, format!("{name}: its transaction is still open"));
        let held = Barrier::new(2);
        let live = together(2, |_| {
            let lent = pool.get();
            held.wait();
            lent.is_ok_and(|mut lent| lent.run("select 1").is_ok())
        });
        lost_slots += live.iter().filter(|live| !**live).count();
        drop(pool);
        db.terminate_all();
    }
    sheet.set("strikes", STRIKES.len());
    sheet.set("lost_slots", lost_slots);
    sheet.expect(lost_slots == 0, "slots are lost");
}

/// F61: after a panic with a connection in hand the transaction is over, and the pool is whole.
#[test]
fn a_panic_with_a_connection_in_hand_leaves_no_transaction_and_no_hole() {
    tell_apart("F61", 3 * LIMIT, |kind, _, sheet| {
        in_time(kind, sheet, |sheet| panicking(kind, sheet));
    });
}
