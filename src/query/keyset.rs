//! Reading on behind the last row of a page (keyset pagination): the database looks the place up
//! in an index instead of counting rows.

use super::node::Node;
use super::order::Sort;
use super::scope::Source;
use super::select::{Distinct, Select};
use super::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use std::fmt::{self, Write};
use std::str::FromStr;

/// The place behind a row, from which the next page goes on; it can be kept as a text.
///
/// The text holds the values of the columns by which the query is ordered; `Debug` shows none.
#[derive(Clone, PartialEq)]
pub struct PageToken(Vec<Value>);

impl PageToken {
    /// The place behind a row, of which `cells` are what it is ordered by.
    pub(crate) fn of<'a>(cells: impl Iterator<Item = Result<CellRef<'a>>>) -> Result<Self> {
        cells.map(|cell| owned(cell?)).collect::<Result<_>>().map(Self)
    }
}

fn owned(cell: CellRef<'_>) -> Result<Value> {
    let (column_type, bytes) = match cell {
        CellRef::Packed(column_type, bytes) => (column_type.clone(), bytes.to_vec()),
        CellRef::Integer(number) => (ColumnType::Int8, number.to_be_bytes().to_vec()),
        CellRef::Real(number) => (ColumnType::Float8, number.to_be_bytes().to_vec()),
        CellRef::Text(text) => (ColumnType::Text, text.as_bytes().to_vec()),
        CellRef::Blob(bytes) => (ColumnType::Bytea, bytes.to_vec()),
        CellRef::Null => {
            let message = "a page is ordered by what is NULL in a row: behind it there is no place";
            return Err(Error::new(ErrorKind::Config, message)
                .with_hint("order by columns that are not null, or by their coalesce"));
        }
    };
    Ok(Value::packed(column_type, Some(bytes)))
}

impl Select {
    /// Has every row carry what it is ordered by, which is made complete by the keys of all that is
    /// read, and begin behind `after`.
    pub(crate) fn page(&mut self, size: u64, after: Option<&PageToken>) -> Result<()> {
        if !self.group_by.is_empty() || !matches!(self.distinct, Distinct::No) {
            let message = "a query for groups or distinct rows cannot be read in pages";
            return Err(Error::new(ErrorKind::Config, message));
        }
        self.complete_order()?;
        self.extra = self.order_by.iter().map(|sort| sort.node.clone()).collect();
        self.limit = Some(size);
        if let Some(PageToken(values)) = after {
            let behind = behind(&self.order_by, values)?;
            self.filter = Some(Node::and(self.filter.take(), behind));
        }
        Ok(())
    }

    fn complete_order(&mut self) -> Result<()> {
        let sources: Vec<Source> = self.sources().copied().collect();
        for source in sources {
            let key = (source.key)();
            if key.is_empty() {
                let message = format!("{} has no key: no row is told from all others", source.of);
                return Err(Error::new(ErrorKind::Config, message));
            }
            for &name in key {
                let known = self.order_by.iter().any(|sort| {
                    matches!(&sort.node, Node::Column { entity, name: column, .. }
                        if *entity == source.entity && *column == name)
                });
                if !known {
                    let node = Node::Column { entity: source.entity, of: source.of, name };
                    self.order_by.push(Sort {
                        node,
                        descending: false,
                        nulls_first: None,
                        column_type: None,
                    });
                }
            }
        }
        Ok(())
    }
}

/// The condition that a row comes behind `values`.
fn behind(order: &[Sort], values: &[Value]) -> Result<Node> {
    if order.len() != values.len() {
        let message = "this place belongs to another query: it has another order";
        return Err(Error::new(ErrorKind::Config, message));
    }
    let operator = |sort: &Sort| if sort.descending { "<" } else { ">" };
    let value = |value: &Value| Node::Value(value.clone());
    let same_way = order.iter().all(|sort| sort.descending == order[0].descending);
    if same_way {
        let left = Node::Row(order.iter().map(|sort| sort.node.clone()).collect());
        let right = Node::Row(values.iter().map(value).collect());
        return Ok(Node::infix(left, operator(&order[0]), right));
    }
    let mut any: Option<Node> = None;
    for (index, (sort, last)) in order.iter().zip(values).enumerate() {
        let mut all = None;
        for (sort, equal) in order.iter().zip(values).take(index) {
            all = Some(Node::and(all, Node::infix(sort.node.clone(), "=", value(equal))));
        }
        let further = Node::infix(sort.node.clone(), operator(sort), value(last));
        let one = Node::and(all, further);
        any = Some(match any {
            Some(any) => Node::infix(any, "OR", one),
            None => one,
        });
    }
    any.ok_or_else(|| Error::new(ErrorKind::Config, "a page needs an order"))
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageToken({} values)", self.0.len())
    }
}

/// `type:hex`, with a dot between two.
impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char('.')?;
            }
            for byte in value.column_type().sql().bytes() {
                write!(f, "{byte:02x}")?;
            }
            f.write_char(':')?;
            for byte in value.bytes().unwrap_or_default() {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for PageToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::new(ErrorKind::Config, "this text is no place of a page");
        let value = |part: &str| {
            let (name, bytes) = part.split_once(':')?;
            let name = String::from_utf8(unhex(name)?).ok()?;
            let column_type = ColumnType::parse(&name).unwrap_or(ColumnType::Other(name));
            Some(Value::packed(column_type, Some(unhex(bytes)?)))
        };
        let values: Option<Vec<_>> = text.split('.').map(value).collect();
        values.map(Self).ok_or_else(wrong)
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
