use super::{backend, in_time, text, with};
use crate::support::cluster::PASSWORD;
use crate::support::proxy::Proxy;
use crate::support::{Cluster, shared};
use rowmill::backend::postgres::PostgresBackend;
use rowmill::backend::{Backend, Connection};
use rowmill::{Engine, Sql};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;

/// A role that can do nothing but come in.
const ROLE: &str = "etl";

/// The URL of the role.
fn url_of_role(cluster: &Cluster) -> String {
    format!("postgresql://{ROLE}:{PASSWORD}@127.0.0.1:{}/postgres", cluster.port())
}

/// A cluster of the test's own with the role, which comes in over the socket as this rule has it.
fn cluster_with(rule: &str) -> Cluster {
    let cluster = Cluster::start_with(&["log_connections=on"]);
    cluster.sql(&format!("create role {ROLE} login password '{PASSWORD}'"));
    let path = cluster.folder().join("data/pg_hba.conf");
    let rules = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("local all {ROLE} {rule}\n{rules}")).unwrap();
    cluster.restart();
    cluster
}

/// How the server sees the connection.
fn way(connection: &mut dyn Connection) -> String {
    text(connection, "select coalesce(host(inet_client_addr()), 'a socket')", &[])
}

fn next_way(backend: &PostgresBackend) -> String {
    way(&mut *backend.connect(in_time()).unwrap())
}

/// The file of the server's socket.
fn socket_of(cluster: &Cluster) -> PathBuf {
    cluster.folder().join(format!(".s.PGSQL.{}", cluster.port()))
}

#[test]
fn a_server_on_this_machine_is_reached_by_its_socket() {
    let here = shared().url();
    for url in [here.clone(), here.replace("127.0.0.1", "localhost")] {
        let backend = backend(&url);
        for _ in 0..3 {
            assert_eq!(next_way(&backend), "a socket", "{url}");
        }
        let shown = format!("{backend:?} {}", backend.describe());
        assert!(!shown.contains(".s.PGSQL") && shown.contains(&shared().port().to_string()));
    }
}

#[test]
fn the_first_connection_alone_looks_for_it() {
    let cluster = cluster_with("scram-sha-256");
    let backend = &backend(&url_of_role(&cluster));
    std::thread::scope(|scope| {
        let open = |_| scope.spawn(move || backend.connect(in_time()).unwrap());
        for thread in (0..8).map(open).collect::<Vec<_>>() {
            assert_eq!(way(&mut *thread.join().unwrap()), "a socket");
        }
    });
    let came = cluster.log().matches(&format!("connection authorized: user={ROLE} ")).count();
    assert_eq!(came, 1 + 8);
}

#[test]
fn a_url_can_say_that_it_is_not_to_be_looked_for() {
    for option in ["local_socket=never", "prepared_statements=false"] {
        let backend = backend(&with(&shared().url(), option));
        for _ in 0..2 {
            assert_eq!(next_way(&backend), "127.0.0.1", "{option}");
        }
    }
}

/// What listens at the socket is as if it belonged to the port, and the server is not asked by it.
#[test]
fn who_stands_between_the_port_and_the_server_is_not_passed_by() {
    let proxy = Proxy::to(shared().port());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!(".s.PGSQL.{}", proxy.port()));
    let listener = UnixListener::bind(path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = shared().url().replace(&shared().port().to_string(), &proxy.port().to_string());
    let backend = backend(&url);
    for _ in 0..2 {
        assert_eq!(next_way(&backend), "127.0.0.1");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_socket_that_refuses_the_user_is_tried_once_and_nobody_is_told() {
    for rule in ["peer", "reject"] {
        let cluster = cluster_with(rule);
        let backend = backend(&url_of_role(&cluster));
        for _ in 0..3 {
            assert_eq!(next_way(&backend), "127.0.0.1", "{rule}");
        }
        let log = cluster.log();
        let refusals = log.lines().filter(|line| line.contains("FATAL") && line.contains(ROLE));
        assert_eq!(refusals.count(), 1, "{rule}: {log}");
    }
}

#[test]
fn a_password_never_goes_readable_to_a_socket_that_was_not_named() {
    let cluster = cluster_with("password");
    let backend = backend(&url_of_role(&cluster));
    for _ in 0..2 {
        assert_eq!(next_way(&backend), "127.0.0.1");
    }
    let named = cluster.socket_url().replacen("postgres:", &format!("{ROLE}:"), 1);
    super::backend(&named).connect(in_time()).unwrap();
}

#[test]
fn another_server_at_the_place_of_the_socket_is_not_taken_for_this_one() {
    let (cluster, other) = (Cluster::start(), Cluster::start());
    let socket = socket_of(&cluster);
    let aside = cluster.folder().join("aside");
    fs::rename(&socket, &aside).unwrap();
    symlink(socket_of(&other), &socket).unwrap();
    let backend = backend(&cluster.url());
    for _ in 0..2 {
        let mut connection = backend.connect(in_time()).unwrap();
        assert_eq!(way(&mut *connection), "127.0.0.1");
        let port = text(&mut *connection, "select current_setting('port')", &[]);
        assert_eq!(port, cluster.port().to_string());
    }
}

/// The same once the right one was found there.
#[test]
fn another_server_that_comes_to_the_place_of_the_socket_is_noticed() {
    let (cluster, other) = (Cluster::start(), Cluster::start());
    let backend = backend(&cluster.url());
    assert_eq!(next_way(&backend), "a socket");
    let socket = socket_of(&cluster);
    fs::rename(&socket, cluster.folder().join("aside")).unwrap();
    symlink(socket_of(&other), &socket).unwrap();
    for _ in 0..2 {
        assert_eq!(next_way(&backend), "127.0.0.1");
    }
}

#[test]
fn a_socket_that_is_gone_costs_no_connection() {
    let cluster = Cluster::start();
    let backend = backend(&cluster.url());
    assert_eq!(next_way(&backend), "a socket");
    fs::rename(socket_of(&cluster), cluster.folder().join("aside")).unwrap();
    assert_eq!(next_way(&backend), "127.0.0.1");
}

#[test]
fn a_server_that_was_started_again_is_reached_by_its_socket_again() {
    let cluster = Cluster::start();
    let backend = backend(&cluster.url());
    assert_eq!(next_way(&backend), "a socket");
    cluster.stop_immediate();
    assert!(backend.connect(in_time()).unwrap_err().is_transient());
    cluster.restart();
    for _ in 0..2 {
        assert_eq!(next_way(&backend), "a socket");
    }
}

#[test]
fn a_statement_over_it_is_cancelled_by_request() {
    // A busy machine may do so later than it is given: then the connection is cut.
    let is_cancelled = (0..20).any(|_| {
        let mut connection = backend(&shared().url()).connect(in_time()).unwrap();
        assert_eq!(way(&mut *connection), "a socket");
        connection.set_statement_timeout(Some(Duration::from_secs(1))).unwrap();
        connection.run("set statement_timeout = 0").unwrap();
        let error = connection.run("select pg_sleep(60)").unwrap_err();
        if error.is_disconnect() {
            return false;
        }
        assert_eq!(error.sqlstate().unwrap().code(), "57014", "{error}");
        assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
        true
    });
    assert!(is_cancelled);
}

#[test]
fn the_lock_of_a_job_is_held_over_it() {
    let backend = backend(&shared().url());
    let mut lock = backend.lock_job(4711, in_time()).unwrap().unwrap();
    assert!(lock.is_held());
    assert!(backend.lock_job(4711, in_time()).unwrap().is_none());
}

/// Whoever looks for the socket has two sessions for a moment, and has closed one, also for the server,
/// before anybody uses the other one.
#[test]
fn the_session_by_the_port_is_gone_before_the_other_one_is_used() {
    let db = shared().database("moved");
    let mut connections = Vec::new();
    assert_eq!(db.sessions(), 0);
    for number in 1..=8 {
        connections.push(backend(&db.url()).connect(in_time()).unwrap());
        assert_eq!(db.sessions(), number);
    }
    for connection in &mut connections {
        assert_eq!(way(&mut **connection), "a socket");
    }
}

#[test]
fn whoever_may_have_one_session_alone_stays_at_the_port() {
    let cluster = cluster_with("scram-sha-256");
    cluster.sql(&format!("alter role {ROLE} connection limit 1"));
    assert_eq!(next_way(&backend(&url_of_role(&cluster))), "127.0.0.1");
}

#[test]
fn a_crowd_at_a_pool_is_served_over_it() {
    let engine = Engine::builder(&shared().url()).pool_size(8).max_overflow(0).build().unwrap();
    let engine = &engine;
    std::thread::scope(|scope| {
        let ask = |_| {
            scope.spawn(move || -> (String,) {
                let sql = "select coalesce(host(inet_client_addr()), 'a socket')";
                Sql::new(sql).one(engine).unwrap()
            })
        };
        for thread in (0..64).map(ask).collect::<Vec<_>>() {
            assert_eq!(thread.join().unwrap().0, "a socket");
        }
    });
}
