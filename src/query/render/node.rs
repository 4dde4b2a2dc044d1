//! The parts of an expression.

use super::{Renderer, unsupported};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::mapping::cell::array::packed_array;
use crate::mapping::column_type::ColumnType;
use crate::query::node::{Like, Node, Text};
use crate::query::pattern;
use crate::query::value::Value;
use crate::sql::dialect::Dialect;
use std::any::TypeId;

impl Renderer {
    pub(super) fn nodes(&mut self, nodes: &[Node]) -> Result<()> {
        for (index, node) in nodes.iter().enumerate() {
            self.comma(index);
            self.node(node)?;
        }
        Ok(())
    }

    pub(super) fn node(&mut self, node: &Node) -> Result<()> {
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
            Node::Scalar(select) => {
                self.sql.push('(');
                self.select(select)?;
                self.sql.push(')');
                Ok(())
            }
            Node::Case(branches, otherwise) => self.case(branches, otherwise.as_deref()),
            Node::Raw(Text::Same(sql), parts) => self.raw(sql, parts),
            Node::Raw(Text::Of(sql), parts) => self.raw(sql(self.dialect), parts),
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
        let next = self.values.len() + 1;
        let number = match value.address() {
            Some(address) => *self.known.entry(address).or_insert(next),
            None => next,
        };
        if number == next {
            self.values.push(value);
        }
        self.push(format_args!("${number}"));
    }

    pub(super) fn number(&mut self, number: i64) {
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

    fn case(&mut self, branches: &[(Node, Node)], otherwise: Option<&Node>) -> Result<()> {
        self.sql.push_str("(CASE");
        for (condition, value) in branches {
            self.sql.push_str(" WHEN ");
            self.node(condition)?;
            self.sql.push_str(" THEN ");
            self.node(value)?;
        }
        self.condition(" ELSE ", otherwise)?;
        self.sql.push_str(" END)");
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
