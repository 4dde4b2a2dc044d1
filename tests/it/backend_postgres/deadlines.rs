use super::{backend, connect, in_time, text, wait_until};
use crate::support::{Cluster, shared};
use rowmill::backend::{Backend, Connection};
use rowmill::{Class, Column, ColumnType, ErrorKind, Ident, Rows, TableName};
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(1);

/// The limit, the grace of the server, and a slow machine.
const SOON: Duration = Duration::from_secs(10);

fn limited(url: &str) -> Box<dyn Connection> {
    let mut connection = backend(url).connect(in_time()).unwrap();
    connection.set_statement_timeout(Some(LIMIT)).unwrap();
    connection
}

/// A connection after a statement that took too long, and how that ended. A busy machine may cancel it so
/// late that the connection is cut: then it is tried on another one.
fn cancelled(
    open: impl Fn() -> Box<dyn Connection>,
    sleep: impl Fn(&mut dyn Connection) -> rowmill::Result<()>,
) -> (Box<dyn Connection>, rowmill::Error) {
    let tried = (0..20).find_map(|_| {
        let mut connection = open();
        let error = sleep(&mut *connection).unwrap_err();
        (!error.is_disconnect()).then_some((connection, error))
    });
    tried.expect("it was cut each time")
}

/// batch 3.9.5
#[test]
fn a_statement_that_takes_too_long_is_cancelled_and_the_connection_stays() {
    let db = shared().database("limits");
    for url in [db.tcp_url(), db.socket_url()] {
        for prepared in [true, false] {
            let started = Instant::now();
            let (mut connection, error) = cancelled(
                || limited(&url),
                |connection| {
                    if prepared {
                        connection.execute("select pg_sleep(60)", &[]).map(drop)
                    } else {
                        connection.run("select pg_sleep(60)")
                    }
                },
            );
            assert!(started.elapsed() < 20 * SOON);
            assert_eq!(error.kind(), ErrorKind::Database);
            assert_eq!(error.sqlstate().unwrap().code(), "57014");
            assert!(error.message().contains("longer than 1s"), "{error}");
            assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
            connection.set_statement_timeout(None).unwrap();
            connection.run("select pg_sleep(1.5)").unwrap();
        }
    }
}

#[test]
fn where_the_server_keeps_no_limit_it_is_asked_to_cancel() {
    let db = shared().database("asked");
    for url in [db.tcp_url(), db.socket_url()] {
        let (mut connection, error) = cancelled(
            || limited(&url),
            |connection| {
                connection.run("set statement_timeout = 0").unwrap();
                connection.run("select pg_sleep(60)")
            },
        );
        assert_eq!(error.sqlstate().unwrap().code(), "57014");
        assert!(error.message().contains("longer than 1s"), "{error}");
        assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
    }
}

#[test]
fn the_limit_of_the_url_holds_from_the_start_and_after_a_reset() {
    let db = shared().database("default");
    let mut connection =
        backend(&format!("{}?statement_timeout=1000", db.url())).connect(in_time()).unwrap();
    for _ in 0..2 {
        let error = connection.run("select pg_sleep(60)").unwrap_err();
        assert!(error.message().contains("longer than 1s"), "{error}");
        connection.set_statement_timeout(None).unwrap();
        assert!(connection.reset(in_time()).unwrap().session);
    }
}

fn rows(count: usize) -> (TableName, Vec<Column>, Rows) {
    let column = |name, kind| Column::new(Ident::new(name).unwrap(), kind);
    let mut rows = Rows::new(1);
    for _ in 0..count {
        let mut row = rows.begin();
        row.field(&[b'x'; 1024]).unwrap();
        row.finish().unwrap();
    }
    (TableName::parse("t").unwrap(), vec![column("name", ColumnType::Text)], rows)
}

type Call<'a> = &'a dyn Fn(&mut dyn Connection) -> rowmill::Result<()>;

#[test]
fn against_a_server_that_stands_still_every_call_ends() {
    let cluster = Cluster::start();
    cluster.sql("create table t (name text)");
    let (table, columns, rows) = rows(20_000);
    let calls: [(&str, Call<'_>); 4] = [
        ("run", &|connection| connection.run("insert into t values ('a')")),
        ("query", &|connection| connection.execute("select 1", &[]).map(drop)),
        ("load", &|connection| connection.load(&table, &columns, &rows, 0..rows.len()).map(drop)),
        ("commit", &|connection| connection.commit()),
    ];
    let urls = [cluster.tcp_url(), cluster.socket_url()];
    for ((name, call), url) in
        calls.into_iter().flat_map(|call| urls.iter().map(move |url| (call, url)))
    {
        let mut connection = limited(url);
        connection.begin().unwrap();
        connection.run("insert into t values ('a')").unwrap();
        let frozen = cluster.freeze();
        let started = Instant::now();
        let error = call(&mut *connection).unwrap_err();
        assert!(error.is_disconnect(), "{name}: {error}");
        assert!(error.message().contains("no answer within 1s"), "{name}: {error}");
        let code = if name == "commit" { "08007" } else { "08006" };
        assert_eq!(error.sqlstate().unwrap().code(), code, "{name}");
        assert_eq!(error.class(), Class::Disconnect);
        assert!(connection.is_broken());
        drop(connection);
        assert!(started.elapsed() < SOON, "{name}: {:?}", started.elapsed());
        drop(frozen);
    }
}

#[test]
fn a_statement_that_waited_for_a_lock_until_its_limit_says_for_whose() {
    let db = shared().database("blocked");
    db.sql("create table orders (id int primary key, n int); insert into orders values (1, 0)");
    let mut outsider = db.connect();
    let process: i32 = outsider.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    for url in [db.tcp_url(), db.socket_url()] {
        let mut connection = backend(&url).connect(in_time()).unwrap();
        connection.set_statement_timeout(Some(Duration::from_secs(3))).unwrap();
        for lock in ["update orders set n = 1", "lock table orders"] {
            outsider.batch_execute(&format!("begin; {lock}")).unwrap();
            let error = connection.execute("update orders set n = 2", &[]).unwrap_err();
            assert_eq!(error.sqlstate().unwrap().code(), "57014");
            let who = format!("it waited for a lock on orders that process {process} holds");
            assert!(error.message().contains(&who), "{lock}: {error}");
            outsider.batch_execute("rollback").unwrap();
        }
        let error = connection.execute("select pg_sleep(60)", &[]).unwrap_err();
        assert!(error.message().ends_with("longer than 3s: cancelled"), "{error}");
    }
}

#[test]
fn a_deadlock_says_with_whom() {
    let db = shared().database("deadlocked");
    db.sql("create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)");
    let mut connection = connect(&db);
    connection.run("set deadlock_timeout = '50ms'").unwrap();
    connection.begin().unwrap();
    connection.run("update t set n = 1 where id = 1").unwrap();
    let mut outsider = db.connect();
    outsider.batch_execute("set deadlock_timeout = '60s'; begin").unwrap();
    outsider.batch_execute("update t set n = 2 where id = 2").unwrap();
    let process: i32 = outsider.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    let error = thread::scope(|scope| {
        scope.spawn(move || outsider.batch_execute("update t set n = 2 where id = 1").unwrap());
        let waits = format!("select cardinality(pg_blocking_pids({process})) > 0");
        wait_until(&db, &waits);
        let error = connection.run("update t set n = 1 where id = 2").unwrap_err();
        connection.rollback().unwrap();
        error
    });
    assert_eq!(error.sqlstate().unwrap().code(), "40P01");
    let who = format!("blocked by process {process}");
    assert!(error.message().ends_with(&who), "{error}");
}

#[test]
fn another_thread_can_cancel_a_statement() {
    let db = shared().database("cancel");
    for url in [db.tcp_url(), db.socket_url()] {
        let mut connection = backend(&url).connect(in_time()).unwrap();
        let interrupt = connection.interrupt().unwrap();
        // Nothing runs, so nothing is cancelled.
        interrupt.cancel();
        assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
        let asleep = "select count(*) = 1 from pg_stat_activity where query like 'select pg_sl%' \
            and state = 'active' and datname = current_database()";
        thread::scope(|scope| {
            scope.spawn(|| {
                wait_until(&db, asleep);
                interrupt.cancel();
            });
            let error = connection.run("select pg_sleep(60)").unwrap_err();
            assert_eq!(error.sqlstate().unwrap().code(), "57014");
        });
        assert!(!connection.is_broken());
        assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
    }
}

#[test]
fn another_thread_can_sever_a_connection_to_a_server_that_stands_still() {
    let cluster = Cluster::start();
    for url in [cluster.tcp_url(), cluster.socket_url()] {
        let mut connection = backend(&url).connect(in_time()).unwrap();
        let interrupt = connection.interrupt().unwrap();
        let _frozen = cluster.freeze();
        let started = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(100));
                interrupt.sever();
            });
            let error = connection.run("select 1").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Disconnect);
        });
        assert!(connection.is_broken());
        drop(connection);
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        interrupt.sever();
        interrupt.cancel();
    }
}

#[test]
fn connections_that_were_cut_leave_no_thread_behind() {
    let cluster = Cluster::start();
    let urls = [cluster.tcp_url(), cluster.socket_url()];
    let connections: Vec<_> = (0..20).map(|number| limited(&urls[number % 2])).collect();
    let _frozen = cluster.freeze();
    let threads: Vec<_> = connections
        .into_iter()
        .map(|mut connection| thread::spawn(move || connection.run("select 1").unwrap_err()))
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    // A connection that is opened and closed goes through the same threads.
    let closed = Instant::now();
    let mut connection = backend(&shared().url()).connect(in_time()).unwrap();
    let process = super::pid(&mut *connection);
    drop(connection);
    let gone = format!("select count(*) = 0 from pg_stat_activity where pid = {process}");
    wait_until(&shared().database("gone"), &gone);
    assert!(closed.elapsed() < Duration::from_secs(10), "{:?}", closed.elapsed());
}

/// pool-contract R17, F2
#[test]
fn a_connection_that_is_killed_within_a_statement_is_a_disconnect_each_time() {
    let db = shared().database("killed");
    let asleep = "select coalesce(bool_or(pg_terminate_backend(pid)), false) from pg_stat_activity \
        where query like 'select pg_sl%' and state = 'active' and datname = current_database()";
    for number in 0..40 {
        let mut connection = connect(&db);
        thread::scope(|scope| {
            scope.spawn(|| wait_until(&db, asleep));
            let error = if number % 2 == 0 {
                connection.run("select pg_sleep(60)").unwrap_err()
            } else {
                connection.execute("select pg_sleep(60)", &[]).unwrap_err()
            };
            assert_eq!(error.kind(), ErrorKind::Disconnect, "{error}");
            assert_eq!(error.class(), Class::Disconnect);
        });
        assert!(connection.is_broken());
    }
}
