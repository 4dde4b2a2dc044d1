//! `Vec<u8>`.

use super::fault::{not_packable, not_readable};
use super::{Cell, CellRef, sized};
use crate::error::Result;
use crate::mapping::column_type::ColumnType;

impl Cell for Vec<u8> {
    fn column_type() -> ColumnType {
        ColumnType::Bytea
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match column_type {
            ColumnType::Bytea => out.extend_from_slice(self),
            other => return Err(not_packable("Vec<u8>", other)),
        }
        Ok(true)
    }

    #[inline]
    fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match column_type {
            ColumnType::Bytea if self.len() <= sized::MAX_FIELD_BYTES => {
                sized::bytes(self, out);
                Ok(true)
            }
            _ => sized::packed(self, column_type, out),
        }
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match cell {
            CellRef::Packed(ColumnType::Bytea, bytes) | CellRef::Blob(bytes) => Ok(bytes.to_vec()),
            other => Err(not_readable("Vec<u8>", other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_a_bytea_and_nothing_else() {
        let mut out = Vec::new();
        assert!(vec![0_u8, 255].pack(&ColumnType::Bytea, &mut out).unwrap());
        assert_eq!(out, [0, 255]);
        assert!(vec![1_u8].pack(&ColumnType::Text, &mut out).is_err());
        assert_eq!(Vec::<u8>::unpack(CellRef::Blob(&[7])).unwrap(), [7]);
        assert!(Vec::<u8>::unpack(CellRef::Text("x")).is_err());
    }
}
