//! The columns of packed rows.

use super::column::Column;
use super::column_type::ColumnType;
use super::rows::Rows;

/// The columns of packed rows, as the target wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// The columns that rows carry, with the target's own types, in the order of the fields.
    pub columns: Vec<Column>,
    /// Which of them are the key, in the key's order.
    pub key: Vec<usize>,
    /// Those whose labels are known, so that others can be refused before they are sent.
    pub(crate) labelled: Vec<usize>,
}

impl Layout {
    /// A layout of `columns`, of which those numbered in `key` are the key.
    pub fn new(columns: Vec<Column>, key: Vec<usize>) -> Self {
        let is_labelled = |column: &Column| {
            matches!(column.column_type, ColumnType::Enum(_)) && !column.labels.is_empty()
        };
        let labelled = (0..columns.len()).filter(|&index| is_labelled(&columns[index])).collect();
        Self { columns, key, labelled }
    }

    /// An empty list for rows of this layout.
    pub fn rows(&self) -> Rows {
        Rows::new(self.columns.len() as u16)
    }
}
