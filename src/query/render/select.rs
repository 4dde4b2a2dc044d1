//! The clauses of a `SELECT`.

use super::{Renderer, Statement, unsupported};
use crate::error::Result;
use crate::ident::Ident;
use crate::query::node::Node;
use crate::query::order::Sort;
use crate::query::select::{Busy, Columns, Distinct, Join, Lock, Select};
use crate::sql::dialect::Dialect;

impl Renderer {
    pub(super) fn select(&mut self, select: &Select) -> Result<()> {
        let aliases = self.enter(select.sources());
        self.with(select)?;
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

    fn with(&mut self, select: &Select) -> Result<()> {
        for (index, with) in select.with.iter().enumerate() {
            let word = match index {
                0 if select.recursive => "WITH RECURSIVE ",
                0 => "WITH ",
                _ => ", ",
            };
            let Statement { sql, values } = with.sql.statement_after(self.values.len())?;
            self.values.extend(values);
            self.push(format_args!("{word}{} AS ({sql})", Ident::new(with.name)?));
        }
        if !select.with.is_empty() {
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

    pub(super) fn condition(&mut self, word: &str, condition: Option<&Node>) -> Result<()> {
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
}
