//! Locks that have a name, on connections of their own.

use crate::support::{Home, on_both};
use rowmill::{AdvisoryLock, Engine, ErrorKind, SqlState};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const LONG: Duration = Duration::from_mins(1);

#[test]
fn one_holds_it_at_a_time_and_other_names_are_other_locks() {
    on_both(|home| {
        let (engine, other) = (home.engine(), Engine::open(home.url()).unwrap());
        let mut lock = engine.advisory_lock("invoices", Duration::ZERO).unwrap();
        assert!(lock.is_held());
        assert!(other.try_advisory_lock("invoices").unwrap().is_none());
        assert!(other.try_advisory_lock("reminders").unwrap().is_some());
        let error = other.advisory_lock("invoices", Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Database);
        assert_eq!(error.sqlstate(), Some(SqlState::LOCK_NOT_AVAILABLE));
        assert!(error.to_string().contains("\"invoices\""), "{error}");
        drop(lock);
        assert!(other.try_advisory_lock("invoices").unwrap().is_some());
    });
}

#[test]
fn who_waits_has_it_when_it_is_given_back() {
    on_both(|home| {
        let (asked, given_back) = (Barrier::new(2), AtomicBool::new(false));
        let lock = home.engine().advisory_lock("invoices", LONG).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                asked.wait();
                let lock = home.engine().advisory_lock("invoices", LONG).unwrap();
                (lock.name().to_owned(), given_back.load(Ordering::SeqCst))
            });
            asked.wait();
            given_back.store(true, Ordering::SeqCst);
            drop(lock);
            assert_eq!(waiting.join().unwrap(), ("invoices".to_owned(), true));
        });
    });
}

#[test]
fn it_takes_nothing_from_the_pool_and_no_transaction_loses_it() {
    on_both(|home| {
        let engine = home.engine();
        let mut lock = engine.advisory_lock("invoices", LONG).unwrap();
        assert_eq!(engine.stats().in_use, 0);
        engine.begin().unwrap().rollback().unwrap();
        engine.pool().invalidate_all();
        engine.run("select 1").unwrap();
        assert!(lock.is_held());
    });
}

#[test]
fn a_lock_whose_session_was_ended_is_not_held_any_more() {
    let home = Home::postgres();
    let mut lock = home.engine().advisory_lock("invoices", LONG).unwrap();
    let ended = home.rows(&format!(
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' \
         and database = (select oid from pg_database where datname = current_database()) \
         and (classid::bigint << 32) | objid::bigint = {}",
        AdvisoryLock::key("invoices")
    ));
    assert_eq!(ended, ["t"]);
    assert!(!lock.is_held());
    assert!(home.engine().try_advisory_lock("invoices").unwrap().is_some());
}
