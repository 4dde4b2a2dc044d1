//! `String`, and what all texts share.

use super::fault::{not_packable, not_readable, unreadable};
use super::json::check_json;
use super::sized::{self, MAX_FIELD_BYTES};
use super::text_copy;
use super::values::binary_of;
use super::{Cell, CellRef};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::binary;
use crate::mapping::column_type::ColumnType;
use crate::mapping::nul;
use crate::sqlstate::SqlState;

/// The version byte before the text of a packed `jsonb`.
pub(super) const JSONB_VERSION: u8 = 1;

impl Cell for String {
    fn column_type() -> ColumnType {
        ColumnType::Text
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        pack_text(self, column_type, out)
    }

    #[inline]
    fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        let text = self.as_bytes();
        match blanks_behind(text, column_type) {
            Some(blanks) if sized::text(text, blanks, out) => Ok(true),
            _ => sized::packed(self, column_type, out),
        }
    }

    /// A cell of a type that only results have is read as the text that PostgreSQL prints.
    #[inline]
    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        if let CellRef::Packed(
            ColumnType::Text | ColumnType::Varchar(_) | ColumnType::Char(_),
            bytes,
        ) = cell
        {
            return text_copy::checked(bytes);
        }
        if let Some((ty, bytes)) = binary_of(cell) {
            let mut shown = Self::new();
            return binary::show(ty, bytes, &mut shown).map(|()| shown);
        }
        read_text(cell, "String").map(str::to_owned)
    }
}

/// How many blanks a text is followed by in the column, if it fits into it and has no character
/// longer than a byte; `None` for what has to be looked at.
#[inline]
fn blanks_behind(text: &[u8], column_type: &ColumnType) -> Option<usize> {
    match column_type {
        ColumnType::Text | ColumnType::Varchar(None) if text.len() <= MAX_FIELD_BYTES => Some(0),
        ColumnType::Varchar(Some(limit)) if text.len() <= *limit as usize => Some(0),
        ColumnType::Char(limit) => (*limit as usize).checked_sub(text.len()),
        _ => None,
    }
}

/// Packs a text as one of the types whose values are texts.
pub(super) fn pack_text(text: &str, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Err(nul::refused());
    }
    match column_type {
        ColumnType::Text | ColumnType::Varchar(None) | ColumnType::Enum(_) => {
            out.extend_from_slice(text.as_bytes());
        }
        ColumnType::Varchar(Some(limit)) => {
            out.extend_from_slice(fitted(text, *limit, column_type)?.as_bytes());
        }
        ColumnType::Char(limit) => {
            let text = fitted(text, *limit, column_type)?;
            out.extend_from_slice(text.as_bytes());
            // Blanks up to the length, as the server would send it: equal values, equal bytes.
            let padding = *limit as usize - text.chars().count();
            out.resize(out.len() + padding, b' ');
        }
        ColumnType::Json => {
            check_json(text, column_type)?;
            out.extend_from_slice(text.as_bytes());
        }
        ColumnType::Jsonb => {
            check_json(text, column_type)?;
            out.push(JSONB_VERSION);
            out.extend_from_slice(text.as_bytes());
        }
        other if other.travels_as_text() => out.extend_from_slice(text.as_bytes()),
        other => return Err(not_packable("a text", other)),
    }
    Ok(true)
}

/// The text without blanks beyond `limit` characters, which PostgreSQL cuts off too.
fn fitted<'a>(text: &'a str, limit: u32, column_type: &ColumnType) -> Result<&'a str> {
    // No character is shorter than a byte.
    if text.len() <= limit as usize {
        return Ok(text);
    }
    match text.char_indices().nth(limit as usize) {
        None => Ok(text),
        Some((end, _)) if text[end..].bytes().all(|byte| byte == b' ') => Ok(&text[..end]),
        Some(_) => {
            Err(Error::new(ErrorKind::Encode, format!("a text is too long for {column_type}"))
                .with_sqlstate(SqlState::STRING_TOO_LONG))
        }
    }
}

/// The text of a cell of one of the types whose values are texts.
pub(super) fn read_text<'a>(cell: CellRef<'a>, rust: &str) -> Result<&'a str> {
    let bytes = match cell {
        CellRef::Text(text) => return Ok(text),
        CellRef::Packed(
            ColumnType::Text
            | ColumnType::Varchar(_)
            | ColumnType::Char(_)
            | ColumnType::Json
            | ColumnType::Enum(_),
            bytes,
        )
        | CellRef::Packed(ColumnType::Jsonb, [JSONB_VERSION, bytes @ ..]) => bytes,
        CellRef::Packed(column_type, bytes) if column_type.travels_as_text() => bytes,
        other => return Err(not_readable(rust, other)),
    };
    std::str::from_utf8(bytes).map_err(|_| not_utf8())
}

#[cold]
pub(super) fn not_utf8() -> Error {
    unreadable("a text is not valid UTF-8", SqlState::CHARACTER_NOT_IN_REPERTOIRE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(text: &str, column_type: &ColumnType) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        pack_text(text, column_type, &mut out)?;
        Ok(out)
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let varchar = ColumnType::Varchar(Some(3));
        assert_eq!(packed("\u{e9}\u{e9}\u{e9}", &varchar).unwrap().len(), 6);
        let error = packed("abcd", &varchar).unwrap_err();
        assert_eq!(error.sqlstate(), Some(SqlState::STRING_TOO_LONG));
        assert_eq!(packed("abc  ", &varchar).unwrap(), b"abc");
    }

    #[test]
    fn a_char_is_padded_as_the_server_would_send_it() {
        assert_eq!(packed("\u{e9}", &ColumnType::Char(3)).unwrap(), "\u{e9}  ".as_bytes());
        assert!(packed("abcd", &ColumnType::Char(3)).is_err());
    }

    #[test]
    fn nul_is_refused_with_22021() {
        let error = packed("a\0b", &ColumnType::Text).unwrap_err();
        assert_eq!(error.sqlstate(), Some(SqlState::CHARACTER_NOT_IN_REPERTOIRE));
    }

    #[test]
    fn a_text_is_written_to_no_other_type() {
        for sql in ["bigint", "numeric", "date", "uuid", "bytea", "boolean", "text[]"] {
            let column_type = ColumnType::parse(sql).unwrap();
            assert_eq!(packed("1", &column_type).unwrap_err().kind(), ErrorKind::Encode, "{sql}");
        }
    }

    #[test]
    fn every_type_of_text_is_read_back() {
        for column_type in [
            ColumnType::Text,
            ColumnType::Varchar(Some(10)),
            ColumnType::Char(4),
            ColumnType::Json,
            ColumnType::Jsonb,
            ColumnType::Enum("mood".into()),
            ColumnType::Other("inet".into()),
        ] {
            let bytes = packed("1234", &column_type).unwrap();
            assert_eq!(String::unpack(CellRef::Packed(&column_type, &bytes)).unwrap(), "1234");
        }
        assert!(String::unpack(CellRef::Packed(&ColumnType::Text, &[0xFF])).is_err());
        assert!(String::unpack(CellRef::Packed(&ColumnType::Int8, &[0; 8])).is_err());
    }
}
