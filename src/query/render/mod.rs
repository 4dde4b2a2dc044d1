//! A query as the text of a statement and its values.
//!
//! - `select`: the clauses of a `SELECT`
//! - `node`:   the parts of an expression

mod node;
mod select;

use super::change::{Change, Delete, Update};
use super::node::Node;
use super::scope::Source;
use super::select::{Columns, Distinct, Select};
use super::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::sql::dialect::Dialect;
use std::any::TypeId;
use std::collections::HashMap;
use std::fmt::Write;

/// A statement, ready to be run.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its text, with `$1`, `$2`, ... for the values.
    pub sql: String,
    /// The values.
    pub values: Vec<Value>,
}

/// A `SELECT` in the words of `dialect`.
///
/// # Errors
/// `Unsupported` if the database cannot do it; `Config` if it reads a column of an entity that it
/// does not read; what failed while it was made.
pub(crate) fn select(select: &Select, dialect: Dialect) -> Result<Statement> {
    let mut renderer = Renderer::new(dialect);
    renderer.select(select)?;
    Ok(renderer.done())
}

/// How many rows a `SELECT` hands out.
pub(crate) fn count(select: &Select, dialect: Dialect) -> Result<Statement> {
    let mut renderer = Renderer::new(dialect);
    let mut select = select.clone();
    select.lock = None;
    let plain = select.group_by.is_empty()
        && matches!(select.distinct, Distinct::No)
        && select.limit.is_none()
        && select.offset.is_none();
    if plain {
        select.order_by.clear();
        select.columns = Columns::Of(vec![Node::raw("count(*)")]);
        renderer.select(&select)?;
    } else {
        renderer.sql.push_str("SELECT count(*) FROM (");
        renderer.select(&select)?;
        renderer.sql.push_str(") AS counted");
    }
    Ok(renderer.done())
}

/// Whether a `SELECT` hands out a row.
pub(crate) fn first(select: &Select, dialect: Dialect) -> Result<Statement> {
    let mut select = select.clone();
    (select.lock, select.limit) = (None, select.limit.or(Some(1)));
    let plain = select.group_by.is_empty() && matches!(select.distinct, Distinct::No);
    if plain {
        select.order_by.clear();
        select.columns = Columns::Of(vec![Node::raw("1")]);
    }
    self::select(&select, dialect)
}

/// The rows that an update changes.
pub(crate) fn update<E>(
    update: &Update<E>,
    dialect: Dialect,
    returning: bool,
) -> Result<Statement> {
    update.change.check()?;
    if update.set.is_empty() {
        let message = format!("an update of {} sets no column", update.change.table.of);
        return Err(Error::new(ErrorKind::Config, message));
    }
    let mut renderer = Renderer::new(dialect);
    let alias = renderer.enter([&update.change.table]).swap_remove(0);
    let table = (update.change.table.table)()?;
    renderer.push(format_args!("UPDATE {table} AS {alias} SET "));
    for (index, (name, node)) in update.set.iter().enumerate() {
        renderer.comma(index);
        renderer.push(format_args!("{} = ", Ident::new(*name)?));
        renderer.node(node)?;
    }
    renderer.end_of_change(&update.change, returning)?;
    Ok(renderer.done())
}

/// The rows that a deletion deletes.
pub(crate) fn delete<E>(
    delete: &Delete<E>,
    dialect: Dialect,
    returning: bool,
) -> Result<Statement> {
    delete.change.check()?;
    let mut renderer = Renderer::new(dialect);
    let alias = renderer.enter([&delete.change.table]).swap_remove(0);
    let table = (delete.change.table.table)()?;
    renderer.push(format_args!("DELETE FROM {table} AS {alias}"));
    renderer.end_of_change(&delete.change, returning)?;
    Ok(renderer.done())
}

struct Renderer {
    dialect: Dialect,
    sql: String,
    values: Vec<Value>,
    /// The numbers of values that are there already: an expression that is written twice, to select
    /// it and to group by it, is the same text both times.
    known: HashMap<usize, usize>,
    /// The tables that can be named here, those of the outermost query first.
    scopes: Vec<Vec<(TypeId, String)>>,
    aliases: usize,
}

impl Renderer {
    fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            sql: String::new(),
            values: Vec::new(),
            known: HashMap::new(),
            scopes: Vec::new(),
            aliases: 0,
        }
    }

    fn done(self) -> Statement {
        Statement { sql: self.sql, values: self.values }
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = self.sql.write_fmt(text);
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.sql.push_str(", ");
        }
    }

    /// Gives `sources` aliases by which they can be named from now on.
    fn enter<'s>(&mut self, sources: impl IntoIterator<Item = &'s Source>) -> Vec<String> {
        let mut aliases = Vec::new();
        let mut scope = Vec::new();
        for source in sources {
            let alias = format!("t{}", self.aliases);
            self.aliases += 1;
            scope.push((source.entity, alias.clone()));
            aliases.push(alias);
        }
        self.scopes.push(scope);
        aliases
    }

    fn end_of_change(&mut self, change: &Change, returning: bool) -> Result<()> {
        self.condition(" WHERE ", change.filter.as_ref())?;
        if returning {
            self.sql.push_str(" RETURNING ");
            for (index, column) in (change.table.columns)()?.iter().enumerate() {
                self.comma(index);
                self.push(format_args!("{}", column.name));
            }
        }
        Ok(())
    }
}

fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("this database has no {what}"))
}
