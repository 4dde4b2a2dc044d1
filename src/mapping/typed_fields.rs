//! The fields of a packed row with their types.

use super::cell::CellRef;
use super::column_type::ColumnType;
use super::rows::Fields;
use crate::error::{Error, ErrorKind, Result};

/// The fields of a packed row with their types, to be read one after the other: nothing is looked
/// up, and nothing is looked at twice.
///
/// ```
/// use rowmill::{Cell, ColumnType, Rows, TypedFields};
/// let mut rows = Rows::new(2);
/// let mut row = rows.begin();
/// row.cell(&7_i64, &ColumnType::Int8)?;
/// row.null();
/// row.finish()?;
///
/// let types = [ColumnType::Int8, ColumnType::Text];
/// let mut fields = TypedFields::new(rows.row(0), &types);
/// assert_eq!(i64::unpack(fields.next_cell()?)?, 7);
/// assert_eq!(Option::<String>::unpack(fields.next_cell()?)?, None);
/// assert!(fields.next_cell().is_err());
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TypedFields<'a> {
    fields: Fields<'a>,
    types: &'a [ColumnType],
}

impl<'a> TypedFields<'a> {
    /// The fields of a row, which are of these types.
    pub fn new(fields: Fields<'a>, types: &'a [ColumnType]) -> Self {
        Self { fields, types }
    }

    /// The next of them.
    ///
    /// # Errors
    /// `Decode` if there is none.
    #[inline]
    pub fn next_cell(&mut self) -> Result<CellRef<'a>> {
        let Some((column_type, types)) = self.types.split_first() else { return Err(no_more()) };
        self.types = types;
        match self.fields.next() {
            Some(Some(bytes)) => Ok(CellRef::Packed(column_type, bytes)),
            Some(None) => Ok(CellRef::Null),
            None => Err(no_more()),
        }
    }

    /// All of them that are left.
    pub(crate) fn cells(mut self) -> Result<Vec<CellRef<'a>>> {
        let mut cells = Vec::with_capacity(self.types.len());
        while !self.types.is_empty() {
            cells.push(self.next_cell()?);
        }
        Ok(cells)
    }
}

#[cold]
fn no_more() -> Error {
    Error::new(ErrorKind::Decode, "a row has fewer cells than its reader asks for")
}
