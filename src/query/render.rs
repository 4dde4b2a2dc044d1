//! A query as the text of a statement and its values.

use super::change::{Change, Delete, Update};
use super::node::{Like, Node};
use super::order::Sort;
use super::pattern;
use super::scope::Source;
use super::select::{Busy, Columns, Distinct, Join, Lock, Select};
use super::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::mapping::cell::array::packed_array;
use crate::mapping::column_type::ColumnType;
use crate::sql::dialect::Dialect;
use std::any::TypeId;
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
        select.columns = Columns::Of(vec![Node::Raw("count(*)", Vec::new())]);
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
        select.columns = Columns::Of(vec![Node::Raw("1", Vec::new())]);
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
    /// The tables that can be named here, those of the outermost query first.
    scopes: Vec<Vec<(TypeId, String)>>,
    aliases: usize,
}

impl Renderer {
    fn new(dialect: Dialect) -> Self {
        Self { dialect, sql: String::new(), values: Vec::new(), scopes: Vec::new(), aliases: 0 }
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

    fn select(&mut self, select: &Select) -> Result<()> {
        let aliases = self.enter(select.sources());
        self.with(&select.with)?;
        self.sql.push_str("SELECT ");
        self.distinct(&select.distinct)?;
        self.columns(select, &aliases)?;
        let table = (select.from.table)()?;
        self.push(format_args!(" FROM {table} AS {}", aliases[0]));
        for (join, alias) in select.joins.iter().zip(&aliases[1..]) {
            self.join(join, alias)?;
        }
        self.condition(" WHERE ", select.filter.as_ref())?;
        if !select.group_by.is_empty() {
            self.sql.push_str(" GROUP BY ");
            self.nodes(&select.group_by)?;
        }
        self.condition(" HAVING ", select.having.as_ref())?;
        self.order(&select.order_by)?;
        self.window(select);
        if let Some(lock) = select.lock {
            self.lock(lock, select, &aliases)?;
        }
        self.scopes.pop();
        Ok(())
    }

    fn with(&mut self, with: &[(&'static str, &'static str)]) -> Result<()> {
        for (index, (name, sql)) in with.iter().enumerate() {
            let word = if index == 0 { "WITH " } else { ", " };
            self.push(format_args!("{word}{} AS ({sql})", Ident::new(*name)?));
        }
        if !with.is_empty() {
            self.sql.push(' ');
        }
        Ok(())
    }

    fn distinct(&mut self, distinct: &Distinct) -> Result<()> {
        match distinct {
            Distinct::No => {}
            Distinct::Rows => self.sql.push_str("DISTINCT "),
            Distinct::On(_) if self.dialect != Dialect::PostgreSql => {
                return Err(unsupported("DISTINCT ON"));
            }
            Distinct::On(nodes) => {
                self.sql.push_str("DISTINCT ON (");
                self.nodes(nodes)?;
                self.sql.push_str(") ");
            }
        }
        Ok(())
    }

    fn columns(&mut self, select: &Select, aliases: &[String]) -> Result<()> {
        let mut index = 0;
        match &select.columns {
            Columns::Of(nodes) => {
                self.nodes(nodes)?;
                index = nodes.len();
            }
            Columns::Everything => {
                for (source, alias) in select.sources().zip(aliases) {
                    for column in (source.columns)()? {
                        self.comma(index);
                        self.push(format_args!("{alias}.{}", column.name));
                        index += 1;
                    }
                }
            }
        }
        for node in &select.extra {
            self.comma(index);
            self.node(node)?;
            index += 1;
        }
        Ok(())
    }

    fn join(&mut self, join: &Join, alias: &str) -> Result<()> {
        let word = if join.optional { "LEFT JOIN" } else { "JOIN" };
        let table = (join.source.table)()?;
        self.push(format_args!(" {word} {table} AS {alias} ON "));
        self.node(&join.on)
    }

    fn condition(&mut self, word: &str, condition: Option<&Node>) -> Result<()> {
        let Some(condition) = condition else { return Ok(()) };
        self.sql.push_str(word);
        self.node(condition)
    }

    fn order(&mut self, order: &[Sort]) -> Result<()> {
        for (index, by) in order.iter().enumerate() {
            self.sql.push_str(if index == 0 { " ORDER BY " } else { ", " });
            self.node(&by.node)?;
            self.sql.push_str(if by.descending { " DESC" } else { " ASC" });
            if let Some(first) = by.nulls_first {
                self.sql.push_str(if first { " NULLS FIRST" } else { " NULLS LAST" });
            }
        }
        Ok(())
    }

    /// Limit and offset are values: the text stays the same from page to page.
    fn window(&mut self, select: &Select) {
        // Without a limit, SQLite takes no offset.
        let all = (select.offset.is_some() && self.dialect == Dialect::Sqlite).then_some(-1);
        let rows = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
        if let Some(limit) = select.limit.map(rows).or(all) {
            self.sql.push_str(" LIMIT ");
            self.number(limit);
        }
        if let Some(offset) = select.offset.map(rows) {
            self.sql.push_str(" OFFSET ");
            self.number(offset);
        }
    }

    fn lock(&mut self, lock: Lock, select: &Select, aliases: &[String]) -> Result<()> {
        if self.dialect == Dialect::Sqlite {
            return match lock.busy {
                Busy::Wait => Ok(()),
                Busy::Skip => Err(unsupported("SKIP LOCKED")),
                Busy::Fail => Err(unsupported("NOWAIT")),
            };
        }
        self.sql.push_str(if lock.share { " FOR SHARE OF " } else { " FOR UPDATE OF " });
        // What a left join may leave out cannot be locked.
        let optional = std::iter::once(false).chain(select.joins.iter().map(|join| join.optional));
        let locked = aliases.iter().zip(optional).filter(|(_, optional)| !optional);
        let locked: Vec<_> = locked.map(|(alias, _)| alias.as_str()).collect();
        self.sql.push_str(&locked.join(", "));
        self.sql.push_str(match lock.busy {
            Busy::Wait => "",
            Busy::Skip => " SKIP LOCKED",
            Busy::Fail => " NOWAIT",
        });
        Ok(())
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

    fn nodes(&mut self, nodes: &[Node]) -> Result<()> {
        for (index, node) in nodes.iter().enumerate() {
            self.comma(index);
            self.node(node)?;
        }
        Ok(())
    }

    fn node(&mut self, node: &Node) -> Result<()> {
        match node {
            Node::Column { entity, of, name } => self.column(*entity, of, name),
            Node::Value(value) => {
                self.value(value.clone());
                Ok(())
            }
            Node::Infix(left, operator, right) => {
                self.sql.push('(');
                self.node(left)?;
                self.push(format_args!(" {operator} "));
                self.node(right)?;
                self.sql.push(')');
                Ok(())
            }
            Node::Prefix(operator, operand) => {
                self.push(format_args!("({operator} "));
                self.node(operand)?;
                self.sql.push(')');
                Ok(())
            }
            Node::Postfix(operand, operator) => {
                self.sql.push('(');
                self.node(operand)?;
                self.push(format_args!(" {operator})"));
                Ok(())
            }
            Node::Call(function, arguments) => {
                self.push(format_args!("{function}("));
                self.nodes(arguments)?;
                self.sql.push(')');
                Ok(())
            }
            Node::Row(nodes) => {
                self.sql.push('(');
                self.nodes(nodes)?;
                self.sql.push(')');
                Ok(())
            }
            Node::Cast(inner, column_type) => self.cast(inner, column_type),
            Node::Like(like) => self.like(like),
            Node::In { left, list, element, negated } => self.list(left, list, element, *negated),
            Node::InSelect { left, select, negated } => {
                self.sql.push('(');
                self.node(left)?;
                self.sql.push_str(if *negated { " NOT IN (" } else { " IN (" });
                self.select(select)?;
                self.sql.push_str("))");
                Ok(())
            }
            Node::Exists { select, negated } => {
                self.sql.push_str(if *negated { "NOT EXISTS (" } else { "EXISTS (" });
                self.select(select)?;
                self.sql.push(')');
                Ok(())
            }
            Node::Raw(sql, parts) => self.raw(sql, parts),
            Node::Fault(error) => Err(error.without_source()),
        }
    }

    fn column(&mut self, entity: TypeId, of: &str, name: &str) -> Result<()> {
        let alias = self
            .scopes
            .iter()
            .rev()
            .find_map(|scope| scope.iter().find(|(known, _)| *known == entity))
            .map(|(_, alias)| alias.clone());
        let Some(alias) = alias else {
            let message =
                format!("a statement names the column {name} of {of}, which it does not read");
            return Err(Error::new(ErrorKind::Config, message).with_hint("join it"));
        };
        self.push(format_args!("{alias}.{}", Ident::new(name)?));
        Ok(())
    }

    fn value(&mut self, value: Value) {
        self.values.push(value);
        let number = self.values.len();
        self.push(format_args!("${number}"));
    }

    fn number(&mut self, number: i64) {
        self.value(Value::packed(ColumnType::Int8, Some(number.to_be_bytes().to_vec())));
    }

    fn text(&mut self, text: String) {
        self.value(Value::packed(ColumnType::Text, Some(text.into_bytes())));
    }

    fn cast(&mut self, inner: &Node, column_type: &ColumnType) -> Result<()> {
        // SQLite would calculate with floating point numbers.
        let sums = matches!(inner, Node::Call("sum", _));
        if sums && self.dialect == Dialect::Sqlite && matches!(column_type, ColumnType::Numeric(_))
        {
            return Err(unsupported("an exact sum of numeric values"));
        }
        self.sql.push_str("CAST(");
        self.node(inner)?;
        let name = self.dialect.type_name(column_type);
        self.push(format_args!(" AS {name})"));
        Ok(())
    }

    fn like(&mut self, like: &Like) -> Result<()> {
        self.sql.push('(');
        self.node(&like.left)?;
        self.sql.push_str(if like.negated { " NOT " } else { " " });
        match (self.dialect, like.any_case) {
            (Dialect::Sqlite, false) => {
                self.sql.push_str("GLOB ");
                self.text(pattern::glob(&like.pattern));
            }
            (Dialect::Sqlite, true) => {
                self.sql.push_str("LIKE ");
                self.text(pattern::like(&like.pattern));
                self.sql.push_str(r" ESCAPE '\'");
            }
            (Dialect::PostgreSql, any_case) => {
                self.sql.push_str(if any_case { "ILIKE " } else { "LIKE " });
                self.text(pattern::like(&like.pattern));
            }
        }
        self.sql.push(')');
        Ok(())
    }

    fn list(
        &mut self,
        left: &Node,
        list: &[Value],
        element: &ColumnType,
        negated: bool,
    ) -> Result<()> {
        if self.dialect == Dialect::PostgreSql {
            // The comparison is one of texts, whatever their length.
            let element = match element {
                ColumnType::Varchar(_) => &ColumnType::Text,
                element => element,
            };
            if let Some(array) = packed_array(element, list.iter().map(Value::bytes)) {
                let array_type = ColumnType::Array(Box::new(element.clone()));
                self.sql.push('(');
                self.node(left)?;
                self.sql.push_str(if negated { " <> ALL(CAST(" } else { " = ANY(CAST(" });
                let name = array_type.sql();
                self.value(Value::packed(array_type, Some(array)));
                self.push(format_args!(" AS {name})))"));
                return Ok(());
            }
        }
        if list.is_empty() {
            self.sql.push_str(if negated { "(1 = 1)" } else { "(1 = 0)" });
            return Ok(());
        }
        self.sql.push('(');
        self.node(left)?;
        self.sql.push_str(if negated { " NOT IN (" } else { " IN (" });
        for (index, value) in list.iter().enumerate() {
            self.comma(index);
            self.value(value.clone());
        }
        self.sql.push_str("))");
        Ok(())
    }

    fn raw(&mut self, sql: &str, parts: &[Node]) -> Result<()> {
        let mut pieces = sql.split("{}");
        self.sql.push_str(pieces.next().unwrap_or_default());
        let mut parts = parts.iter();
        for piece in pieces {
            let part = parts.next().ok_or_else(|| uneven(sql))?;
            self.node(part)?;
            self.sql.push_str(piece);
        }
        if parts.next().is_some() { Err(uneven(sql)) } else { Ok(()) }
    }
}

fn uneven(sql: &str) -> Error {
    let message = format!("the fragment {sql:?} has another number of {{}} than of parts");
    Error::new(ErrorKind::Config, message)
}

fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("this database has no {what}"))
}
