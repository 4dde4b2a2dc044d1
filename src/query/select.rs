//! What is asked, without the types of Rust.

use super::node::Node;
use super::order::Sort;
use super::scope::Source;
use super::text::Sql;

/// A `SELECT`.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub(crate) with: Vec<With>,
    pub(crate) recursive: bool,
    pub(crate) distinct: Distinct,
    pub(crate) columns: Columns,
    /// What is handed out behind the columns, to be looked at and not to be read.
    pub(crate) extra: Vec<Node>,
    pub(crate) from: Source,
    pub(crate) joins: Vec<Join>,
    pub(crate) filter: Option<Node>,
    pub(crate) group_by: Vec<Node>,
    pub(crate) having: Option<Node>,
    pub(crate) order_by: Vec<Sort>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
    pub(crate) lock: Option<Lock>,
}

/// A query with a name, from which the others can read.
#[derive(Clone, Debug)]
pub(crate) struct With {
    pub(crate) name: &'static str,
    pub(crate) sql: Sql,
}

/// What is handed out.
#[derive(Clone, Debug)]
pub(crate) enum Columns {
    /// All columns of all tables that are read.
    Everything,
    Of(Vec<Node>),
}

/// Which rows are handed out once.
#[derive(Clone, Debug)]
pub(crate) enum Distinct {
    No,
    Rows,
    /// The first of those in which these are equal.
    On(Vec<Node>),
}

/// Another table.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) source: Source,
    pub(crate) optional: bool,
    pub(crate) on: Node,
}

/// How the rows are locked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lock {
    pub(crate) share: bool,
    pub(crate) busy: Busy,
}

/// What happens to a row that somebody else has locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Busy {
    Wait,
    Skip,
    Fail,
}

impl Select {
    pub(crate) fn from(from: Source) -> Self {
        Self {
            with: Vec::new(),
            recursive: false,
            distinct: Distinct::No,
            columns: Columns::Everything,
            extra: Vec::new(),
            from,
            joins: Vec::new(),
            filter: None,
            group_by: Vec::new(),
            having: None,
            order_by: Vec::new(),
            limit: None,
            offset: None,
            lock: None,
        }
    }

    /// The tables, in the order in which they are read.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        std::iter::once(&self.from).chain(self.joins.iter().map(|join| &join.source))
    }
}
