//! A database of one test.

use super::Cluster;
use postgres::SimpleQueryMessage;

/// A fresh database; it is dropped, with whoever is still connected, at the end of the test.
#[derive(Debug)]
pub struct TestDb<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl<'a> TestDb<'a> {
    pub(super) fn create(cluster: &'a Cluster, name: String) -> Self {
        cluster.sql(&format!("create database \"{name}\" template template0"));
        Self { cluster, name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL over TCP, with the password.
    pub fn url(&self) -> String {
        self.cluster.url_of(&self.name)
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
