//! `serde_json::Value`.

use super::fault::{malformed, not_packable, not_readable};
use super::text::{JSONB_VERSION, read_text};
use super::{Cell, CellRef};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::sqlstate::SqlState;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Numbers are what `serde_json` makes of them: 64 bits. Read the column as a `String` where a
/// document has longer ones.
impl Cell for Value {
    fn column_type() -> ColumnType {
        ColumnType::Jsonb
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match column_type {
            ColumnType::Json => {}
            ColumnType::Jsonb => out.push(JSONB_VERSION),
            other => return Err(not_packable("serde_json::Value", other)),
        }
        let start = out.len();
        serde_json::to_writer(&mut *out, self).map_err(|_| invalid(column_type))?;
        if *column_type == ColumnType::Jsonb && has_escaped_nul(&out[start..]) {
            return Err(escaped_nul());
        }
        Ok(true)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match cell {
            CellRef::Text(_) | CellRef::Packed(ColumnType::Json | ColumnType::Jsonb, _) => {
                let text = read_text(cell, "serde_json::Value")?;
                // The cause would show a part of the value.
                serde_json::from_str(text).map_err(|_| malformed("JSON document"))
            }
            other => Err(not_readable("serde_json::Value", other)),
        }
    }
}

/// Refuses what the server would refuse, and the rest of the batch with it.
pub(super) fn check_json(text: &str, column_type: &ColumnType) -> Result<()> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| invalid(column_type))?;
    if *column_type == ColumnType::Jsonb && has_escaped_nul(text.as_bytes()) {
        return Err(escaped_nul());
    }
    Ok(())
}

/// Whether a text contains the escape `\u0000` and not an escaped backslash before `u0000`.
fn has_escaped_nul(json: &[u8]) -> bool {
    memchr::memmem::find_iter(json, b"\\u0000").any(|at| {
        let before = json[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        before.is_multiple_of(2)
    })
}

#[cold]
fn invalid(column_type: &ColumnType) -> Error {
    Error::new(ErrorKind::Encode, format!("a text is no {column_type}"))
        .with_sqlstate(SqlState::INVALID_TEXT)
}

#[cold]
fn escaped_nul() -> Error {
    Error::new(ErrorKind::Encode, "a text in a JSON document contains NUL, which jsonb cannot hold")
        .with_sqlstate(SqlState::CHARACTER_NOT_IN_REPERTOIRE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_comes_back_from_json_jsonb_and_text() {
        let value = json!({"a": [1, 2.5, null, "\u{e9}\\u0000"]});
        for column_type in [ColumnType::Json, ColumnType::Jsonb] {
            let mut out = Vec::new();
            value.pack(&column_type, &mut out).unwrap();
            assert_eq!(Value::unpack(CellRef::Packed(&column_type, &out)).unwrap(), value);
        }
        assert_eq!(Value::unpack(CellRef::Text(&value.to_string())).unwrap(), value);
        assert!(value.pack(&ColumnType::Text, &mut Vec::new()).is_err());
    }

    #[test]
    fn what_the_server_would_refuse_is_refused() {
        let mut out = Vec::new();
        assert!(json!("a\0").pack(&ColumnType::Jsonb, &mut out).is_err());
        assert!(check_json("{\"a\":", &ColumnType::Json).is_err());
        assert!(check_json("\"\\u0000\"", &ColumnType::Jsonb).is_err());
        assert!(check_json("\"\\\\u0000\"", &ColumnType::Jsonb).is_ok());
        assert!(Value::unpack(CellRef::Text("{secret")).is_err());
    }
}
