use super::{backend, connect, in_time, text};
use crate::support::{Cluster, shared};
use rowmill::backend::Backend;
use rowmill::{Engine, ErrorKind};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn a_ping_asks_whether_the_server_is_still_what_was_asked_for() {
    let db = shared().database("role");
    for base in [db.tcp_url(), db.socket_url()] {
        let sign = if base.contains('?') { '&' } else { '?' };
        let url = format!("{base}{sign}target_session_attrs=read-write");
        let mut connection = backend(&url).connect(in_time()).unwrap();
        connection.ping(in_time()).unwrap();
        connection.run("set default_transaction_read_only = on").unwrap();
        let error = connection.ping(in_time()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disconnect);
        assert!(error.message().contains("does not allow writes"), "{error}");
        assert!(connection.is_broken());
    }
}

#[test]
fn a_ping_with_a_question_ends_at_its_deadline_too() {
    let cluster = Cluster::start();
    for base in [cluster.tcp_url(), cluster.socket_url()] {
        let sign = if base.contains('?') { '&' } else { '?' };
        let url = format!("{base}{sign}target_session_attrs=primary");
        let mut connection = backend(&url).connect(in_time()).unwrap();
        let _frozen = cluster.freeze();
        let started = Instant::now();
        assert!(connection.ping(started + Duration::from_millis(100)).unwrap_err().is_disconnect());
        drop(connection);
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
}

#[test]
fn the_narrowest_limit_of_the_server_is_found() {
    let db = shared().database("room");
    let mut connection = connect(&db);
    let limit = connection.server_limit().unwrap().unwrap();
    assert_eq!((limit.most, limit.reserved, limit.own), (100, 3, None));
    assert!(limit.open >= 1 && limit.open <= 100, "{limit:?}");
    db.sql(&format!("alter database \"{}\" connection limit 7", db.name()));
    assert_eq!(connection.server_limit().unwrap().unwrap().own, Some(7));
    assert!(connection.reset(in_time()).unwrap().is_empty());
}

#[test]
fn within_an_async_runtime_every_call_is_an_error_and_none_panics() {
    let db = shared().database("within");
    let backend = backend(&db.url());
    let mut connection = backend.connect(in_time()).unwrap();
    let lock = backend.lock_job(1, in_time()).unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut errors = Vec::new();
    runtime.block_on(async {
        errors.push(backend.connect(in_time()).map(drop));
        errors.push(backend.lock_job(2, in_time()).map(drop));
        errors.push(connection.run("select 1"));
        errors.push(connection.execute("select 1", &[]).map(drop));
        errors.push(connection.begin());
        errors.push(connection.commit());
        errors.push(connection.ping(in_time()));
        drop(lock);
    });
    for error in errors {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.hint().unwrap().contains("spawn_blocking"));
    }
    assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
    runtime.block_on(async { drop(connection) });
    super::wait_until(
        &db,
        "select count(*) = 1 from pg_stat_activity where datname = current_database()",
    );
}

#[test]
fn a_check_out_within_an_async_runtime_is_an_error_and_the_connection_survives() {
    let db = shared().database("runtime");
    let engine = Engine::builder(&db.url())
        .pool_size(1)
        .pre_ping(true)
        .pool(|options| options.ping_bypass(Duration::ZERO))
        .build()
        .unwrap();
    let first = engine.get().unwrap().id();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(async { engine.get().unwrap_err() });
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.hint().unwrap().contains("spawn_blocking"), "{error}");
    assert_eq!(engine.get().unwrap().id(), first);
}

/// A server that asks for the password as it is, and tells what came then.
#[test]
fn a_password_is_never_sent_readable_over_a_network() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut startup = [0; 4096];
        assert!(client.read(&mut startup).unwrap() > 8);
        client.write_all(b"R\0\0\0\x08\0\0\0\x03").unwrap();
        let mut rest = Vec::new();
        let _ = client.read_to_end(&mut rest);
        rest
    });
    let url = format!("postgresql://etl:hunter2@127.0.0.1:{port}/warehouse?sslmode=disable");
    let error = backend(&url).connect(in_time()).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate().unwrap().code()), (ErrorKind::Connect, "28000"));
    assert!(error.hint().unwrap().contains("scram-sha-256"), "{error}");
    assert_eq!(server.join().unwrap(), b"");
}

/// batch R4
#[test]
fn the_server_and_the_system_watch_the_connection() {
    let mut connection = backend(&shared().tcp_url()).connect(in_time()).unwrap();
    let interval = "select current_setting('client_connection_check_interval')";
    assert_eq!(text(&mut *connection, interval, &[]), "1s");
    // What the system of the server does, for a client whose machine is gone.
    for (name, value) in [
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "300000"),
    ] {
        let shown = text(&mut *connection, &format!("select current_setting('{name}')"), &[]);
        assert_eq!(shown, value, "{name}");
    }
    let port = text(&mut *connection, "select inet_client_port()::text", &[]);
    // What the kernel says of our end of the connection: a keepalive timer runs.
    let sockets = std::process::Command::new("ss").args(["-tno"]).output();
    let Ok(sockets) = sockets else { return };
    let sockets = String::from_utf8_lossy(&sockets.stdout).into_owned();
    let ours = sockets.lines().find(|line| {
        line.split_whitespace().nth(3).is_some_and(|local| local.ends_with(&format!(":{port}")))
    });
    if let Some(ours) = ours {
        assert!(ours.contains("timer:(keepalive"), "{ours}");
    }
}
