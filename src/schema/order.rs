//! Which table comes first, where tables refer to each other.

use crate::ident::Ident;
use crate::mapping::table_shape::TableShape;

/// A table whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Its number.
    pub(super) table: usize,
    /// Its columns that refer to tables that come later: a circle.
    pub(super) apart: Vec<Ident>,
}

/// The tables so that each comes after those that it refers to, as far as that can be; among
/// themselves they keep their order.
pub(super) fn by_references(tables: &[TableShape]) -> Vec<Turn> {
    let mut waiting: Vec<usize> = (0..tables.len()).collect();
    let mut turns = Vec::with_capacity(tables.len());
    while !waiting.is_empty() {
        let next = waiting.iter().position(|&table| later(tables, table, &waiting).is_empty());
        // Where all wait for each other, the first one goes, and its foreign keys come at the end.
        let table = waiting.remove(next.unwrap_or(0));
        turns.push(Turn { table, apart: later(tables, table, &waiting) });
    }
    turns
}

/// The columns of a table that refer to another one of those that wait.
fn later(tables: &[TableShape], table: usize, waiting: &[usize]) -> Vec<Ident> {
    let waits = |target: &crate::ident::TableName| {
        waiting.iter().any(|&other| other != table && tables[other].table == *target)
    };
    tables[table]
        .columns
        .iter()
        .filter(|column| column.references.as_ref().is_some_and(|to| waits(&to.table)))
        .map(|column| column.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::TableName;
    use crate::mapping::column::Column;
    use crate::mapping::column_type::ColumnType;
    use crate::mapping::reference::Reference;

    /// `name: targets`; the columns are called like their targets.
    fn tables(written: &[(&str, &[&str])]) -> Vec<TableShape> {
        let id = || Ident::new("id").unwrap();
        let shape = |&(name, targets): &(&str, &[&str])| TableShape {
            table: TableName::parse(name).unwrap(),
            columns: targets
                .iter()
                .map(|target| {
                    let table = TableName::parse(target).unwrap();
                    Column::new(Ident::new(*target).unwrap(), ColumnType::Int8)
                        .references(Reference::new(table, id()))
                })
                .collect(),
            key: vec![id()],
            indexes: Vec::new(),
        };
        written.iter().map(shape).collect()
    }

    fn turns(written: &[(&str, &[&str])]) -> Vec<String> {
        let tables = tables(written);
        let show = |turn: &Turn| {
            let apart: Vec<_> = turn.apart.iter().map(Ident::as_str).collect();
            format!("{} {}", tables[turn.table].table.plain(), apart.join(" "))
        };
        by_references(&tables).iter().map(show).map(|turn| turn.trim().to_owned()).collect()
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        let found =
            turns(&[("track", &["album", "genre"]), ("album", &["artist"]), ("artist", &[])]);
        assert_eq!(found, ["artist", "album", "track"]);
    }

    #[test]
    fn a_table_may_refer_to_itself() {
        assert_eq!(turns(&[("employee", &["employee"])]), ["employee"]);
    }

    #[test]
    fn a_circle_is_opened_where_it_begins() {
        let found = turns(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])]);
        assert_eq!(found, ["a b", "c", "b", "d"]);
    }
}
