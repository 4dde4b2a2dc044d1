//! Faults 3.9, F65: what a pool does by itself: it reports loans that are too long, and keeps
//! sleeping connections alive.

use crate::support::crowd::together;
use crate::support::subject::{Kind, pid};
use crate::support::trial::{Sheet, measure, seed, sized};
use crate::support::{LIMIT, TestDb, shared};
use parking_lot::Mutex;
use rowmill::backend::Connection;
use rowmill::{Engine, PoolEvent, PoolListener, PoolName, PoolOptions};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// What a pool said of long loans.
#[derive(Debug, Default)]
struct Ears {
    leaks: Mutex<Vec<String>>,
    returns: Mutex<usize>,
}

impl PoolListener for Ears {
    fn observe(&self, _: &PoolName, event: &PoolEvent<'_>) {
        match event {
            PoolEvent::Leak { holder } => self.leaks.lock().push(holder.to_string()),
            PoolEvent::LeakReturned { .. } => *self.returns.lock() += 1,
            _ => (),
        }
    }
}

impl Ears {
    /// Waits until so many leaks were told of.
    fn wait_for(&self, leaks: usize) -> bool {
        let since = Instant::now();
        while self.leaks.lock().len() < leaks {
            if since.elapsed() > LIMIT / 6 {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

fn pool(db: &TestDb<'_>, change: impl FnOnce(PoolOptions) -> PoolOptions) -> (Engine, Arc<Ears>) {
    let ears = Arc::new(Ears::default());
    let listener = Arc::<Ears>::clone(&ears);
    let builder = Engine::builder(&db.url()).pool_size(4).max_overflow(0).pool(change);
    (builder.hooks(|hooks| hooks.listener(listener)).build().unwrap(), ears)
}

fn leaking(sheet: &mut Sheet) {
    let db = shared().database("leak");
    // Far above what a busy machine adds to a statement.
    let long = Duration::from_millis(sized(2_000, 3_000));
    let (pool, ears) = pool(&db, |options| options.leak_after(long));
    let short_loans = sized(100, 5_000);
    together(4, |_| (0..short_loans / 4).for_each(|_| pool.run("select 1").unwrap()));
    sheet.set("short_loans", short_loans);
    sheet.set("false_alarms", ears.leaks.lock().len());
    sheet.expect(ears.leaks.lock().is_empty(), "an alarm for a short loan");

    let place = format!("fault_watch.rs:{}", line!() + 1);
    let forgotten = pool.get().unwrap();
    std::mem::forget(forgotten);
    sheet.expect(ears.wait_for(1), "a forgotten loan is not told of");
    let told = ears.leaks.lock().first().cloned().unwrap_or_default();
    sheet.expect(told.contains(&place), format!("the place is not told: {told}"));
    sheet.expect(told.contains("not using it"), format!("it is not said to be idle: {told}"));

    thread::scope(|scope| {
        scope.spawn(|| {
            let mut connection = pool.get_labelled("the slow query").unwrap();
            let sleep = format!("select pg_sleep({})", 2.0 * long.as_secs_f64());
            Connection::run(&mut *connection, &sleep).unwrap();
        });
    });
    sheet.expect(ears.wait_for(2), "a long statement is not told of");
    let told = ears.leaks.lock().last().cloned().unwrap_or_default();
    let whole = told.contains("the slow query") && told.contains("running SQL");
    sheet.expect(whole, format!("what it does is not told: {told}"));
    sheet.expect(*ears.returns.lock() == 1, "its return is not told of");
    thread::sleep(2 * long);
    sheet.set("leaks_told_of", ears.leaks.lock().len());
    sheet.expect(ears.leaks.lock().len() == 2, "one offence, more than one report");
    sheet.expect(pool.stats().in_use == 1, "the gauge does not show what is held");
}

/// F65 and pool-contract H17: a loan that is forgotten, or takes long, is told of once, with where
/// it was taken and whether SQL runs; short ones never. The naive pool has nothing like it.
#[test]
fn a_loan_that_takes_too_long_is_told_of_once() {
    measure("F65", Kind::Rowmill, seed(), LIMIT, leaking).must_pass();
}

/// pool-contract H3: the server ends sessions that are idle for three seconds; who is asked far more
/// often lives on, and who is asked too late is found dead and replaced, unseen by the borrower.
#[test]
fn sleeping_connections_outlive_the_idle_limit_of_the_server() {
    let db = shared().database("keepalive");
    let limit = "alter database DB set idle_session_timeout = '3s'";
    db.sql(&limit.replace("DB", db.name()));
    let alive_after = |keepalive: u64| {
        let keepalive = Duration::from_millis(keepalive);
        let (pool, _) = pool(&db, |options| options.keepalive(keepalive).pre_ping(true));
        let first = pid(&mut pool.get().unwrap()).unwrap();
        thread::sleep(Duration::from_secs(5));
        pid(&mut pool.get().unwrap()).unwrap() == first
    };
    let alive = together(2, |index| alive_after([300, 60_000][index]));
    assert_eq!(alive, [true, false]);
}
