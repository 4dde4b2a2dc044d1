//! A value of a column of the file as one of the target.

use super::values::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::nul::NulPolicy;
use crate::mapping::text::{self, Input};
use crate::sqlstate::SqlState;
use serde_json::Value as Json;
use std::borrow::Cow;

/// What becomes of the texts of a column.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) trim: bool,
    pub(super) nul: NulPolicy,
    pub(super) nulls: Vec<String>,
}

/// Reads every text as it is.
pub(super) static AS_IT_IS: Reader =
    Reader { trim: false, nul: NulPolicy::Reject, nulls: Vec::new() };

impl Reader {
    /// What a text is for the target; `None` for NULL.
    pub(super) fn text<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        let text = if self.trim { text.trim() } else { text };
        if self.nulls.iter().any(|null| null == text) {
            return None;
        }
        Some(match self.nul {
            NulPolicy::Reject => Cow::Borrowed(text),
            policy => policy.apply(text),
        })
    }
}

/// How the values of a column of the file become those of a column of the target.
#[derive(Clone, Debug)]
pub(super) struct Way {
    from: ColumnType,
    input: Input,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// The packed value is that of the target.
    AsItIs,
    /// A whole number of one size to one of another.
    Whole,
    /// 32 bits to 64.
    Widened,
    /// The bytes are a text.
    Text,
    /// As JSON, which the target reads.
    AsJson,
    /// As the text that PostgreSQL prints, which the target reads.
    Printed,
}

impl Way {
    /// The way from a type of the file to one of the target.
    pub(super) fn of(from: &ColumnType, to: &ColumnType) -> Self {
        Self { from: from.clone(), input: Input::of(to), how: how(from, to) }
    }

    /// Appends the packed value; says `false` where it is NULL.
    ///
    /// # Errors
    /// `Decode` or `Encode` with a SQLSTATE if it is no value of the target's type.
    pub(super) fn pack(
        &self,
        value: Value<'_>,
        reader: &Reader,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let packed = match value {
            Value::Null => return Ok(false),
            Value::Fault(fault, _) => return Err(fault.error()),
            Value::Packed(packed) => packed,
        };
        match self.how {
            How::AsItIs => out.extend_from_slice(packed),
            How::Whole => self.whole(packed, out)?,
            How::Widened => {
                let bits = packed.try_into().map(f32::from_be_bytes).map_err(|_| misfit())?;
                out.extend_from_slice(&f64::from(bits).to_be_bytes());
            }
            How::Text => {
                let text = std::str::from_utf8(packed).map_err(|_| not_utf8())?;
                let Some(text) = reader.text(text) else { return Ok(false) };
                self.input.read(&text, out)?;
            }
            How::AsJson => {
                let mut shown = String::new();
                text::output_json(&self.from, packed, &mut shown)?;
                self.input.read(&shown, out)?;
            }
            How::Printed => {
                let mut shown = String::new();
                text::output(&self.from, packed, &mut shown)?;
                self.input.read(&shown, out)?;
            }
        }
        Ok(true)
    }

    fn whole(&self, packed: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let number = match *packed {
            [a, b] => i64::from(i16::from_be_bytes([a, b])),
            [a, b, c, d] => i64::from(i32::from_be_bytes([a, b, c, d])),
            _ => packed.try_into().map(i64::from_be_bytes).map_err(|_| misfit())?,
        };
        let outside = |name: &str| {
            Error::new(ErrorKind::Encode, format!("outside the range of {name}"))
                .with_sqlstate(SqlState::NUMERIC_OUT_OF_RANGE)
        };
        match self.input.column_type() {
            ColumnType::Int2 => {
                let small = i16::try_from(number).map_err(|_| outside("smallint"))?;
                out.extend_from_slice(&small.to_be_bytes());
            }
            ColumnType::Int4 => {
                let small = i32::try_from(number).map_err(|_| outside("integer"))?;
                out.extend_from_slice(&small.to_be_bytes());
            }
            _ => out.extend_from_slice(&number.to_be_bytes()),
        }
        Ok(())
    }

    /// A value for the reject store, from which [`Way::read`] makes that of the target.
    pub(super) fn shown(&self, value: Value<'_>) -> Json {
        let packed = match value {
            Value::Null => return Json::Null,
            Value::Fault(_, shown) => return shown.into(),
            Value::Packed(packed) => packed,
        };
        let mut shown = String::new();
        let printed = match self.how {
            How::Text => {
                shown = String::from_utf8_lossy(packed).into_owned();
                Ok(())
            }
            How::AsJson => text::output_json(&self.from, packed, &mut shown),
            _ => text::output(&self.from, packed, &mut shown),
        };
        match printed {
            Ok(()) => shown.into(),
            Err(_) => String::from_utf8_lossy(packed).into_owned().into(),
        }
    }

    /// Appends the packed value of a text that the reject store has.
    ///
    /// # Errors
    /// As [`Way::pack`].
    pub(super) fn read(&self, shown: &str, reader: &Reader, out: &mut Vec<u8>) -> Result<bool> {
        let text = match self.how {
            How::Text => reader.text(shown),
            _ => Some(Cow::Borrowed(shown)),
        };
        let Some(text) = text else { return Ok(false) };
        self.input.read(&text, out).map(|()| true)
    }
}

fn how(from: &ColumnType, to: &ColumnType) -> How {
    use ColumnType as T;
    let is_text = |ty: &T| matches!(ty, T::Text | T::Json);
    let takes_text = matches!(to, T::Text | T::Varchar(_) | T::Char(_) | T::Enum(_) | T::Other(_));
    match (from, to) {
        // What these are may depend on their limits, or has to be looked at.
        (from, _) if is_text(from) => How::Text,
        // Some writers say of no text that it is one.
        (T::Bytea, T::Json | T::Jsonb) => How::Text,
        (T::Bytea, _) if takes_text => How::Text,
        (T::Numeric(_), T::Numeric(None)) => How::AsItIs,
        (T::Numeric(from), T::Numeric(to)) if from == to => How::AsItIs,
        (T::Numeric(_), T::Numeric(_)) => How::Printed,
        (T::Int2 | T::Int4 | T::Int8, T::Int2 | T::Int4 | T::Int8) => How::Whole,
        (T::Float4, T::Float8) => How::Widened,
        (T::Array(_), T::Json | T::Jsonb) => How::AsJson,
        (from, to) if from == to => How::AsItIs,
        _ => How::Printed,
    }
}

#[cold]
fn misfit() -> Error {
    Error::new(ErrorKind::Internal, "a packed value has another length than its type")
}

#[cold]
fn not_utf8() -> Error {
    Error::new(ErrorKind::Decode, "invalid byte sequence for encoding \"UTF8\"")
        .with_sqlstate(SqlState::CHARACTER_NOT_IN_REPERTOIRE)
        .with_hint("a column of bytes becomes bytea, or text where it is UTF-8")
}
