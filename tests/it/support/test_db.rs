//! A database of one test.

use super::{Cluster, LIMIT};
use parking_lot::Mutex;
use postgres::SimpleQueryMessage;
use std::fmt;
use std::time::{Duration, Instant};

/// How long to wait before asking again.
const POLL: Duration = Duration::from_millis(2);

/// The other sessions of the database: not those that end already.
const OTHERS: &str = "from pg_stat_activity where datname = current_database() \
                      and pid <> pg_backend_pid() and backend_type = 'client backend'";

/// A fresh database; it is dropped, with whoever is still connected, at the end of the test.
#[derive(Debug)]
pub struct TestDb<'a> {
    cluster: &'a Cluster,
    name: String,
    watcher: Watcher,
}

/// A connection that is kept for looking again and again.
#[derive(Default)]
struct Watcher(Mutex<Option<Box<postgres::Client>>>);

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

impl<'a> TestDb<'a> {
    pub(super) fn create(cluster: &'a Cluster, name: String) -> Self {
        cluster.sql(&format!("create database \"{name}\" template template0"));
        Self { cluster, name, watcher: Watcher::default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL by the server's TCP port, with the password, as users write it.
    pub fn url(&self) -> String {
        self.cluster.url_of(&self.name)
    }

    /// The same, but keeping to TCP.
    pub fn tcp_url(&self) -> String {
        self.cluster.tcp_url_of(&self.name)
    }

    /// Its URL over the server's socket, with the password.
    pub fn socket_url(&self) -> String {
        self.cluster.socket_url_of(&self.name)
    }

    /// A connection of the driver's own, beside everything that is tested.
    pub fn connect(&self) -> postgres::Client {
        self.cluster.connect(&self.name)
    }

    /// Runs statements.
    pub fn sql(&self, sql: &str) {
        self.connect().batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// The rows of a query as the server writes them; `None` is NULL.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let messages = self.connect().simple_query(sql);
        let messages = messages.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()).collect()
    }

    /// The one value of a query, as the server writes it; NULL is `NULL`.
    pub fn value(&self, sql: &str) -> String {
        let rows = self.rows(sql);
        assert!(rows.len() == 1 && rows[0].len() == 1, "{sql}: not one value: {rows:?}");
        rows[0][0].clone().unwrap_or_else(|| "NULL".to_owned())
    }

    /// Ends every other session of this database, and waits until they are gone.
    pub fn terminate_all(&self) {
        self.watch(&format!("select count(pg_terminate_backend(pid)) {OTHERS}"));
        self.wait_until_alone();
    }

    /// Ends one session, and waits until it is gone.
    pub fn terminate(&self, pid: i32) {
        self.watch(&format!("select pg_terminate_backend({pid}, 10000)"));
    }

    /// How many other sessions this database has.
    pub fn sessions(&self) -> u64 {
        self.watch(&format!("select count(*) {OTHERS}")).parse().expect("a number")
    }

    /// Waits until a query of one boolean says yes; how long that took.
    pub fn wait_until(&self, sql: &str) -> Duration {
        let since = Instant::now();
        while self.watch(sql) != "t" {
            assert!(since.elapsed() < LIMIT, "in vain: {sql}");
            std::thread::sleep(POLL);
        }
        since.elapsed()
    }

    /// Waits until the session sleeps in `pg_sleep`.
    pub fn wait_until_asleep(&self, pid: i32) {
        let asleep = format!("pid = {pid} and wait_event = 'PgSleep'");
        self.wait_until(&format!("select exists (select from pg_stat_activity where {asleep})"));
    }

    /// Waits until a session has ended.
    pub fn wait_until_gone(&self, pid: i32) -> Duration {
        let session = format!("select from pg_stat_activity where pid = {pid}");
        self.wait_until(&format!("select not exists ({session})"))
    }

    /// Waits until nobody but the one who asks is connected; how long that took.
    pub fn wait_until_alone(&self) -> Duration {
        self.wait_until(&format!("select not exists (select {OTHERS})"))
    }

    /// A connection that may be idle for long, whatever the test sets for the database.
    fn patient(&self) -> postgres::Client {
        let mut client = self.connect();
        client.batch_execute("set idle_session_timeout = 0").expect("PostgreSQL 14 or later");
        client
    }

    /// The one value of a query, as the server writes it, on a connection that is kept.
    pub fn watch(&self, sql: &str) -> String {
        let mut watcher = self.watcher.0.lock();
        let client = watcher.take().filter(|client| !client.is_closed());
        let mut client = client.unwrap_or_else(|| Box::new(self.patient()));
        let messages = client.simple_query(sql);
        let messages = messages.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        *watcher = Some(client);
        let value = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        value.unwrap_or_else(|| panic!("{sql}: no value"))
    }

    /// How many rows a table has.
    pub fn count(&self, table: &str) -> u64 {
        self.value(&format!("select count(*) from {table}")).parse().expect("a number")
    }
}

impl Drop for TestDb<'_> {
    fn drop(&mut self) {
        // The server may be stopped, and the test may be failing: the folder goes away anyhow.
        let sql = format!("drop database if exists \"{}\" with (force)", self.name);
        if let Ok(mut client) = self.cluster.try_connect(super::cluster::USER) {
            let _ = client.batch_execute(&sql);
        }
    }
}
