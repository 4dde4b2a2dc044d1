//! `i16`, `i32` and `i64`.

use super::fault::{exactly, inexact, not_packable, not_readable, out_of_range, unreadable};
use super::numeric::{self, Scaled};
use super::{Cell, CellRef, sized};
use crate::error::Result;
use crate::mapping::binary::BinaryType;
use crate::mapping::column_type::ColumnType;
use crate::sqlstate::SqlState;

macro_rules! integer {
    ($rust:ty, $column:ident) => {
        impl Cell for $rust {
            fn column_type() -> ColumnType {
                ColumnType::$column
            }

            fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
                if *column_type == ColumnType::$column {
                    out.extend_from_slice(&self.to_be_bytes());
                    return Ok(true);
                }
                pack((*self).into(), column_type, stringify!($rust), out)
            }

            #[inline]
            fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
                if let ColumnType::$column = column_type {
                    sized::fixed(self.to_be_bytes(), out);
                    return Ok(true);
                }
                sized::packed(self, column_type, out)
            }

            #[inline]
            fn unpack(cell: CellRef<'_>) -> Result<Self> {
                if let CellRef::Packed(ColumnType::$column, bytes) = cell
                    && let Some((bytes, [])) = bytes.split_first_chunk()
                {
                    return Ok(Self::from_be_bytes(*bytes));
                }
                let value = unpack(cell, stringify!($rust))?;
                Self::try_from(value).map_err(|_| {
                    unreadable(
                        concat!("a number is outside the range of ", stringify!($rust)),
                        SqlState::NUMERIC_OUT_OF_RANGE,
                    )
                })
            }
        }
    };
}

integer!(i16, Int2);
integer!(i32, Int4);
integer!(i64, Int8);

fn pack(value: i64, column_type: &ColumnType, rust: &str, out: &mut Vec<u8>) -> Result<bool> {
    let outside = |_| out_of_range(column_type);
    match column_type {
        ColumnType::Int2 => {
            out.extend_from_slice(&i16::try_from(value).map_err(outside)?.to_be_bytes());
        }
        ColumnType::Int4 => {
            out.extend_from_slice(&i32::try_from(value).map_err(outside)?.to_be_bytes());
        }
        ColumnType::Int8 => out.extend_from_slice(&value.to_be_bytes()),
        ColumnType::Numeric(limits) => numeric::pack(Scaled::from(value), *limits, out)?,
        // Compared in 128 bits, in which both sides are exact.
        ColumnType::Float8 if (value as f64) as i128 == i128::from(value) => {
            out.extend_from_slice(&(value as f64).to_be_bytes());
        }
        ColumnType::Float4 if (value as f32) as i128 == i128::from(value) => {
            out.extend_from_slice(&(value as f32).to_be_bytes());
        }
        ColumnType::Float4 | ColumnType::Float8 => return Err(inexact(rust, column_type)),
        other => return Err(not_packable(rust, other)),
    }
    Ok(true)
}

#[inline]
fn unpack(cell: CellRef<'_>, rust: &str) -> Result<i64> {
    Ok(match cell {
        CellRef::Packed(ty @ ColumnType::Int8, bytes) => i64::from_be_bytes(exactly(ty, bytes)?),
        CellRef::Packed(ty @ ColumnType::Int4, bytes) => {
            i32::from_be_bytes(exactly(ty, bytes)?).into()
        }
        CellRef::Packed(ty @ ColumnType::Int2, bytes) => {
            i16::from_be_bytes(exactly(ty, bytes)?).into()
        }
        CellRef::Integer(value) => value,
        other => return unpack_whole(other, rust),
    })
}

/// Whole numbers of types that also have others.
fn unpack_whole(cell: CellRef<'_>, rust: &str) -> Result<i64> {
    let whole = match cell {
        CellRef::Packed(ColumnType::Numeric(_), bytes) => numeric::unpack(bytes)?.whole(),
        CellRef::Text(text) => numeric::parse(text)?.whole(),
        CellRef::Packed(ty @ ColumnType::Float8, bytes) => {
            whole_float(f64::from_be_bytes(exactly(ty, bytes)?))
        }
        CellRef::Packed(ty @ ColumnType::Float4, bytes) => {
            whole_float(f32::from_be_bytes(exactly(ty, bytes)?).into())
        }
        CellRef::Real(value) => whole_float(value),
        CellRef::Packed(ty @ ColumnType::Binary(kind), bytes)
            if matches!(**kind, BinaryType::Oid(_)) =>
        {
            Some(u32::from_be_bytes(exactly(ty, bytes)?).into())
        }
        other => return Err(not_readable(rust, other)),
    };
    whole.ok_or_else(|| {
        unreadable(
            format!("a number is not whole, or outside the range of {rust}"),
            SqlState::NUMERIC_OUT_OF_RANGE,
        )
    })
}

fn whole_float(value: f64) -> Option<i64> {
    // NaN has no fraction that equals zero, and infinity is outside the range below.
    let exact = value.fract() == 0.0;
    exact.then(|| i64::try_from(value as i128).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed<T: Cell>(value: &T, column_type: &ColumnType) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        value.pack(column_type, &mut out)?;
        Ok(out)
    }

    proptest! {
        #[test]
        fn a_number_comes_back_from_every_type_that_takes_it(value: i64) {
            for ty in [
                ColumnType::Int2, ColumnType::Int4, ColumnType::Int8, ColumnType::Numeric(None),
                ColumnType::Numeric(Some((25, 4))), ColumnType::Float4, ColumnType::Float8,
            ] {
                if let Ok(bytes) = packed(&value, &ty) {
                    prop_assert_eq!(i64::unpack(CellRef::Packed(&ty, &bytes)).unwrap(), value);
                }
            }
        }
    }

    #[test]
    fn a_number_outside_the_column_is_refused_with_22003() {
        let error = packed(&40_000_i32, &ColumnType::Int2).unwrap_err();
        assert_eq!(error.sqlstate(), Some(SqlState::NUMERIC_OUT_OF_RANGE));
        assert!(!error.to_string().contains("40000"), "no value in a message");
        assert!(packed(&(i64::from(i32::MAX) + 1), &ColumnType::Int4).is_err());
        assert!(packed(&i64::MAX, &ColumnType::Float8).is_err(), "2^63-1 is no double");
        assert!(packed(&16_777_217_i32, &ColumnType::Float4).is_err());
    }

    #[test]
    fn a_number_is_not_written_as_a_text() {
        let error = packed(&1_i32, &ColumnType::Text).unwrap_err();
        assert_eq!(error.message(), "i32 cannot be written as text");
        assert!(!error.is_data(), "the declaration is at fault, not the row");
    }

    #[test]
    fn reading_checks_the_range_of_the_field() {
        assert_eq!(i32::unpack(CellRef::Integer(7)).unwrap(), 7);
        assert!(i32::unpack(CellRef::Integer(1 << 31)).is_err());
        assert!(i16::unpack(CellRef::Packed(&ColumnType::Int4, &[0, 1, 0, 0])).is_err());
        assert!(i64::unpack(CellRef::Packed(&ColumnType::Int4, &[0, 1])).is_err());
        assert!(i64::unpack(CellRef::Real(1.5)).is_err());
        assert!(i64::unpack(CellRef::Real(f64::NAN)).is_err());
        assert_eq!(i64::unpack(CellRef::Text("12.00")).unwrap(), 12);
        let null = i64::unpack(CellRef::Null).unwrap_err();
        assert_eq!(null.message(), "NULL in a field that is not an Option");
    }
}
