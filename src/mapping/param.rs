//! A parameter of a statement.

use super::column_type::ColumnType;
use super::nul;
use crate::error::Result;
use std::borrow::Cow;

/// A value for a placeholder (`$1`, `$2`, ...) of a statement.
///
/// `Debug` shows the kind of the value, never the value.
#[derive(Clone)]
#[non_exhaustive]
pub enum Param<'a> {
    /// NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number; the database checks that it fits its type.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A text, also for types whose values travel as text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A value packed for a type: what [`Cell::pack`](super::cell::Cell::pack) writes.
    Packed(&'a ColumnType, Cow<'a, [u8]>),
}

impl Param<'_> {
    /// Refuses a text with NUL, which no database is to get; see [`NulPolicy`](super::nul::NulPolicy).
    ///
    /// # Errors
    /// `Encode`.
    pub(crate) fn check_nul(&self) -> Result<()> {
        match self {
            Self::Text(text) if memchr::memchr(0, text.as_bytes()).is_some() => Err(nul::refused()),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool(..)",
            Self::Int(_) => "Int(..)",
            Self::Float(_) => "Float(..)",
            Self::Text(_) => "Text(..)",
            Self::Bytes(_) => "Bytes(..)",
            Self::Packed(..) => "Packed(..)",
        })
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Param<'_> {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for Param<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Param<'_> {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value.into())
    }
}

impl From<Vec<u8>> for Param<'_> {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value.into())
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
