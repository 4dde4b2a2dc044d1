//! A row as it goes to the reject store, and back: one JSON object, whose keys are what the columns
//! are taken from, and whose values are the texts of theirs.

use super::pack::{Reader, Way};
use super::values::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
use crate::sqlstate::SqlState;
use serde_json::{Map, Value as Json};

/// A column of the target, what it is taken from, and how.
pub(super) struct Field<'a> {
    pub(super) from: &'a str,
    pub(super) column: &'a Column,
    pub(super) reader: &'a Reader,
    pub(super) way: Way,
}

/// The record of a row, of which `value` has the values.
pub(super) fn record<'a>(
    fields: &[Field<'_>],
    mut value: impl FnMut(usize) -> Value<'a>,
) -> Vec<u8> {
    let mut object = Map::new();
    for (at, field) in fields.iter().enumerate() {
        object.insert(field.from.to_owned(), field.way.shown(value(at)));
    }
    Json::Object(object).to_string().into_bytes()
}

/// A record that was read back, and perhaps mended by a person.
pub(super) struct Record(Map<String, Json>);

impl Record {
    /// Reads it.
    ///
    /// # Errors
    /// `Decode` if it is no JSON object.
    pub(super) fn of(bytes: &[u8]) -> Result<Self> {
        match serde_json::from_slice(bytes) {
            Ok(Json::Object(object)) => Ok(Self(object)),
            _ => Err(Error::new(ErrorKind::Decode, "the record is no JSON object")
                .with_sqlstate(SqlState::BAD_COPY_FORMAT)
                .with_hint("write one JSON object on each line")),
        }
    }

    /// Appends the packed value of a field; says `false` where it is NULL.
    ///
    /// # Errors
    /// `Decode` or `Encode` with a SQLSTATE if it is no value of its column.
    pub(super) fn pack(&self, field: &Field<'_>, out: &mut Vec<u8>) -> Result<bool> {
        match self.0.get(field.from) {
            None | Some(Json::Null) => Ok(false),
            Some(Json::String(text)) => field.way.read(text, field.reader, out),
            // Whoever mends a record may write a number as one.
            Some(other) => field.way.read(&other.to_string(), field.reader, out),
        }
    }
}
