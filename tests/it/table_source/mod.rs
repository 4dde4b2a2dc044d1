//! A table, or what a query yields, as a source.
//!
//! - `content`:     every row and every type arrives, from either database in either
//! - `cuts`:        which way a table is cut: keys of all kinds, blocks, NULL, partitions, queries
//! - `consistency`: what others write meanwhile, and what is promised of it
//! - `restart`:     a plan outlives its process; a table that changed is refused
//! - `kill`:        kill -9, and the same command again
//! - `share`:       one pool for both ends, few connections; skew between the workers
//! - `replicas`:    which servers are read from, and what dies meanwhile
//! - `passage`:     what is passed through is what is read as texts, bad rows among it
//! - `rejects`:     a bad row costs one row, and is found again

mod consistency;
mod content;
mod cuts;
#[cfg(feature = "cli")]
mod kill;
mod passage;
mod rejects;
mod replicas;
mod restart;
mod share;

use crate::support::Home;
use rowmill::{Engine, Feed, Job, Mode, TableColumn, TableColumns, TableName, Target};
use std::sync::Arc;

/// The columns of a table, each as it is.
fn columns_of(engine: &Engine, table: &str) -> Vec<TableColumn> {
    let table = TableName::parse(table).unwrap();
    let info = engine.get().unwrap().table_info(&table).unwrap().unwrap();
    info.columns
        .into_iter()
        .map(|column| TableColumn::new(column.name, column.column_type))
        .collect()
}

/// All of a table of `source`.
fn whole(source: &Engine, table: &str) -> TableColumns {
    TableColumns::table(table, columns_of(source, table)).unwrap().on(source)
}

/// A job that copies `feed` into `table` of `home`, which is created if it is not there.
fn copy(home: &Home, feed: TableColumns, table: &str, mode: Mode, key: &[&str]) -> Job {
    let columns = Feed::columns(&feed).to_vec();
    let key = key.iter().map(|&name| name.to_owned()).collect();
    let mut target = Target::new(TableName::parse(table).unwrap(), columns, key, mode).unwrap();
    target.create = true;
    Job::named(home.job_name()).feed(Arc::new(feed), target)
}

/// Fails unless both tables have the same rows, as the database prints them.
fn assert_same(home: &Home, a: &str, b: &str) {
    let all = |table: &str| {
        let mut rows = home.rows(&format!("select * from {table}"));
        rows.sort();
        rows
    };
    assert_eq!(all(a), all(b), "{a} and {b}");
}
