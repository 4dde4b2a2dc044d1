//! The descriptions of parameters and of rows.

use super::cursor::Cursor;
use crate::error::Result;
use postgres::types::Oid;

/// A column of a result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) oid: Oid,
    /// How many bytes its values have; negative where that varies.
    pub(crate) size: i16,
    pub(crate) modifier: i32,
}

/// The types in `ParameterDescription`.
pub(super) fn params(body: &[u8]) -> Result<Vec<Oid>> {
    let mut cursor = Cursor::new(body);
    let count = cursor.u16()?;
    (0..count).map(|_| cursor.u32()).collect()
}

/// The columns in `RowDescription`.
pub(super) fn columns(body: &[u8]) -> Result<Vec<Column>> {
    let mut cursor = Cursor::new(body);
    let count = cursor.u16()?;
    let column = |_| {
        let name = String::from_utf8_lossy(cursor.text()?).into_owned();
        // Where it comes from: a table, and its number there.
        let _ = (cursor.u32()?, cursor.u16()?);
        let (oid, size, modifier) = (cursor.u32()?, cursor.i16()?, cursor.i32()?);
        let _format = cursor.u16()?;
        Ok(Column { name, oid, size, modifier })
    };
    (0..count).map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_that_was_cut_off_is_an_error() {
        let body = b"\0\x01id\0\0\0\0\x09\0\x01\0\0\0\x17\0\x04\xff\xff\xff\xff\0\x01";
        let id = Column { name: "id".into(), oid: 23, size: 4, modifier: -1 };
        assert_eq!(columns(body).unwrap(), [id]);
        let types = b"\0\x02\0\0\0\x17\0\0\0\x14";
        assert_eq!(params(types).unwrap(), [23, 20]);
        for end in 0..body.len() {
            assert!(columns(&body[..end]).is_err(), "{end}");
        }
        for end in 0..types.len() {
            assert!(params(&types[..end]).is_err(), "{end}");
        }
    }
}
