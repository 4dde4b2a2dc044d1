use super::{backend, in_time};
use crate::support::cluster::PASSWORD;
use crate::support::proxy::{End, Proxy};
use crate::support::shared;
use rowmill::backend::Backend;

#[test]
fn only_one_holds_the_lock_of_a_job() {
    let db = shared().database("lock");
    let backend = backend(&db.url());
    let mut first = backend.lock_job(7, in_time()).unwrap().expect("free");
    assert!(first.is_held());
    assert!(backend.lock_job(7, in_time()).unwrap().is_none());
    assert!(backend.lock_job(-8, in_time()).unwrap().is_some(), "another job's");
    drop(first);
    assert!(backend.lock_job(7, in_time()).unwrap().is_some());
}

#[test]
fn the_lock_is_held_outside_of_any_transaction() {
    let db = shared().database("lock_idle");
    let _lock = backend(&db.url()).lock_job(7, in_time()).unwrap().unwrap();
    let sql = "select state || ' ' || (xact_start is null) from pg_stat_activity \
               where application_name = 'rowmill lock' and datname = current_database()";
    assert_eq!(db.value(sql), "idle true");
}

#[test]
fn the_lock_of_a_holder_that_was_cut_off_is_free() {
    let db = shared().database("lock_cut");
    let proxy = Proxy::to(shared().port());
    let through =
        format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{}/{}", proxy.port(), db.name());
    let mut lost = backend(&through).lock_job(7, in_time()).unwrap().unwrap();
    proxy.cut(End::Fin);
    let mut taken = backend(&db.url()).lock_job(7, in_time()).unwrap().expect("free");
    assert!(!lost.is_held());
    assert!(taken.is_held());
}

#[test]
fn a_lock_whose_session_was_ended_is_not_held() {
    let db = shared().database("lock_ended");
    let mut lock = backend(&db.url()).lock_job(7, in_time()).unwrap().unwrap();
    db.sql(
        "select pg_terminate_backend(pid, 10000) from pg_locks where locktype = 'advisory' \
            and database = (select oid from pg_database where datname = current_database())",
    );
    assert!(!lock.is_held());
    assert!(!lock.is_held());
}
