//! `Moment`: a date or a timestamp that can be infinite.

use super::super::array::Element;
use super::super::fault::not_packable;
use super::super::{Cell, CellRef};
use crate::error::Result;
use crate::mapping::column_type::ColumnType;

/// The dates and timestamps of other crates.
pub trait Temporal: Cell {}

/// A date or a timestamp, or one of PostgreSQL's `-infinity` and `infinity`, which are earlier and
/// later than all others.
///
/// A column that is read as a plain date or timestamp (of `chrono` or `jiff`) gives an error for
/// what the type does not have: an infinity, and a day beyond its range, are never changed to
/// another day. The error names the column; its kind is `Decode`, its SQLSTATE 22008. Where
/// infinities are expected, the field is a `Moment`; where days are that no Rust type has (up to
/// the year 5874897), read the column as a text: `select day::text`.
///
/// ```
/// # #[cfg(feature = "jiff")] {
/// use jiff::civil::{Date, date};
/// use rowmill::{Cell, CellRef, Moment};
/// let until = Moment::<Date>::unpack(CellRef::Text("infinity"))?;
/// assert_eq!(until, Moment::Infinity);
/// assert!(Moment::from(date(2026, 8, 20)) < until);
/// # }
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment<T> {
    /// Earlier than all others.
    NegativeInfinity,
    /// A date or a timestamp.
    Finite(T),
    /// Later than all others.
    Infinity,
}

impl<T> Moment<T> {
    /// The date or the timestamp, if it is one.
    pub fn finite(self) -> Option<T> {
        match self {
            Self::Finite(value) => Some(value),
            Self::NegativeInfinity | Self::Infinity => None,
        }
    }
}

impl<T> From<T> for Moment<T> {
    fn from(value: T) -> Self {
        Self::Finite(value)
    }
}

impl<T: Temporal + Element> Element for Moment<T> {}

impl<T: Temporal> Cell for Moment<T> {
    fn column_type() -> ColumnType {
        T::column_type()
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        let (days, microseconds) = match self {
            Self::Finite(value) => return value.pack(column_type, out),
            Self::NegativeInfinity => (i32::MIN, i64::MIN),
            Self::Infinity => (i32::MAX, i64::MAX),
        };
        // A timestamp without a zone is none with one, infinite or not.
        match column_type {
            ColumnType::Date if T::column_type() == ColumnType::Date => {
                out.extend_from_slice(&days.to_be_bytes());
            }
            ColumnType::Timestamp | ColumnType::TimestampTz if T::column_type() == *column_type => {
                out.extend_from_slice(&microseconds.to_be_bytes());
            }
            other => return Err(not_packable("Moment", other)),
        }
        Ok(true)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        let (least, most) = match cell {
            CellRef::Text(text) => (text == "-infinity", text == "infinity"),
            CellRef::Packed(ColumnType::Date, bytes) => {
                (*bytes == i32::MIN.to_be_bytes(), *bytes == i32::MAX.to_be_bytes())
            }
            CellRef::Packed(ColumnType::Timestamp | ColumnType::TimestampTz, bytes) => {
                (*bytes == i64::MIN.to_be_bytes(), *bytes == i64::MAX.to_be_bytes())
            }
            _ => (false, false),
        };
        match (least, most) {
            (true, _) => Ok(Self::NegativeInfinity),
            (_, true) => Ok(Self::Infinity),
            _ => T::unpack(cell).map(Self::Finite),
        }
    }
}
