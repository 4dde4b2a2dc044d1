//! Connections that are on loan for long.

use crate::support::Log;
use crate::support::fake::{Fake, take, until};
use rowmill::{Clock, Pool, PoolHooks, PoolOptions};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const AFTER: Duration = Duration::from_mins(1);

fn pool(fake: &Fake) -> (Pool, Clock, Arc<Log>) {
    let (clock, log) = (Clock::manual(), Arc::new(Log::default()));
    let hooks = PoolHooks::new().clock(&clock).listener(log.clone());
    (fake.hooked(PoolOptions::new().leak_after(AFTER), hooks), clock, log)
}

/// pool-contract H17
#[test]
fn a_long_loan_is_told_once_with_its_place_and_again_when_it_ends() {
    let (pool, clock, log) = pool(&Fake::default());
    let line = line!() + 1;
    let held = pool.get_labelled("merge").unwrap();
    clock.advance(AFTER);
    pool.tend();
    pool.tend();
    let lines = log.lines();
    let leaks: Vec<_> = lines.iter().filter(|line| line.starts_with("leak:")).collect();
    assert_eq!(leaks.len(), 1, "{leaks:?}");
    let start = "leak: merge (thread pool_leak::a_long_loan_is_told_once";
    assert!(leaks[0].starts_with(start), "{leaks:?}");
    let end = format!("not using it) for 60.0s, taken at tests/it/pool_leak.rs:{line}:");
    assert!(leaks[0].contains(&end), "{leaks:?}");
    drop(held);
    assert_eq!((log.count("leak returned: merge"), pool.stats().leaks), (1, 1));
}

#[test]
fn one_who_runs_a_statement_is_told_from_one_who_does_not() {
    let fake = Fake::default();
    let (pool, clock, log) = pool(&fake);
    thread::scope(|scope| {
        scope.spawn(|| pool.get_labelled("busy").unwrap().run("hang"));
        until("the statement runs", || fake.count("hang") == 1);
        let _held = pool.get_labelled("lazy").unwrap();
        clock.advance(AFTER);
        pool.tend();
        assert!(pool.holders().iter().any(|holder| holder.is_running));
        pool.close(Duration::ZERO);
    });
    let leak = |label: &str| {
        log.lines().into_iter().find(|line| line.starts_with(&format!("leak: {label}"))).unwrap()
    };
    assert!(leak("busy").contains("running SQL"), "{}", leak("busy"));
    assert!(leak("lazy").contains("not using it"), "{}", leak("lazy"));
}

#[test]
fn no_loan_that_is_short_and_nothing_that_sleeps_is_told() {
    let (pool, clock, log) = pool(&Fake::default());
    for _ in 0..10 {
        let held = take(&pool, 3);
        clock.advance(AFTER / 100 * 99);
        pool.tend();
        drop(held);
        clock.advance(AFTER);
        pool.tend();
    }
    assert_eq!((log.count("leak"), pool.stats().leaks), (0, 0));
}

#[test]
fn the_time_on_loan_is_counted() {
    let (pool, clock, _) = pool(&Fake::default());
    let held = take(&pool, 2);
    clock.advance(Duration::from_secs(3));
    drop(held);
    drop(pool.get().unwrap());
    let stats = pool.stats();
    assert_eq!((stats.total_use, stats.check_outs), (Duration::from_secs(6), 3));
}
