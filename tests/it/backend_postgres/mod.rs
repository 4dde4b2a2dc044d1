//! The PostgreSQL backend against a real server.
//!
//! - `connect`:      deadlines, refusals, several hosts, the settings of a session
//! - `statements`:   parameters, results, prepared statements, lost connections
//! - `transactions`: commits that were none, and commits without an answer
//! - `begin`:        the BEGIN of a transaction goes out with its first statement
//! - `errors`:       no value of a row in any message
//! - `load`:         every type through COPY, and the row of an error
//! - `local_socket`: a server on this machine is reached by its socket, if it is that server
//! - `catalog`:      what a table is said to be
//! - `lock`:         the lock of a job
//! - `reset`:        what a borrower leaves, and the next one never sees
//! - `code`:         what triggers, views and the like do to a session
//! - `direct`:       statements without the driver, beside the same ones through it
//! - `ahead`:        statements that are sent with the next one
//! - `deadlines`:    statements that take too long, and servers that say nothing
//! - `session`:      signs of life, limits of the server, passwords, async runtimes
//! - `types`:        types that are no built-in ones, known to all connections of an engine
//! - `unload`:       rows in bulk, whoever speaks
//! - `pooler`:       a pooler in transaction mode stands in between
//! - `secrets`:      what the drivers log
//! - `password_source`: a password that is asked for at each new connection

mod ahead;
mod begin;
mod catalog;
mod code;
mod connect;
mod deadlines;
mod direct;
mod errors;
mod load;
mod local_socket;
mod lock;
mod password_source;
mod pooler;
mod reset;
mod secrets;
mod session;
mod statements;
mod transactions;
mod types;
mod unload;

use crate::support::TestDb;
use rowmill::backend::postgres::PostgresBackend;
use rowmill::backend::{Backend, Connection};
use rowmill::url::{Database, DatabaseUrl};
use rowmill::{CellRef, Param};
use std::time::{Duration, Instant};

fn backend(url: &str) -> PostgresBackend {
    // The environment of whoever runs the tests must not matter.
    match DatabaseUrl::parse_with(url, &|_| None).unwrap().database {
        Database::Postgres(settings) => PostgresBackend::new(&settings),
        other => panic!("{other:?} is no PostgreSQL"),
    }
}

/// A URL with one option more.
fn with(url: &str, option: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{option}")
}

fn in_time() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn connect(db: &TestDb<'_>) -> Box<dyn Connection> {
    backend(&db.url()).connect(in_time()).unwrap()
}

/// The first cell of each row, which must be text.
fn texts(
    connection: &mut dyn Connection,
    sql: &str,
    params: &[Param<'_>],
) -> rowmill::Result<Vec<Option<String>>> {
    let mut texts = Vec::new();
    connection.query(sql, params, &mut |row| {
        texts.push(match row.cell(0)? {
            CellRef::Packed(_, bytes) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
            _ => None,
        });
        Ok(())
    })?;
    Ok(texts)
}

/// The one text that a query returns.
fn text(connection: &mut dyn Connection, sql: &str, params: &[Param<'_>]) -> String {
    let texts = texts(connection, sql, params).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!(texts.len(), 1, "{sql}");
    texts[0].clone().expect("no NULL")
}

/// Waits until a query of the database says `t`.
fn wait_until(db: &TestDb<'_>, sql: &str) {
    let deadline = in_time();
    let mut client = db.connect();
    while !client.query_one(sql, &[]).unwrap().get::<_, bool>(0) {
        assert!(Instant::now() < deadline, "in vain: {sql}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The process id of the server's process behind a connection.
fn pid(connection: &mut dyn Connection) -> i32 {
    text(connection, "select pg_backend_pid()::text", &[]).parse().unwrap()
}
