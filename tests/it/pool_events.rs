//! What a pool tells, in which order, and the hooks of its connections.

use crate::support::Gate;
use crate::support::Log;
use crate::support::fake::{Fake, take, until};
use rowmill::{Error, ErrorKind, Pool, PoolEvent, PoolHooks, PoolListener, PoolName, PoolOptions};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn hooked(fake: &Fake, hooks: PoolHooks) -> (Pool, Arc<Log>) {
    let log = Arc::new(Log::default());
    let options = PoolOptions::new().pool_size(1).max_overflow(0);
    (fake.hooked(options, hooks.listener(log.clone())), log)
}

/// pool-contract A37
#[test]
fn the_life_of_a_connection_is_told_in_its_order() {
    let (pool, log) = hooked(&Fake::default(), PoolHooks::new());
    drop(pool.get_labelled("merge").unwrap());
    drop(pool.get().unwrap());
    pool.dispose();
    assert_eq!(
        log.lines(),
        [
            "first connect",
            "connect",
            "check-out: merge",
            "reset: nothing",
            "check-in: merge",
            "check-out: nobody",
            "reset: nothing",
            "check-in: nobody",
            "pool closed",
            "close: the pool was closed",
        ]
    );
}

/// pool-contract A37
#[test]
fn the_first_connection_is_told_once_and_every_connection_once() {
    let (pool, log) = hooked(&Fake::default(), PoolHooks::new());
    for _ in 0..3 {
        drop(pool.get().unwrap());
        pool.invalidate_all();
    }
    assert_eq!((log.count("first connect"), log.count("connect")), (1, 3));
    assert_eq!((log.count("check-out"), log.count("check-in"), log.count("close")), (3, 3, 3));
}

/// pool-contract A37
#[test]
fn giving_up_tells_its_cause() {
    let (pool, log) = hooked(&Fake::default(), PoolHooks::new());
    pool.get().unwrap().soft_invalidate();
    pool.get().unwrap().invalidate();
    pool.get().unwrap().invalidate_for(&Error::new(ErrorKind::Database, "why"));
    assert!(pool.get().unwrap().run("fail 57P01").is_err());
    for line in [
        "soft invalidate: asked",
        "invalidate: asked",
        "invalidate: why",
        "invalidate: refused with 57P01",
        "invalidate all: refused with 57P01",
    ] {
        assert_eq!(log.count(line), 1, "{line} in {:?}", log.lines());
    }
}

/// pool-contract A37
#[test]
fn a_detached_connection_tells_that_it_leaves_and_that_it_is_closed() {
    let (pool, log) = hooked(&Fake::default(), PoolHooks::new());
    let detached = pool.get().unwrap().detach().unwrap();
    assert_eq!((log.count("detach"), log.count("close")), (1, 0));
    drop(detached);
    assert!(log.lines().ends_with(&["close detached".to_owned()]));
}

/// pool-contract A37
#[test]
fn listeners_are_told_in_the_order_in_which_they_were_added_and_may_panic() {
    struct Panics(Arc<AtomicU32>);
    impl PoolListener for Panics {
        fn observe(&self, _: &PoolName, _: &PoolEvent<'_>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            std::panic::resume_unwind(Box::new("a listener"));
        }
    }
    struct Nothing;
    impl PoolListener for Nothing {}
    let told = Arc::new(AtomicU32::new(0));
    let hooks =
        PoolHooks::new().listener(Arc::new(Panics(Arc::clone(&told)))).listener(Arc::new(Nothing));
    let (pool, log) = hooked(&Fake::default(), hooks);
    drop(pool.get().unwrap());
    assert_eq!(told.load(Ordering::SeqCst) as usize, log.lines().len());
    assert_eq!((pool.stats().idle, pool.stats().in_use), (1, 0));
}

#[test]
fn a_time_out_and_a_failure_to_connect_are_told() {
    let fake = Fake::default();
    let (pool, log) = hooked(&fake, PoolHooks::new());
    fake.fail_with(&["57P03"]);
    let held = take(&pool, 1);
    assert!(pool.get_labelled_within("load", Duration::from_millis(1)).is_err());
    assert_eq!(log.count("connect failed: refused with 57P03"), 1);
    assert_eq!(log.count("timeout: load"), 1);
    drop(held);
    let stats = pool.stats();
    assert_eq!((stats.timeouts, stats.connects, stats.connect_failures), (1, 1, 1));
}

/// pool-contract A30
#[test]
fn the_connect_hook_comes_before_the_check_out_hook_and_what_it_keeps_is_seen() {
    let fake = Fake::default();
    let order = Arc::new(Mutex::new(Vec::new()));
    let (connects, lends) = (Arc::clone(&order), Arc::clone(&order));
    let hooks = PoolHooks::new()
        .on_connect(move |hooked| {
            *hooked.data = Some(Box::new(hooked.id));
            connects.lock().unwrap().push("connect");
            Ok(())
        })
        .on_check_out(move |hooked| {
            let kept = hooked.data.as_ref().and_then(|data| data.downcast_ref::<u64>());
            assert_eq!(kept, Some(&hooked.id));
            lends.lock().unwrap().push("check-out");
            Ok(())
        });
    let (pool, _) = hooked(&fake, hooks);
    fake.fail_with(&["57P03"]);
    drop(pool.get().unwrap());
    drop(pool.get().unwrap());
    assert_eq!(*order.lock().unwrap(), ["connect", "check-out", "check-out"]);
}

/// pool-contract A38, R9
#[test]
fn a_connect_hook_that_fails_leaves_the_room_free_and_is_asked_again() {
    for panics in [false, true] {
        let fake = Fake::default();
        let is_repaired = Arc::new(AtomicBool::new(false));
        let repaired = Arc::clone(&is_repaired);
        let hooks = PoolHooks::new().on_connect(move |hooked| {
            if repaired.load(Ordering::SeqCst) {
                *hooked.data = Some(Box::new("ready"));
                return Ok(());
            }
            assert!(!panics, "the hook panics");
            Err(Error::new(ErrorKind::Database, "not ready"))
        });
        let (pool, log) = hooked(&fake, hooks);
        let error = pool.get().unwrap_err();
        assert_eq!(log.count("HookPanicked { hook: \"the connect hook\" }"), usize::from(panics));
        assert_eq!(error.kind(), if panics { ErrorKind::Panic } else { ErrorKind::Database });
        assert_eq!((pool.stats().in_use, pool.stats().total, fake.open()), (0, 0, 0));
        is_repaired.store(true, Ordering::SeqCst);
        assert!(pool.get().is_ok());
    }
}

/// pool-contract R9
#[test]
fn the_first_connect_hook_runs_until_it_succeeds_once_and_its_error_is_the_borrowers() {
    for state in ["XX000", "57P01"] {
        let fake = Fake::default();
        let runs = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&runs);
        let hooks = PoolHooks::new().on_first_connect(move |hooked| {
            match counter.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => hooked.connection.run(&format!("fail {state}")),
                _ => Ok(()),
            }
        });
        let (pool, log) = hooked(&fake, hooks);
        for _ in 0..2 {
            let error = pool.get().unwrap_err();
            assert_eq!(error.message(), format!("refused with {state}"));
            assert_eq!((fake.open(), pool.stats().total), (0, 0));
        }
        for _ in 0..3 {
            drop(pool.get().unwrap());
            pool.invalidate_all();
        }
        assert_eq!((runs.load(Ordering::SeqCst), log.count("first connect")), (3, 1));
    }
}

/// pool-contract A39
#[test]
fn those_who_ask_while_the_first_connection_is_made_ready_wait_for_it() {
    let fake = Fake::default();
    let (gate, is_done) = (Gate::closed(), Arc::new(AtomicBool::new(false)));
    let (stop, done) = (gate.clone(), Arc::clone(&is_done));
    let hooks = PoolHooks::new().on_first_connect(move |_| {
        stop.pass();
        done.store(true, Ordering::SeqCst);
        Ok(())
    });
    let options = PoolOptions::new().pool_size(5).max_overflow(0);
    let pool = fake.hooked(options, hooks);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                let _connection = pool.get().unwrap();
                assert!(is_done.load(Ordering::SeqCst));
            });
        }
        gate.wait_until_reached();
        until("all ask", || pool.stats().in_use == 5);
        assert_eq!(fake.connects(), 1);
        gate.open();
    });
}

/// pool-contract A41, C4
#[test]
fn a_check_out_hook_that_fails_closes_the_connection_and_leaves_the_room_free() {
    for panics in [false, true] {
        let fake = Fake::default();
        let asked = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&asked);
        let hooks = PoolHooks::new().on_check_out(move |_| {
            if counter.fetch_add(1, Ordering::SeqCst) > 0 {
                return Ok(());
            }
            assert!(!panics, "the hook panics");
            Err(Error::new(ErrorKind::Config, "no"))
        });
        let (pool, _) = hooked(&fake, hooks);
        assert!(pool.get().is_err());
        assert_eq!((fake.open(), pool.stats().in_use, pool.stats().total), (0, 0, 0));
        assert!(pool.get().is_ok());
    }
}
