//! What a user says of a source in a database.

use super::consistency::Consistency;
use crate::engine::Acquire;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, TableName};
use crate::sql::script::statements;
use std::sync::Arc;

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Table(TableName),
    Query(String),
}

/// How a source in a database is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Partitions {
    /// As fits: by exact ranges of the key where that is cheap, by ranges of one length where it is a whole
    /// number with few gaps, else by what the database knows of its values or by a sample of them; by blocks
    /// where there is no key, and where all rows are as of one instant, their order does not count and no key
    /// was named.
    #[default]
    Auto,
    /// The same, into this many parts at least.
    AtLeast(u32),
    /// By ranges of the key, counted exactly: one pass over the key in the database.
    Exact,
    /// By ranges of the key, from the statistics of the database.
    Histogram,
    /// By ranges of the key, from a sample of the table's blocks.
    Sample,
    /// By ranges of blocks.
    Blocks,
}

impl Partitions {
    /// Those that have a name in a job file.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("exact", Self::Exact),
        ("histogram", Self::Histogram),
        ("sample", Self::Sample),
        ("blocks", Self::Blocks),
    ];
}

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) what: What,
    /// The database; that of the target if there is none.
    pub(super) engine: Option<Arc<dyn Acquire>>,
    /// The columns by which it is cut; found if there are none.
    pub(super) key: Vec<Ident>,
    pub(super) partitions: Partitions,
    pub(super) consistency: Option<Consistency>,
}

impl Options {
    pub(super) fn of(what: What) -> Self {
        let (engine, key, partitions, consistency) = (None, Vec::new(), Partitions::Auto, None);
        Self { what, engine, key, partitions, consistency }
    }

    pub(super) fn describe(&self) -> String {
        match &self.what {
            What::Table(table) => table.plain(),
            What::Query(_) => "query".to_owned(),
        }
    }

    /// What decides which rows there are, and in which order.
    pub(super) fn definition(&self) -> String {
        let key: Vec<_> = self.key.iter().map(Ident::as_str).collect();
        let what = match &self.what {
            What::Table(table) => format!("table {}", table.plain()),
            What::Query(sql) => format!("query {sql}"),
        };
        let consistency = self.consistency.map_or("default", Consistency::name);
        format!("{what} key {key:?} consistency {consistency}")
    }
}

/// A query that is one statement, and reads.
pub(super) fn check_query(sql: &str) -> Result<String> {
    let refused = |message: &str| {
        Err(Error::new(ErrorKind::Config, message)
            .with_hint("a source is one SELECT, WITH, VALUES or TABLE, without parameters"))
    };
    let found = statements(sql);
    let [one] = found[..] else {
        return refused(&format!("the query has {} statements", found.len()));
    };
    let word: String = one
        .trim_start_matches(|c: char| c == '(' || c.is_whitespace())
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    match word.to_ascii_uppercase().as_str() {
        "SELECT" | "WITH" | "VALUES" | "TABLE" => Ok(one.to_owned()),
        _ => refused("the query does not read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_statement_that_reads_is_a_source() {
        for sql in
            ["select 1", " -- rows\n WITH a AS (SELECT ';') SELECT * FROM a;", "(values (1))"]
        {
            assert!(check_query(sql).is_ok(), "{sql}");
        }
        for sql in ["", "select 1; select 2", "delete from t", "explain select 1", "call f()"] {
            assert_eq!(check_query(sql).unwrap_err().kind(), ErrorKind::Config, "{sql}");
        }
        assert_eq!(check_query("select 1;").unwrap(), "select 1");
    }
}
