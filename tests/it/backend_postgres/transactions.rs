use super::{backend, connect, in_time, pid, text, wait_until};
use crate::support::cluster::PASSWORD;
use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::shared;
use rowmill::backend::Backend;
use rowmill::{Class, ErrorKind, SqlState};

/// exactly-once 3c, F16
#[test]
fn a_commit_that_was_a_rollback_is_an_error() {
    let db = shared().database("silent");
    db.sql("create table t (n int primary key)");
    let mut connection = connect(&db);
    for explicit in [true, false] {
        connection.begin().unwrap();
        connection.run("insert into t values (1)").unwrap();
        connection.run("insert into t values (1)").unwrap_err();
        let committed = if explicit { connection.commit() } else { connection.run("commit work;") };
        let error = committed.unwrap_err();
        assert_eq!(error.sqlstate(), Some(SqlState::IN_FAILED_TRANSACTION));
        assert_eq!(error.class(), Class::Aborted);
        assert!(!connection.in_transaction() && !connection.is_broken());
        assert_eq!(text(&mut *connection, "select count(*)::text from t", &[]), "0");
    }
}

#[test]
fn a_commit_that_holds_is_one() {
    let db = shared().database("held");
    db.sql("create table t (n int)");
    let mut connection = connect(&db);
    assert!(connection.capabilities().async_commit && !connection.in_transaction());
    connection.begin().unwrap();
    assert!(connection.in_transaction());
    connection.run("set local synchronous_commit = off; insert into t values (1)").unwrap();
    connection.commit().unwrap();
    assert!(!connection.in_transaction());
    connection.begin().unwrap();
    connection.run("insert into t values (2)").unwrap();
    connection.rollback().unwrap();
    assert_eq!(db.count("t"), 1);
}

#[test]
fn a_commit_without_a_transaction_is_an_error() {
    let db = shared().database("none");
    let mut connection = connect(&db);
    assert_eq!(connection.commit().unwrap_err().sqlstate().unwrap().code(), "25P01");
    connection.begin().unwrap();
    // Not to be seen by looking at the first word.
    connection.run("rollback; select 1").unwrap();
    assert_eq!(connection.commit().unwrap_err().sqlstate().unwrap().code(), "25P01");
    connection.rollback().unwrap();
}

#[test]
fn a_transaction_in_a_transaction_is_an_error() {
    let db = shared().database("twice");
    let mut connection = connect(&db);
    connection.run("start transaction").unwrap();
    assert!(connection.in_transaction());
    assert_eq!(connection.begin().unwrap_err().sqlstate().unwrap().code(), "25001");
    connection.rollback().unwrap();
    connection.begin().unwrap();
}

/// F17
#[test]
fn a_deferred_constraint_fails_the_commit_and_leaves_the_connection_clean() {
    let db = shared().database("deferred");
    db.sql("create table t (n int unique deferrable initially deferred)");
    let mut connection = connect(&db);
    connection.begin().unwrap();
    connection.run("insert into t values (1), (1)").unwrap();
    let error = connection.commit().unwrap_err();
    assert_eq!(error.sqlstate(), Some(SqlState::UNIQUE_VIOLATION));
    assert_eq!(error.constraint(), Some("t_n_key"));
    assert!(!connection.in_transaction());
    assert_eq!(text(&mut *connection, "select count(*)::text from t", &[]), "0");
}

/// F13, F14
#[test]
fn a_commit_without_an_answer_is_unknown() {
    let db = shared().database("unknown");
    db.sql(
        "create table t (n int);
         create function wait() returns trigger language plpgsql as
             $$ begin perform pg_sleep(60); return null; end $$;
         create constraint trigger wait after insert on t deferrable initially deferred
             for each row execute function wait()",
    );
    let mut connection = connect(&db);
    connection.begin().unwrap();
    connection.run("insert into t values (1)").unwrap();
    let pid = pid(&mut *connection);
    let committing = std::thread::spawn(move || connection.commit().unwrap_err());
    wait_until(
        &db,
        &format!(
            "select exists (select from pg_stat_activity
                            where pid = {pid} and wait_event = 'PgSleep')"
        ),
    );
    db.sql(&format!("select pg_terminate_backend({pid})"));
    let error = committing.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::CommitUnknown);
    assert_eq!(error.sqlstate().unwrap().code(), "08007");
}

#[test]
fn a_connection_that_was_lost_before_the_commit_is_no_unknown_commit() {
    let db = shared().database("lost");
    let mut connection = connect(&db);
    connection.begin().unwrap();
    let pid = pid(&mut *connection);
    db.sql(&format!("select pg_terminate_backend({pid}, 10000)"));
    connection.run("select 1").unwrap_err();
    let error = connection.commit().unwrap_err();
    assert_eq!(error.sqlstate(), Some(SqlState::CONNECTION_FAILURE));
}

/// F14.
/// The answer is `CommandComplete` (12 bytes) and `ReadyForQuery` (6). With the first of them it is
/// known that the commit held, also where the connection ends right behind it: the driver says that
/// it is closed.
#[test]
fn a_commit_whose_connection_ends_right_behind_the_answer_held() {
    let db = shared().database("behind");
    db.sql("create table t (n int)");
    let proxy = Proxy::to(shared().port());
    let name = db.name();
    let url = format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{}/{name}", proxy.port());
    for (bytes, holds) in [(12, true), (17, true), (11, false)] {
        let mut connection = backend(&url).connect(in_time()).unwrap();
        connection.begin().unwrap();
        connection.run("insert into t values (1)").unwrap();
        proxy.set(Fault::Cut { at: Moment::ServerByte(bytes), end: End::Fin });
        let committed = connection.commit();
        let kind = committed.as_ref().err().map(rowmill::Error::kind);
        let expected = (!holds).then_some(ErrorKind::CommitUnknown);
        assert_eq!(kind, expected, "{bytes} bytes: {committed:?}");
        proxy.set(Fault::Pass);
        assert!(connection.run("select 1").unwrap_err().is_disconnect());
    }
    assert_eq!(db.count("t"), 3);
}
