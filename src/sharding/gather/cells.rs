//! Cells that outlive their row.

use crate::backend::RowRef;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use crate::sqlstate::SqlState;

/// A value that owns what it is.
#[derive(Clone)]
pub(super) enum OwnCell {
    Null,
    Packed(ColumnType, Vec<u8>),
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl OwnCell {
    pub(super) fn of(cell: CellRef<'_>) -> Self {
        match cell {
            CellRef::Null => Self::Null,
            CellRef::Packed(column_type, bytes) => {
                Self::Packed(column_type.clone(), bytes.to_vec())
            }
            CellRef::Integer(number) => Self::Integer(number),
            CellRef::Real(number) => Self::Real(number),
            CellRef::Text(text) => Self::Text(text.to_owned()),
            CellRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }

    /// The cells of a row.
    pub(super) fn row(row: &dyn RowRef) -> Result<Vec<Self>> {
        (0..row.len()).map(|index| row.cell(index).map(Self::of)).collect()
    }

    pub(super) fn cell(&self) -> CellRef<'_> {
        match self {
            Self::Null => CellRef::Null,
            Self::Packed(column_type, bytes) => CellRef::Packed(column_type, bytes),
            Self::Integer(number) => CellRef::Integer(*number),
            Self::Real(number) => CellRef::Real(*number),
            Self::Text(text) => CellRef::Text(text),
            Self::Blob(bytes) => CellRef::Blob(bytes),
        }
    }

    pub(super) fn of_count(count: i64) -> Self {
        Self::Packed(ColumnType::Int8, count.to_be_bytes().to_vec())
    }

    pub(super) fn of_real(number: f64) -> Self {
        Self::Packed(ColumnType::Float8, number.to_be_bytes().to_vec())
    }

    /// The sum of two values, NULL being nothing.
    ///
    /// # Errors
    /// `Database` with 22003 if it is outside the range of its type; `Unsupported` if it is none of
    /// a type that has sums.
    pub(super) fn plus(self, other: &Self) -> Result<Self> {
        use ColumnType::{Float8, Int8};
        Ok(match (self, other) {
            (sum, Self::Null) => sum,
            (Self::Null, other) => other.clone(),
            (Self::Integer(one), Self::Integer(other)) => Self::Integer(added(one, *other)?),
            (Self::Real(one), Self::Real(other)) => Self::Real(one + other),
            (Self::Integer(one), Self::Real(other)) => Self::Real(one as f64 + other),
            (Self::Real(one), Self::Integer(other)) => Self::Real(one + *other as f64),
            (Self::Packed(Int8, one), Self::Packed(Int8, other)) => {
                Self::of_count(added(whole(&one)?, whole(other)?)?)
            }
            (Self::Packed(Float8, one), Self::Packed(Float8, other)) => Self::of_real(
                f64::from_bits(whole(&one)? as u64) + f64::from_bits(whole(other)? as u64),
            ),
            (one, other) => decimal_sum(&one, other)?,
        })
    }

    /// A number as a `f64`; `None` for NULL.
    pub(super) fn real(&self) -> Result<Option<f64>> {
        Ok(match self {
            Self::Null => None,
            Self::Integer(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Packed(ColumnType::Int8, bytes) => Some(whole(bytes)? as f64),
            Self::Packed(ColumnType::Float8, bytes) => Some(f64::from_bits(whole(bytes)? as u64)),
            _ => return Err(no_sum()),
        })
    }
}

fn whole(bytes: &[u8]) -> Result<i64> {
    let bytes = bytes.try_into();
    bytes.map(i64::from_be_bytes).map_err(|_| Error::new(ErrorKind::Decode, "a damaged value"))
}

fn added(one: i64, other: i64) -> Result<i64> {
    one.checked_add(other).ok_or_else(out_of_range)
}

fn out_of_range() -> Error {
    let error = Error::new(ErrorKind::Database, "the sum over all shards is out of range");
    match SqlState::parse("22003") {
        Some(state) => error.with_sqlstate(state),
        None => error,
    }
}

fn no_sum() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the sums of several shards are of a type without a sum here",
    )
    .with_hint("sum up whole numbers or floating point numbers, or ask each shard")
}

#[cfg(feature = "rust_decimal")]
fn decimal_sum(one: &OwnCell, other: &OwnCell) -> Result<OwnCell> {
    use crate::mapping::cell::Cell;
    use rust_decimal::Decimal;
    let is_decimal = |cell: &OwnCell| {
        matches!(cell, OwnCell::Text(_) | OwnCell::Integer(_) | OwnCell::Real(_))
            || matches!(cell, OwnCell::Packed(ColumnType::Numeric(_), _))
    };
    if !is_decimal(one) || !is_decimal(other) {
        return Err(no_sum());
    }
    let (one, other) =
        (<Decimal as Cell>::unpack(one.cell())?, <Decimal as Cell>::unpack(other.cell())?);
    let sum = one.checked_add(other).ok_or_else(out_of_range)?;
    let mut packed = Vec::new();
    Cell::pack(&sum, &ColumnType::Numeric(None), &mut packed)?;
    Ok(OwnCell::Packed(ColumnType::Numeric(None), packed))
}

#[cfg(not(feature = "rust_decimal"))]
fn decimal_sum(_: &OwnCell, _: &OwnCell) -> Result<OwnCell> {
    Err(no_sum())
}
