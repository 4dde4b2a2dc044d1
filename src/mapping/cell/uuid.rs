//! `uuid::Uuid`.

use super::array::Element;
use super::fault::{exactly, malformed, not_packable, not_readable};
use super::{Cell, CellRef, sized};
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use ::uuid::Uuid;

impl Element for Uuid {}

impl Cell for Uuid {
    fn column_type() -> ColumnType {
        ColumnType::Uuid
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match column_type {
            ColumnType::Uuid => out.extend_from_slice(self.as_bytes()),
            other => return Err(not_packable("Uuid", other)),
        }
        Ok(true)
    }

    #[inline]
    fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        if let ColumnType::Uuid = column_type {
            sized::fixed(*self.as_bytes(), out);
            return Ok(true);
        }
        sized::packed(self, column_type, out)
    }

    #[inline]
    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match cell {
            CellRef::Packed(ColumnType::Uuid, bytes) | CellRef::Blob(bytes) => {
                Ok(Self::from_bytes(exactly(&ColumnType::Uuid, bytes)?))
            }
            CellRef::Text(text) => Self::try_parse(text).map_err(|_| malformed("uuid")),
            other => Err(not_readable("Uuid", other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_comes_back_packed_and_as_text() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let mut out = Vec::new();
        id.pack(&ColumnType::Uuid, &mut out).unwrap();
        assert_eq!(Uuid::unpack(CellRef::Packed(&ColumnType::Uuid, &out)).unwrap(), id);
        assert_eq!(Uuid::unpack(CellRef::Text(&id.to_string())).unwrap(), id);
        assert!(Uuid::unpack(CellRef::Blob(&out[1..])).is_err());
    }
}
