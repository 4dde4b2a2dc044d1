//! `bool`.

use super::fault::{damaged, not_packable, not_readable};
use super::{Cell, CellRef, sized};
use crate::error::Result;
use crate::mapping::column_type::ColumnType;

impl Cell for bool {
    fn column_type() -> ColumnType {
        ColumnType::Bool
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match column_type {
            ColumnType::Bool => out.push(u8::from(*self)),
            other => return Err(not_packable("bool", other)),
        }
        Ok(true)
    }

    #[inline]
    fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        if let ColumnType::Bool = column_type {
            sized::fixed([u8::from(*self)], out);
            return Ok(true);
        }
        sized::packed(self, column_type, out)
    }

    #[inline]
    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match cell {
            CellRef::Packed(ColumnType::Bool, [0]) | CellRef::Integer(0) => Ok(false),
            CellRef::Packed(ColumnType::Bool, [1]) | CellRef::Integer(1) => Ok(true),
            CellRef::Packed(ColumnType::Bool, _) => Err(damaged(&ColumnType::Bool)),
            other => Err(not_readable("bool", other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bool_is_read_from_zero_and_one_and_nothing_else() {
        assert!(bool::unpack(CellRef::Integer(1)).unwrap());
        assert!(!bool::unpack(CellRef::Packed(&ColumnType::Bool, &[0])).unwrap());
        assert!(bool::unpack(CellRef::Integer(2)).is_err());
        assert!(bool::unpack(CellRef::Packed(&ColumnType::Bool, &[2])).is_err());
        assert!(bool::unpack(CellRef::Packed(&ColumnType::Int2, &[0, 1])).is_err());
    }
}
