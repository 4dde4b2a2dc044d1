//! The value by which a row is placed.

use super::hash::xxh64;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text;
use crate::query::{ToValue, Value};
use std::fmt;

/// The days from 1970-01-01 to 2000-01-01, from which packed dates count.
const UNIX_EPOCH_DAYS: i64 = 10_957;

/// The value of a shard key.
///
/// A value is the same key whatever the width of its column: an `integer`, a `bigint` and an SQLite
/// number of one value are on one shard. Keys of one kind are ordered: numbers and dates as such,
/// texts and uuids by their bytes.
///
/// `Debug` shows its kind, never the value.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardKey(Inner);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Inner {
    Int(i64),
    Text(String),
    Uuid([u8; 16]),
    /// Days since 1970-01-01.
    Date(i64),
}

/// What kind of values the keys of a map are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// Whole numbers.
    Int,
    /// Texts, and the labels of enums.
    Text,
    /// UUIDs.
    Uuid,
    /// Dates.
    Date,
}

impl ShardKey {
    /// The key that a value of Rust is.
    ///
    /// ```
    /// use rowmill::ShardKey;
    /// assert_eq!(ShardKey::of(7_i32)?, ShardKey::of(7_i64)?);
    /// assert_eq!(ShardKey::of(42_i64)?.hash(), 0xa2c3_9622_3f8b_dbdf);
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` if it is NULL, or of a type that no shard key can have.
    #[expect(clippy::needless_pass_by_value, reason = "values are given, not lent")]
    pub fn of(value: impl ToValue) -> Result<Self> {
        Self::of_value(&value.to_value()?)
    }

    pub(crate) fn of_value(value: &Value) -> Result<Self> {
        let bytes = value.bytes().ok_or_else(null)?;
        Self::of_packed(value.column_type(), bytes)
    }

    /// The key that a packed value of `column_type` is.
    pub(crate) fn of_packed(column_type: &ColumnType, bytes: &[u8]) -> Result<Self> {
        let damaged = || Error::new(ErrorKind::Decode, "a damaged value of a shard key");
        let inner = match column_type {
            ColumnType::Int2 => Inner::Int(i16::from_be_bytes(sized(bytes)?).into()),
            ColumnType::Int4 => Inner::Int(i32::from_be_bytes(sized(bytes)?).into()),
            ColumnType::Int8 => Inner::Int(i64::from_be_bytes(sized(bytes)?)),
            ColumnType::Uuid => Inner::Uuid(sized(bytes)?),
            ColumnType::Date => match i32::from_be_bytes(sized(bytes)?) {
                i32::MIN | i32::MAX => {
                    return Err(Error::new(ErrorKind::Config, "an infinite date is no shard key"));
                }
                days => Inner::Date(i64::from(days) + UNIX_EPOCH_DAYS),
            },
            ColumnType::Text | ColumnType::Varchar(_) | ColumnType::Enum(_) => {
                Inner::Text(std::str::from_utf8(bytes).map_err(|_| damaged())?.to_owned())
            }
            // The blanks at its end are no part of such a value.
            ColumnType::Char(_) => {
                let text = std::str::from_utf8(bytes).map_err(|_| damaged())?;
                Inner::Text(text.trim_end_matches(' ').to_owned())
            }
            other => return Err(no_key(other)),
        };
        Ok(Self(inner))
    }

    /// Reads what [`text`](Self::text) writes.
    pub(super) fn parse(kind: KeyKind, written: &str) -> Result<Self> {
        let column_type = kind.column_type();
        let mut packed = Vec::new();
        text::input(&column_type, written, &mut packed)?;
        Self::of_packed(&column_type, &packed)
    }

    /// The value as PostgreSQL prints it, for a map.
    pub(super) fn text(&self) -> Result<String> {
        let packed = match &self.0 {
            Inner::Int(number) => number.to_be_bytes().to_vec(),
            Inner::Text(text) => return Ok(text.clone()),
            Inner::Uuid(bytes) => bytes.to_vec(),
            Inner::Date(days) => ((days - UNIX_EPOCH_DAYS) as i32).to_be_bytes().to_vec(),
        };
        let mut shown = String::new();
        text::output(&self.kind().column_type(), &packed, &mut shown)?;
        Ok(shown)
    }

    /// Of what kind it is.
    pub fn kind(&self) -> KeyKind {
        match self.0 {
            Inner::Int(_) => KeyKind::Int,
            Inner::Text(_) => KeyKind::Text,
            Inner::Uuid(_) => KeyKind::Uuid,
            Inner::Date(_) => KeyKind::Date,
        }
    }

    /// The hash that its bucket is told by: XXH64 with seed 0 of eight bytes, big-endian, for whole
    /// numbers and for dates (days since 1970-01-01), of the UTF-8 bytes of a text, of the sixteen
    /// bytes of a UUID.
    pub fn hash(&self) -> u64 {
        match &self.0 {
            Inner::Int(number) | Inner::Date(number) => xxh64(&number.to_be_bytes()),
            Inner::Text(text) => xxh64(text.as_bytes()),
            Inner::Uuid(bytes) => xxh64(bytes),
        }
    }
}

impl KeyKind {
    /// The kind of keys that a column of this type has.
    ///
    /// # Errors
    /// `Config` if no shard key can have it.
    pub fn of(column_type: &ColumnType) -> Result<Self> {
        match column_type {
            ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 => Ok(Self::Int),
            ColumnType::Text
            | ColumnType::Varchar(_)
            | ColumnType::Char(_)
            | ColumnType::Enum(_) => Ok(Self::Text),
            ColumnType::Uuid => Ok(Self::Uuid),
            ColumnType::Date => Ok(Self::Date),
            other => Err(no_key(other)),
        }
    }

    fn column_type(self) -> ColumnType {
        match self {
            Self::Int => ColumnType::Int8,
            Self::Text => ColumnType::Text,
            Self::Uuid => ColumnType::Uuid,
            Self::Date => ColumnType::Date,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::Date => "date",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Int, Self::Text, Self::Uuid, Self::Date].into_iter().find(|kind| kind.name() == name)
    }
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| Error::new(ErrorKind::Decode, "a damaged value of a shard key"))
}

fn null() -> Error {
    Error::new(ErrorKind::Config, "a shard key is NULL: such a row has no shard")
}

fn no_key(column_type: &ColumnType) -> Error {
    Error::new(ErrorKind::Config, format!("{column_type} is no type of a shard key"))
        .with_hint("use a whole number, a text, a uuid or a date")
}

impl fmt::Debug for ShardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShardKey({}, ..)", self.kind().name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in `docs/sharding.md`, computed by the reference implementation.
    #[test]
    fn keys_have_the_hashes_that_are_published() {
        for (kind, text, hash) in [
            (KeyKind::Int, "0", 0x34c9_6acd_cadb_1bbb),
            (KeyKind::Int, "1", 0x9f1f_fc79_3b8a_47da),
            (KeyKind::Int, "-1", 0x85d1_36ad_b773_c6c9),
            (KeyKind::Int, "42", 0xa2c3_9622_3f8b_dbdf),
            (KeyKind::Int, "9223372036854775807", 0x043d_e1bb_af34_1994),
            (KeyKind::Int, "-9223372036854775808", 0xa729_9a58_d03a_1d0c),
            (KeyKind::Text, "", 0xef46_db37_51d8_e999),
            (KeyKind::Text, "a", 0xd24e_c4f1_a98c_6e5b),
            (KeyKind::Text, "Zürich", 0x85f1_debc_bb1a_8279),
            (KeyKind::Uuid, "00000000-0000-0000-0000-000000000000", 0xaf09_f715_1624_7c32),
            (KeyKind::Uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", 0x2be0_e46a_4e11_f685),
            (KeyKind::Date, "1969-12-31", 0x85d1_36ad_b773_c6c9),
            (KeyKind::Date, "1970-01-01", 0x34c9_6acd_cadb_1bbb),
            (KeyKind::Date, "2026-03-01", 0x8a6a_8272_d161_bd39),
        ] {
            let key = ShardKey::parse(kind, text).unwrap();
            assert_eq!(key.hash(), hash, "{kind:?} {text}");
            assert_eq!(key.text().unwrap(), text);
        }
    }

    #[test]
    fn a_value_is_the_same_key_in_columns_of_every_width() {
        let key = ShardKey::of(-7_i64).unwrap();
        assert_eq!(ShardKey::of(-7_i32).unwrap(), key);
        assert_eq!(ShardKey::of(-7_i16).unwrap(), key);
        let text = ShardKey::of("CH").unwrap();
        assert_eq!(ShardKey::of_packed(&ColumnType::Char(4), b"CH  ").unwrap(), text);
        assert_eq!(ShardKey::of_packed(&ColumnType::Varchar(Some(4)), b"CH").unwrap(), text);
    }

    #[test]
    fn null_and_types_without_an_exact_value_are_no_keys() {
        assert!(ShardKey::of(None::<i64>).unwrap_err().to_string().contains("NULL"));
        let infinite = i32::MAX.to_be_bytes();
        let error = ShardKey::of_packed(&ColumnType::Date, &infinite).unwrap_err().to_string();
        assert!(error.contains("an infinite date is no shard key"), "{error}");
        let error = ShardKey::of(0.5_f64).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("double precision is no type"), "{error}");
    }
}
