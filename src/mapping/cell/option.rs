//! `Option`: the one type that can be NULL.

use super::{Cell, CellRef, sized};
use crate::error::Result;
use crate::mapping::column_type::ColumnType;

impl<T: Cell> Cell for Option<T> {
    const NULLABLE: bool = true;

    fn column_type() -> ColumnType {
        T::column_type()
    }

    fn labels() -> &'static [&'static str] {
        T::labels()
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match self {
            Some(value) => value.pack(column_type, out),
            None => Ok(false),
        }
    }

    #[inline]
    fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match self {
            Some(value) => value.pack_sized(column_type, out),
            None => {
                sized::null(out);
                Ok(false)
            }
        }
    }

    #[inline]
    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match cell {
            CellRef::Null => Ok(None),
            cell => T::unpack(cell).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_null_and_appends_nothing() {
        let mut out = vec![9];
        assert!(!None::<i32>.pack(&ColumnType::Int4, &mut out).unwrap());
        assert_eq!(out, [9]);
        assert_eq!(Option::<i32>::unpack(CellRef::Null).unwrap(), None);
        assert_eq!(Option::<i32>::unpack(CellRef::Integer(1)).unwrap(), Some(1));
    }
}
