//! In which order tables are written, so that no row refers to one that is not there yet.

use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::mapping::column::Column;

/// A table, and what it refers to.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) table: &'a TableName,
    pub(super) columns: &'a [Column],
}

impl Node<'_> {
    /// Whether it refers to another table; rows of one table are one statement.
    fn refers_to(&self, other: &TableName) -> bool {
        self.table != other
            && self
                .columns
                .iter()
                .any(|column| column.references.as_ref().is_some_and(|to| to.table == *other))
    }
}

/// The places of the tables: those that are referred to come first, otherwise as they were given.
///
/// # Errors
/// `Config` if some refer to each other.
pub(super) fn parents_first(nodes: &[Node<'_>]) -> Result<Vec<usize>> {
    let mut order = Vec::with_capacity(nodes.len());
    while order.len() < nodes.len() {
        let waits = |place: usize| {
            let others = nodes.iter().enumerate().filter(|(other, _)| !order.contains(other));
            others.map(|(_, other)| other.table).any(|table| nodes[place].refers_to(table))
        };
        let mut waiting = (0..nodes.len()).filter(|place| !order.contains(place));
        match waiting.find(|&place| !waits(place)) {
            Some(next) => order.push(next),
            None => return Err(cycle(nodes, &order)),
        }
    }
    Ok(order)
}

fn cycle(nodes: &[Node<'_>], done: &[usize]) -> Error {
    let waiting = nodes.iter().enumerate().filter(|(place, _)| !done.contains(place));
    let names: Vec<_> = waiting.map(|(_, node)| node.table.plain()).collect();
    let message = format!(
        "rows of {} are to be written together, and these tables refer to each other",
        names.join(" and ")
    );
    Error::new(ErrorKind::Config, message)
        .with_hint("flush between them, and set the second reference afterwards")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Ident;
    use crate::mapping::column_type::ColumnType;
    use crate::mapping::reference::Reference;

    fn order(tables: &[(&str, &[&str])]) -> Result<Vec<usize>> {
        let tables: Vec<_> = tables
            .iter()
            .map(|(table, parents)| {
                let columns: Vec<_> = parents
                    .iter()
                    .map(|parent| {
                        let parent = TableName::parse(parent).unwrap();
                        let id = || Ident::new("id").unwrap();
                        let to = Reference::new(parent, id());
                        Column::new(id(), ColumnType::Int8).references(to)
                    })
                    .collect();
                (TableName::parse(table).unwrap(), columns)
            })
            .collect();
        let nodes: Vec<_> = tables.iter().map(|(table, columns)| Node { table, columns }).collect();
        parents_first(&nodes)
    }

    #[test]
    fn parents_come_first_and_all_else_stays_as_it_was() {
        let tables: &[(&str, &[&str])] =
            &[("track", &["album"]), ("album", &["artist"]), ("genre", &[]), ("artist", &[])];
        assert_eq!(order(tables).unwrap(), [2, 3, 1, 0]);
    }

    #[test]
    fn a_table_may_refer_to_itself_and_to_what_is_not_written() {
        assert_eq!(order(&[("employee", &["employee", "office"])]).unwrap(), [0]);
    }

    #[test]
    fn tables_that_refer_to_each_other_are_named() {
        let error = order(&[("a", &["b"]), ("c", &[]), ("b", &["a"])]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("rows of a and b are"), "{error}");
    }
}
