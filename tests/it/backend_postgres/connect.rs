use super::{backend, connect, in_time, text};
use crate::support::cluster::PASSWORD;
use crate::support::port::free_port;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Cluster, shared};
use rowmill::backend::Backend;
use rowmill::{Class, ErrorKind};
use std::net::TcpListener;
use std::time::{Duration, Instant};

fn code(error: &rowmill::Error) -> String {
    error.sqlstate().map(|state| state.to_string()).unwrap_or_default()
}

#[test]
fn a_wrong_password_fails_at_once_with_its_code_and_without_the_password() {
    let url = shared().url().replace(PASSWORD, "wr0ng-s3cret");
    let started = Instant::now();
    let error = backend(&url).connect(in_time()).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!((error.kind(), code(&error).as_str()), (ErrorKind::Connect, "28P01"));
    assert_eq!(error.class(), Class::Permanent);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(&format!("127.0.0.1:{}/postgres", shared().port())), "{shown}");
    assert!(!shown.contains("wr0ng-s3cret"));
}

#[test]
fn a_missing_password_is_refused_like_a_wrong_one() {
    let url = shared().url().replace(&format!(":{PASSWORD}"), "");
    let error = backend(&url).connect(in_time()).unwrap_err();
    assert_eq!(code(&error), "28P01");
    assert!(error.hint().is_some());
}

#[test]
fn a_database_that_is_not_there_is_3d000() {
    let error = backend(&shared().url_of("nowhere")).connect(in_time()).unwrap_err();
    assert_eq!((code(&error).as_str(), error.class()), ("3D000", Class::Permanent));
}

#[test]
fn where_nobody_listens_the_error_names_the_address() {
    let port = free_port();
    let url = format!("postgresql://etl@127.0.0.1:{port}/warehouse");
    let error = backend(&url).connect(in_time()).unwrap_err();
    assert_eq!(code(&error), "08001");
    assert!(error.is_transient());
    assert!(error.message().contains(&format!("127.0.0.1:{port}/warehouse as etl")), "{error}");
}

#[test]
fn a_socket_that_is_not_there_is_named_and_may_come() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let error = backend(&format!("postgresql://etl@/warehouse?host={at}")).connect(in_time());
    let error = error.unwrap_err();
    assert_eq!(code(&error), "08001");
    assert!(error.is_transient());
    assert!(error.message().contains(&format!("{at}:5432/warehouse as etl: No such")), "{error}");
    assert!(error.hint().unwrap().contains("start the server"), "{error}");
}

#[test]
fn a_server_that_says_nothing_is_given_up_at_the_deadline() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let backend = backend(&format!("postgresql://etl@127.0.0.1:{port}/warehouse"));
    let started = Instant::now();
    let error = backend.connect(started + Duration::from_millis(200)).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!((error.kind(), code(&error).as_str()), (ErrorKind::Connect, "08001"));
    let taken = backend.lock_job(1, Instant::now() + Duration::from_millis(200));
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::Connect);
}

#[test]
fn a_frozen_server_is_given_up_at_the_deadline() {
    let cluster = Cluster::start();
    for url in [cluster.tcp_url(), cluster.socket_url()] {
        let backend = backend(&url);
        let frozen = cluster.freeze();
        let started = Instant::now();
        assert!(backend.connect(started + Duration::from_millis(200)).is_err());
        assert!(started.elapsed() < Duration::from_secs(2));
        drop(frozen);
        backend.connect(in_time()).unwrap();
    }
}

#[test]
fn the_next_host_is_tried_when_one_is_silent_or_refuses() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let closed = free_port();
    let hosts = format!(
        "127.0.0.1:{},127.0.0.1:{closed},127.0.0.1:{}",
        silent.local_addr().unwrap().port(),
        shared().port()
    );
    let url = format!("postgresql://postgres:{PASSWORD}@{hosts}/postgres");
    let deadline = Instant::now() + Duration::from_secs(3);
    backend(&url).connect(deadline).unwrap();
}

#[test]
fn a_host_that_is_not_what_was_asked_for_is_passed_over() {
    let url = format!("{}?target_session_attrs=standby", shared().url());
    let error = backend(&url).connect(in_time()).unwrap_err();
    assert!(error.message().contains("is no standby"), "{error}");
    for attrs in ["read-write", "primary", "prefer-standby"] {
        let url = format!("{}?target_session_attrs={attrs}", shared().url());
        backend(&url).connect(in_time()).unwrap();
    }
}

#[test]
fn a_socket_serves_like_tcp() {
    let mut connection = backend(&shared().socket_url()).connect(in_time()).unwrap();
    assert_eq!(text(&mut *connection, "select current_user::text", &[]), "postgres");
    let address = "select coalesce(inet_client_addr()::text, 'a socket')";
    assert_eq!(text(&mut *connection, address, &[]), "a socket");
}

/// The detour of a connection through our own listener: as many as come at once find room there.
#[test]
fn many_connections_over_a_socket_are_opened_at_once() {
    let backend = backend(&shared().socket_url());
    let backend = &backend;
    std::thread::scope(|scope| {
        let open = |_| scope.spawn(move || backend.connect(in_time()).unwrap());
        let threads: Vec<_> = (0..32).map(open).collect();
        for thread in threads {
            let mut connection = thread.join().unwrap();
            assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
        }
    });
}

const SETTINGS: &str = "select concat_ws('|', current_setting('DateStyle'), \
    current_setting('IntervalStyle'), current_setting('TimeZone'), \
    current_setting('client_connection_check_interval'), current_setting('application_name'))";

#[test]
fn the_settings_of_a_session_survive_a_reset() {
    let db = shared().database("session");
    db.sql(&format!("alter database {} set DateStyle = 'German'", db.name()));
    let mut connection = connect(&db);
    for reset in ["select 1", "reset all", "discard all"] {
        connection.run(reset).unwrap();
        let settings = text(&mut *connection, SETTINGS, &[]);
        assert_eq!(settings, "ISO, MDY|postgres|UTC|1s|rowmill", "after {reset}");
    }
}

#[test]
fn the_options_of_the_url_win() {
    let url = format!("{}?options=-c%20TimeZone%3DCET&application_name=etl", shared().url());
    let mut connection = backend(&url).connect(in_time()).unwrap();
    assert_eq!(text(&mut *connection, SETTINGS, &[]), "ISO, MDY|postgres|CET|1s|etl");
}

#[test]
fn a_pooler_that_refuses_options_gets_the_settings_as_statements() {
    let db = shared().database("plain");
    let name = db.name();
    db.sql(&format!("alter database {name} set TimeZone = 'CET'"));
    let proxy = Proxy::to(shared().port());
    proxy.set(Fault::RefuseOptions);
    let url = format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{}/{name}", proxy.port());
    let backend = backend(&url);
    for _ in 0..2 {
        let mut connection = backend.connect(in_time()).unwrap();
        assert_eq!(text(&mut *connection, SETTINGS, &[]), "ISO, MDY|postgres|UTC|1s|rowmill");
    }
}

#[test]
fn nothing_shows_the_password() {
    let backend = backend(&shared().url());
    let connection = backend.connect(in_time()).unwrap();
    let shown = format!("{backend:?} {} {connection:?}", backend.describe());
    assert!(!shown.contains(PASSWORD), "{shown}");
    assert!(shown.contains("127.0.0.1"));
}

#[test]
fn within_an_async_runtime_there_is_an_error_and_no_panic() {
    let db = shared().database("runtime");
    let (sender, receiver) = std::sync::mpsc::channel();
    let inner = std::sync::Mutex::new(connect(&db));
    // The driver calls back from within its own runtime, which is one as any other.
    let mut outer = db.url().parse::<postgres::Config>().unwrap();
    let mut outer = outer
        .notice_callback(move |_| {
            let _ = sender.send(inner.lock().unwrap().run("select 1"));
        })
        .connect(postgres::NoTls)
        .unwrap();
    outer.batch_execute("do $$ begin raise notice 'now'; end $$").unwrap();
    let error = receiver.recv().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
