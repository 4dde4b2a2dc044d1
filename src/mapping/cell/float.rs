//! `f32` and `f64`.

use super::fault::{exactly, inexact, malformed, not_packable, not_readable, unreadable};
use super::{Cell, CellRef, sized};
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::sqlstate::SqlState;

impl Cell for f64 {
    fn column_type() -> ColumnType {
        ColumnType::Float8
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match column_type {
            ColumnType::Float8 => out.extend_from_slice(&self.to_be_bytes()),
            ColumnType::Float4 => match narrowed(*self) {
                Some(narrow) => out.extend_from_slice(&narrow.to_be_bytes()),
                None => return Err(inexact("an f64", column_type).with_hint("use f32")),
            },
            other => return Err(not_packable("f64", other)),
        }
        Ok(true)
    }

    #[inline]
    fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        if let ColumnType::Float8 = column_type {
            sized::fixed(self.to_be_bytes(), out);
            return Ok(true);
        }
        sized::packed(self, column_type, out)
    }

    #[inline]
    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        Ok(match cell {
            CellRef::Packed(ty @ ColumnType::Float8, bytes) => {
                f64::from_be_bytes(exactly(ty, bytes)?)
            }
            CellRef::Packed(ty @ ColumnType::Float4, bytes) => {
                f32::from_be_bytes(exactly(ty, bytes)?).into()
            }
            CellRef::Real(value) => value,
            CellRef::Text("NaN") => f64::NAN,
            CellRef::Text("Infinity") => f64::INFINITY,
            CellRef::Text("-Infinity") => f64::NEG_INFINITY,
            CellRef::Text(_) => return Err(malformed("floating point number")),
            CellRef::Integer(value) => whole(value)?,
            CellRef::Packed(ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8, _) => {
                whole(i64::unpack(cell)?)?
            }
            other => return Err(not_readable("f64", other)),
        })
    }
}

impl Cell for f32 {
    fn column_type() -> ColumnType {
        ColumnType::Float4
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match column_type {
            ColumnType::Float4 => out.extend_from_slice(&self.to_be_bytes()),
            ColumnType::Float8 => out.extend_from_slice(&f64::from(*self).to_be_bytes()),
            other => return Err(not_packable("f32", other)),
        }
        Ok(true)
    }

    #[inline]
    fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        if let ColumnType::Float4 = column_type {
            sized::fixed(self.to_be_bytes(), out);
            return Ok(true);
        }
        sized::packed(self, column_type, out)
    }

    #[inline]
    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match cell {
            CellRef::Packed(ty @ ColumnType::Float4, bytes) => {
                Ok(f32::from_be_bytes(exactly(ty, bytes)?))
            }
            other => narrowed(f64::unpack(other)?).ok_or_else(|| inexact_read("f32")),
        }
    }
}

/// The same number in 32 bits, if there is one.
fn narrowed(value: f64) -> Option<f32> {
    let narrow = value as f32;
    (value.is_nan() || f64::from(narrow).to_bits() == value.to_bits()).then_some(narrow)
}

/// The same number as a float, if there is one.
fn whole(value: i64) -> Result<f64> {
    let float = value as f64;
    if float as i128 == i128::from(value) { Ok(float) } else { Err(inexact_read("f64")) }
}

#[cold]
fn inexact_read(rust: &str) -> crate::error::Error {
    unreadable(
        format!("a number that {rust} does not hold exactly"),
        SqlState::NUMERIC_OUT_OF_RANGE,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed<T: Cell>(value: &T, column_type: &ColumnType) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        value.pack(column_type, &mut out)?;
        Ok(out)
    }

    #[test]
    fn every_bit_of_a_float_comes_back() {
        for value in [0.1, -0.0, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NAN] {
            let bytes = packed(&value, &ColumnType::Float8).unwrap();
            let back = f64::unpack(CellRef::Packed(&ColumnType::Float8, &bytes)).unwrap();
            assert_eq!(back.to_bits(), value.to_bits());
        }
    }

    #[test]
    fn a_float_is_never_rounded_on_the_way() {
        assert!(packed(&0.1_f64, &ColumnType::Float4).is_err());
        assert!(packed(&0.5_f64, &ColumnType::Float4).is_ok());
        assert!(f32::unpack(CellRef::Real(0.1)).is_err());
        assert_eq!(
            f32::unpack(CellRef::Real(f64::from(0.1_f32))).unwrap().to_bits(),
            0.1_f32.to_bits()
        );
        assert!(f64::unpack(CellRef::Integer((1 << 53) + 1)).is_err());
    }

    #[test]
    fn the_texts_that_postgresql_prints_are_read() {
        assert!(f64::unpack(CellRef::Text("NaN")).unwrap().is_nan());
        assert!(f64::unpack(CellRef::Text("-Infinity")).unwrap() < f64::MIN);
        assert!(f64::unpack(CellRef::Text("1.5")).is_err());
    }
}
