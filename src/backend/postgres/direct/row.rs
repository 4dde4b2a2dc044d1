//! A row where it lies in what came.

use super::broken;
use super::cursor::{self, Cursor};
use super::described::Column;
use crate::backend::RowRef;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::Fields;
use crate::mapping::typed_fields::TypedFields;
use std::cell::{Cell, RefCell};

/// Where in a row its cells lie. It is used again for each row.
#[derive(Default)]
pub(super) struct Cells(Vec<Option<(usize, usize)>>);

impl Cells {
    pub(super) fn places(&self) -> &[Option<(usize, usize)>] {
        &self.0
    }

    /// Reads the body of `DataRow`, which must have `count` cells.
    pub(super) fn read(&mut self, body: &[u8], count: usize) -> Result<()> {
        self.0.clear();
        check_count(body, count)?;
        let mut at = 2;
        for _ in 0..count {
            let head = body.get(at..).and_then(<[u8]>::first_chunk);
            let length = i32::from_be_bytes(*head.ok_or_else(cursor::cut_off)?);
            at += 4;
            let Ok(length) = usize::try_from(length) else {
                self.0.push(None);
                continue;
            };
            if body.len() - at < length {
                return Err(cursor::cut_off());
            }
            self.0.push(Some((at, at + length)));
            at += length;
        }
        Ok(())
    }
}

/// Refuses the body of a `DataRow` that has not `count` cells.
#[inline]
pub(super) fn check_count(body: &[u8], count: usize) -> Result<()> {
    if usize::from(Cursor::new(body).u16()?) != count {
        return Err(broken("a row has not the cells that were announced"));
    }
    Ok(())
}

/// A row, its cells and their types.
pub(super) struct DirectRow<'a> {
    body: &'a [u8],
    types: &'a [ColumnType],
    columns: &'a [Column],
    /// Where its cells lie, once one of them was asked for by its number.
    cells: &'a RefCell<Cells>,
    is_read: Cell<bool>,
}

impl<'a> DirectRow<'a> {
    /// A row of these types; `cells` serve all rows of a result in turn.
    pub(super) fn new(
        body: &'a [u8],
        types: &'a [ColumnType],
        columns: &'a [Column],
        cells: &'a RefCell<Cells>,
    ) -> Result<Self> {
        check_count(body, types.len())?;
        Ok(Self { body, types, columns, cells, is_read: Cell::new(false) })
    }

    /// Where cell `index` lies, `None` for NULL, if the row has so many.
    fn place(&self, index: usize) -> Result<Place> {
        if !self.is_read.get() {
            self.cells.borrow_mut().read(self.body, self.types.len())?;
            self.is_read.set(true);
        }
        Ok(match self.cells.borrow().0.get(index) {
            Some(Some((start, end))) => Place::At(*start, *end),
            Some(None) => Place::Null,
            None => Place::Nowhere,
        })
    }
}

/// Where a cell lies in the body of its row.
enum Place {
    At(usize, usize),
    Null,
    Nowhere,
}

impl RowRef for DirectRow<'_> {
    fn len(&self) -> usize {
        self.types.len()
    }

    fn name(&self, index: usize) -> &str {
        self.columns.get(index).map_or("", |column| &column.name)
    }

    fn cell(&self, index: usize) -> Result<CellRef<'_>> {
        match (self.place(index)?, self.types.get(index)) {
            (Place::At(start, end), Some(column)) => {
                Ok(CellRef::Packed(column, &self.body[start..end]))
            }
            (Place::Null, Some(_)) => Ok(CellRef::Null),
            _ => {
                let message = format!("there is no cell {index} in a row of {}", self.types.len());
                Err(Error::new(ErrorKind::Decode, message))
            }
        }
    }

    fn fields(&self) -> Option<TypedFields<'_>> {
        let fields = self.body.get(2..)?;
        Some(TypedFields::new(Fields::of_tuple(fields), self.types))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cells_of_a_row_lie_within_it_or_it_is_an_error() {
        let body = b"\0\x03\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\0";
        let mut cells = Cells::default();
        cells.read(body, 3).unwrap();
        assert_eq!(cells.0, [Some((6, 8)), None, Some((16, 16))]);
        for end in 0..body.len() {
            assert!(cells.read(&body[..end], 3).is_err(), "{end}");
        }
        assert!(cells.read(body, 2).is_err());
        assert!(cells.read(b"\0\x01\x7f\xff\xff\xffab", 1).is_err());
    }
}
