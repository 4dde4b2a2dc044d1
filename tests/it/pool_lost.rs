//! Connections that are lost, and what follows for the others.

use crate::support::LIMIT;
use crate::support::Log;
use crate::support::fake::{Fake, id, take};
use rowmill::{Clock, Error, ErrorKind, Pool, PoolHooks, PoolOptions, Verdict};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

fn pinging() -> PoolOptions {
    PoolOptions::new().pool_size(5).max_overflow(0).pre_ping(true).ping_bypass(Duration::ZERO)
}

fn hooked(fake: &Fake, options: PoolOptions) -> (Pool, Arc<Log>) {
    let log = Arc::new(Log::default());
    (fake.hooked(options, PoolHooks::new().listener(log.clone())), log)
}

/// pool-contract R1, P5
#[test]
fn one_disconnect_gives_up_all_that_are_as_old_and_no_newer_one() {
    let fake = Fake::default();
    let (pool, log) = hooked(&fake, PoolOptions::new().pool_size(5));
    let mut held = take(&pool, 4);
    drop(held.pop());
    drop(held.pop());
    let mut lost = held.pop().unwrap();
    assert!(lost.run("fail 57P01").is_err());
    drop(lost);
    assert_eq!(fake.open(), 3, "that one is closed now");
    let newer = id(&mut pool.get().unwrap());
    assert_eq!((newer, fake.open()), (4, 2), "those that slept are closed when they are asked for");
    drop(held);
    assert_eq!(id(&mut pool.get().unwrap()), newer);
    assert_eq!(log.count("invalidate all: refused with 57P01"), 1);
}

/// pool-contract R1
#[test]
fn an_older_connection_on_loan_works_on_and_is_closed_when_it_comes_back() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    let mut held = take(&pool, 2);
    assert!(held[0].run("fail 08006").is_err());
    drop(held.remove(0));
    assert!(held[0].run("fine").is_ok());
    drop(held);
    assert_eq!((fake.open(), pool.stats().discarded), (0, 2));
}

/// pool-contract A24, R11
#[test]
fn many_disconnects_at_once_are_one_for_the_pool() {
    let fake = Fake::default();
    let (pool, log) = hooked(&fake, PoolOptions::new().pool_size(15).max_overflow(0));
    let held = take(&pool, 15);
    let together = Barrier::new(15);
    thread::scope(|scope| {
        for mut connection in held {
            let (pool, together) = (&pool, &together);
            scope.spawn(move || {
                assert!(connection.run("fail 57P01").is_err());
                together.wait();
                drop(connection);
                let again = pool.get().unwrap();
                together.wait();
                drop(again);
            });
        }
    });
    assert_eq!((fake.count("close"), fake.connects(), fake.open()), (15, 30, 15));
    assert_eq!((log.count("invalidate:"), log.count("invalidate all:")), (15, 1));
    assert!(pool.stats().idle == 15);
    drop(pool.get().unwrap());
    assert_eq!(fake.connects(), 30);
}

/// pool-contract R12
#[test]
fn giving_up_twice_is_giving_up_once() {
    let fake = Fake::default();
    let (pool, log) = hooked(&fake, PoolOptions::new());
    let mut connection = pool.get().unwrap();
    let cause = Error::new(ErrorKind::Disconnect, "gone");
    connection.invalidate_for(&cause);
    connection.invalidate_for(&cause);
    connection.invalidate();
    drop(connection);
    assert_eq!((fake.count("close"), log.count("invalidate: gone")), (1, 1));
    assert_eq!((log.count("invalidate:"), log.count("invalidate all: gone")), (1, 1));
}

/// pool-contract R6
#[test]
fn an_ordinary_error_loses_nothing() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    for state in ["23505", "42601", "40001"] {
        assert!(pool.get().unwrap().run(&format!("fail {state}")).is_err());
    }
    assert_eq!((id(&mut pool.get().unwrap()), fake.connects()), (0, 1));
}

/// pool-contract H6, P6
#[test]
fn a_classifier_may_keep_what_looks_lost_and_lose_what_does_not() {
    for (state, verdict, left) in [
        ("57P01", Verdict::AsItIs, 4),
        ("57P01", Verdict::Kept, 5),
        ("XX000", Verdict::AsItIs, 5),
        ("XX000", Verdict::Lost, 4),
    ] {
        let fake = Fake::default();
        let hooks = PoolHooks::new().classify(move |_, in_ping| {
            assert!(!in_ping);
            verdict
        });
        let pool = fake.hooked(PoolOptions::new(), hooks);
        let mut held = take(&pool, 5);
        assert!(held[0].run(&format!("fail {state}")).is_err());
        drop(held.remove(0));
        assert_eq!(pool.stats().total, left, "{state} {verdict:?}");
    }
}

/// pool-contract R8
#[test]
fn a_panic_in_a_statement_closes_that_connection_only() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    drop(take(&pool, 2));
    let panic = catch_unwind(AssertUnwindSafe(|| pool.get().unwrap().run("panic")));
    assert!(panic.is_err());
    assert_eq!((fake.open(), pool.stats().idle), (1, 1));
    drop(pool.get().unwrap());
    assert_eq!(fake.connects(), 2, "the other one is still good");
}

/// pool-contract P2, P3, P7
#[test]
fn a_ping_replaces_what_was_lost_without_a_word_to_it() {
    let fake = Fake::default();
    let (pool, log) = hooked(&fake, pinging());
    drop(take(&pool, 3));
    fake.fail_pings_with(Some("57P01"));
    assert_eq!(id(&mut pool.get().unwrap()), 3);
    assert_eq!(fake.count("ping"), 1, "neither the others nor the new one");
    assert_eq!((fake.count("rollback"), fake.open()), (0, 1));
    assert_eq!(log.count("invalidate all: refused with 57P01"), 1);
}

/// pool-contract P6
#[test]
fn what_a_ping_says_of_something_else_is_the_borrowers_error() {
    let fake = Fake::default();
    let pool = fake.pool_with(pinging());
    drop(pool.get().unwrap());
    fake.fail_pings_with(Some("XX000"));
    assert_eq!(pool.get().unwrap_err().message(), "refused with XX000");
    let stats = pool.stats();
    assert_eq!((stats.total, stats.in_use, stats.idle), (0, 0, 0));
}

/// pool-contract P6
#[test]
fn a_classifier_has_the_last_word_on_a_ping() {
    for (state, verdict, is_replaced) in [
        ("XX000", Verdict::Lost, true),
        ("57P01", Verdict::Kept, false),
        ("57P01", Verdict::AsItIs, true),
    ] {
        let fake = Fake::default();
        let hooks = PoolHooks::new().classify(move |_, in_ping| {
            assert!(in_ping);
            verdict
        });
        let pool = fake.hooked(pinging(), hooks);
        drop(pool.get().unwrap());
        fake.fail_pings_with(Some(state));
        assert_eq!(pool.get().is_ok(), is_replaced, "{state} {verdict:?}");
    }
}

/// pool-contract P4
#[test]
fn while_the_server_is_down_the_error_is_its_own_and_the_counts_stay() {
    let fake = Fake::default();
    let pool = fake.pool_with(pinging());
    drop(pool.get().unwrap());
    fake.stop();
    let error = pool.get_within(Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.message(), "refused with 08001");
    assert_eq!((pool.stats().in_use, pool.stats().waiting), (0, 0));
    fake.start();
    assert!(pool.get().is_ok());
}

/// pool-contract A21, A22, A23
#[test]
fn a_replacement_that_fails_loses_no_room() {
    for (recycle, check_out_fails) in [(false, false), (true, false), (false, true)] {
        let (fake, clock) = (Fake::default(), Clock::manual());
        let mut options = PoolOptions::new().pool_size(1).max_overflow(2);
        if recycle {
            options = options.recycle(Duration::from_secs(30));
        }
        let mut hooks = PoolHooks::new().clock(&clock);
        if check_out_fails {
            let broken = fake.clone();
            hooks = hooks.on_check_out(move |_| match broken.count("down") {
                0 => Ok(()),
                _ => Err(Error::new(ErrorKind::Disconnect, "gone")),
            });
        }
        let pool = fake.hooked(options, hooks);
        let mut first = pool.get().unwrap();
        if !recycle && !check_out_fails {
            first.invalidate();
        }
        drop(first);
        clock.advance(Duration::from_secs(35));
        fake.stop();
        fake.note("down");
        let short = Duration::from_millis(30);
        assert!(pool.get_within(short).is_err());
        let stats = pool.stats();
        assert_eq!((stats.in_use, stats.total, stats.idle), (0, 0, 0));
        fake.start();
        fake.forget();
        let before = Instant::now();
        assert_eq!(take(&pool, 3).len(), 3);
        assert!(before.elapsed() < LIMIT / 2);
    }
}

/// pool-contract A25
#[test]
fn a_check_out_hook_that_calls_a_connection_lost_gets_another() {
    let fake = Fake::default();
    let hooks =
        PoolHooks::new().on_check_out(|hooked| match hooked.connection.execute("id", &[])? {
            0 if hooked.data.is_some() => Err(Error::new(ErrorKind::Disconnect, "gone")),
            _ => {
                *hooked.data = Some(Box::new(()));
                Ok(())
            }
        });
    let pool = fake.hooked(PoolOptions::new(), hooks);
    drop(pool.get().unwrap());
    let mut second = pool.get().unwrap();
    assert_eq!(id(&mut second), 1);
    assert_eq!(fake.calls(), ["close 0"], "without a reset");
    second.begin().unwrap();
    drop(second);
    assert_eq!((fake.count("rollback"), fake.open()), (1, 1));
}

#[test]
fn a_check_out_hook_that_calls_every_connection_lost_is_not_asked_for_ever() {
    let fake = Fake::default();
    let lost = |_: &mut rowmill::Hooked<'_>| Err(Error::new(ErrorKind::Disconnect, "gone"));
    let pool = fake.hooked(PoolOptions::new(), PoolHooks::new().on_check_out(lost));
    let before = Instant::now();
    assert!(pool.get().is_err());
    assert!(before.elapsed() < LIMIT / 2);
    assert!(fake.connects() <= 5 && fake.open() == 0, "{}", fake.connects());
}

/// pool-contract R7
#[test]
fn a_disconnect_during_the_rollback_of_a_return_gives_the_connection_up() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let mut connection = pool.get().unwrap();
    connection.begin().unwrap();
    fake.fail_pings_with(Some("57P01"));
    drop(connection);
    assert_eq!((fake.open(), pool.stats().total, pool.stats().discarded), (0, 0, 1));
}

/// pool-contract R17
#[test]
fn a_disconnect_in_the_middle_of_a_result_gives_the_connection_up_but_an_error_of_the_reader_does_not()
 {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let foreign = Error::new(ErrorKind::Disconnect, "another database is gone");
    let mut foreign = Some(foreign);
    let result = pool.get().unwrap().query("rows", &[], &mut |_| Err(foreign.take().unwrap()));
    assert_eq!(result.unwrap_err().message(), "another database is gone");
    assert_eq!((fake.open(), pool.stats().total), (1, 1));
    assert!(pool.get().unwrap().run("fail 08006").is_err());
    assert_eq!((fake.open(), pool.stats().total), (0, 0));
}

/// pool-contract R5, H4
#[test]
fn a_connection_that_was_given_up_says_so_to_every_call() {
    let pool = Fake::default().pool(1, 0);
    let mut connection = pool.get().unwrap();
    connection.invalidate();
    for _ in 0..3 {
        assert_eq!(connection.run("x").unwrap_err().kind(), ErrorKind::Disconnect);
        assert_eq!(connection.rollback().unwrap_err().kind(), ErrorKind::Disconnect);
    }
    assert!(connection.is_broken() && !connection.in_transaction() && connection.id().is_none());
}

/// pool-contract R16
#[test]
fn one_that_was_killed_and_is_too_old_is_replaced_without_an_error() {
    let (fake, clock) = (Fake::default(), Clock::manual());
    let options = PoolOptions::new().recycle(Duration::from_secs(1));
    let pool = fake.hooked(options, PoolHooks::new().clock(&clock));
    drop(pool.get().unwrap());
    fake.cut();
    clock.advance(Duration::from_secs(2));
    assert_eq!(id(&mut pool.get().unwrap()), 1);
}

/// pool-contract H31
#[test]
fn a_connection_that_is_slow_to_close_delays_nobody_beyond_the_time_out() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    drop(take(&pool, 2));
    let gate = fake.gate_close();
    fake.cut();
    thread::scope(|scope| {
        let first = scope.spawn(|| pool.get_within(Duration::from_millis(50)).map(drop));
        let second = scope.spawn(|| pool.get_within(Duration::from_millis(50)).map(drop));
        for late in [first, second] {
            assert_eq!(late.join().unwrap().unwrap_err().kind(), ErrorKind::PoolTimeout);
        }
        assert_eq!(pool.stats().in_use, 2, "the room is taken until they are closed");
        gate.open();
    });
    crate::support::fake::until("both are closed", || pool.stats().in_use == 0);
    assert!(pool.get().is_ok());
}

/// One who calls from where no call is allowed learns that, and costs nobody a connection.
#[test]
fn a_connection_that_could_not_be_asked_sleeps_on() {
    let fake = Fake::default();
    let pool = fake.pool_with(pinging());
    drop(take(&pool, 2));
    fake.refuse_pings(true);
    let before = pool.stats();
    let error = pool.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let after = pool.stats();
    assert_eq!((after.idle, after.in_use, after.closed), (2, 0, 0));
    assert_eq!(after.check_outs, before.check_outs);
    fake.refuse_pings(false);
    let mut held = take(&pool, 2);
    let mut ids: Vec<_> = held.iter_mut().map(id).collect();
    ids.sort_unstable();
    assert_eq!((ids, fake.connects()), (vec![0, 1], 2));
}

#[test]
fn a_pool_that_is_tended_from_where_no_call_is_allowed_keeps_its_connections() {
    let fake = Fake::default();
    let clock = Clock::manual();
    let keepalive = pinging().keepalive(Duration::from_mins(1));
    let pool = fake.hooked(keepalive, PoolHooks::new().clock(&clock));
    drop(take(&pool, 2));
    fake.refuse_pings(true);
    clock.advance(Duration::from_secs(61));
    pool.tend();
    assert_eq!((pool.stats().idle, fake.open()), (2, 2));
}
