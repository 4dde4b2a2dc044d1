//! Packed fields and parameters as SQLite's values.

use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use crate::mapping::text;
use rusqlite::types::ValueRef;

/// The value of a packed field. What SQLite has no storage class for is the text that PostgreSQL
/// prints, and then `scratch` holds it.
#[inline]
pub(super) fn of_field<'a>(
    column_type: &ColumnType,
    bytes: &'a [u8],
    scratch: &'a mut String,
) -> Result<ValueRef<'a>> {
    Ok(match column_type {
        ColumnType::Bool => ValueRef::Integer((array::<1>(column_type, bytes)? != [0]).into()),
        ColumnType::Int2 => {
            ValueRef::Integer(i16::from_be_bytes(array(column_type, bytes)?).into())
        }
        ColumnType::Int4 => {
            ValueRef::Integer(i32::from_be_bytes(array(column_type, bytes)?).into())
        }
        ColumnType::Int8 => ValueRef::Integer(i64::from_be_bytes(array(column_type, bytes)?)),
        ColumnType::Float4 => real(f32::from_be_bytes(array(column_type, bytes)?).into()),
        ColumnType::Float8 => real(f64::from_be_bytes(array(column_type, bytes)?)),
        ColumnType::Bytea => ValueRef::Blob(bytes),
        ColumnType::Text
        | ColumnType::Varchar(_)
        | ColumnType::Char(_)
        | ColumnType::Json
        | ColumnType::Enum(_)
        | ColumnType::Other(_) => ValueRef::Text(bytes),
        ColumnType::Jsonb => match bytes.split_first() {
            Some((&JSONB_VERSION, json)) => ValueRef::Text(json),
            _ => return Err(malformed(column_type)),
        },
        ColumnType::Uuid => {
            scratch.clear();
            push_uuid(array(column_type, bytes)?, scratch);
            ValueRef::Text(scratch.as_bytes())
        }
        _ => {
            scratch.clear();
            text::output(column_type, bytes, scratch)?;
            ValueRef::Text(scratch.as_bytes())
        }
    })
}

/// The first byte of a packed `jsonb`: PostgreSQL's `jsonb_send`.
const JSONB_VERSION: u8 = 1;

/// The value of a parameter; `scratch` holds it where it has to be made.
pub(super) fn of_param<'a>(param: &'a Param<'_>, scratch: &'a mut String) -> Result<ValueRef<'a>> {
    param.check_nul()?;
    Ok(match param {
        Param::Null => ValueRef::Null,
        Param::Bool(value) => ValueRef::Integer((*value).into()),
        Param::Int(value) => ValueRef::Integer(*value),
        Param::Float(value) => real(*value),
        Param::Text(value) => ValueRef::Text(value.as_bytes()),
        Param::Bytes(value) => ValueRef::Blob(value),
        Param::Packed(column_type, bytes) => of_field(column_type, bytes, scratch)?,
    })
}

/// SQLite makes NULL of a NaN, so that it is kept as a text.
fn real<'a>(value: f64) -> ValueRef<'a> {
    if value.is_nan() { ValueRef::Text(b"NaN") } else { ValueRef::Real(value) }
}

fn push_uuid(bytes: [u8; 16], out: &mut String) {
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
        }
    }
}

fn array<const N: usize>(column_type: &ColumnType, bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| malformed(column_type))
}

fn malformed(column_type: &ColumnType) -> Error {
    Error::new(ErrorKind::Encode, format!("a packed field is no {column_type}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_wrong_length_is_refused() {
        for (column_type, bytes) in [
            (ColumnType::Bool, &[][..]),
            (ColumnType::Int4, &[0; 8]),
            (ColumnType::Float8, &[0; 4]),
            (ColumnType::Uuid, &[0; 15]),
            (ColumnType::Jsonb, &[]),
            (ColumnType::Jsonb, &[2, b'{', b'}']),
        ] {
            let error = of_field(&column_type, bytes, &mut String::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Encode, "{column_type}");
        }
    }

    #[test]
    fn infinities_are_real_and_a_nan_is_a_text() {
        assert_eq!(real(f64::INFINITY), ValueRef::Real(f64::INFINITY));
        assert_eq!(real(-f64::NAN), ValueRef::Text(b"NaN"));
    }
}
