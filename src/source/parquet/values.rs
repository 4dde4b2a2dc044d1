//! The packed values of one column of a batch.

use crate::error::{Error, ErrorKind};
use crate::sqlstate::SqlState;
use std::ops::Range;

/// Why a value of a file is none of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is outside of what that type can be.
    Range(&'static str),
    /// A text that is not UTF-8.
    Encoding,
    /// It has another length than its type.
    Length(&'static str),
}

impl Fault {
    /// The fault as an error. No message has the value in it.
    pub(super) fn error(self) -> Error {
        let (message, state) = match self {
            Self::Range(name) => {
                let is_time = name.starts_with("time") || name == "date";
                let state = match is_time {
                    true => SqlState::DATETIME_OVERFLOW,
                    false => SqlState::NUMERIC_OUT_OF_RANGE,
                };
                (format!("outside the range of {name}"), state)
            }
            Self::Encoding => (
                "invalid byte sequence for encoding \"UTF8\"".to_owned(),
                SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            ),
            Self::Length(name) => (format!("not as long as a {name} is"), SqlState::INVALID_TEXT),
        };
        Error::new(ErrorKind::Decode, message).with_sqlstate(state)
    }
}

/// A value of a row.
#[derive(Clone, Debug)]
enum Field {
    Null,
    Value(Range<usize>),
    /// What it is, in words for the reject store.
    Fault(Fault, String),
}

/// What a column has in a row.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// NULL.
    Null,
    /// A packed value.
    Packed(&'a [u8]),
    /// What is none.
    Fault(Fault, &'a str),
}

/// The packed values of one column, row by row.
#[derive(Default)]
pub(super) struct Values {
    bytes: Vec<u8>,
    fields: Vec<Field>,
}

impl Values {
    /// Adds NULL.
    pub(super) fn null(&mut self) {
        self.fields.push(Field::Null);
    }

    /// Adds what `pack` writes; what is none of its type is `shown` in words.
    pub(super) fn push(
        &mut self,
        pack: impl FnOnce(&mut Vec<u8>) -> Result<(), Fault>,
        shown: impl FnOnce() -> String,
    ) {
        let start = self.bytes.len();
        let field = match pack(&mut self.bytes) {
            Ok(()) => Field::Value(start..self.bytes.len()),
            Err(fault) => {
                self.bytes.truncate(start);
                Field::Fault(fault, shown())
            }
        };
        self.fields.push(field);
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// What row `index` has.
    pub(super) fn value(&self, index: usize) -> Value<'_> {
        match self.fields.get(index) {
            Some(Field::Value(range)) => Value::Packed(&self.bytes[range.clone()]),
            Some(Field::Fault(fault, shown)) => Value::Fault(*fault, shown),
            Some(Field::Null) | None => Value::Null,
        }
    }
}
