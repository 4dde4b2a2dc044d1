//! `rust_decimal::Decimal`: 28 digits and never a rounded one.

use super::array::Element;
use super::fault::{not_packable, not_readable};
use super::numeric::{self, Scaled, too_long};
use super::values::Numeric;
use super::{Cell, CellRef, sized};
use crate::error::{Error, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::numeric_small::{self, Small};
use ::rust_decimal::Decimal;

impl Element for Decimal {}

impl Cell for Decimal {
    fn column_type() -> ColumnType {
        ColumnType::Numeric(None)
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        let ColumnType::Numeric(limits) = column_type else {
            return Err(not_packable("Decimal", column_type));
        };
        numeric::pack(scaled(self), *limits, out)?;
        Ok(true)
    }

    #[inline]
    fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        if let ColumnType::Numeric(limits) = column_type
            && let Some(small) = small(self, *limits)
        {
            sized::first_of(small, out);
            return Ok(true);
        }
        sized::packed(self, column_type, out)
    }

    #[inline]
    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match cell {
            CellRef::Packed(ColumnType::Numeric(_), bytes) => match small_of(bytes) {
                Some(value) => Ok(value),
                None => exact(numeric::unpack(bytes)?),
            },
            CellRef::Text(text) => exact(numeric::parse(text)?),
            CellRef::Integer(value) => Ok(value.into()),
            CellRef::Packed(ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8, _) => {
                Ok(i64::unpack(cell)?.into())
            }
            other => Err(not_readable("Decimal", other)),
        }
    }
}

/// A number that is short and that the column takes as it is, packed.
#[inline]
fn small(value: &Decimal, limits: Option<(u16, i16)>) -> Option<Small> {
    let parts = value.unpack();
    let coefficient = u64::from(parts.mid) << 32 | u64::from(parts.lo);
    if parts.hi != 0 || coefficient >= numeric_small::LIMIT {
        return None;
    }
    let scale = parts.scale as u16;
    let shown = numeric_small::shown_as_it_is(coefficient, scale, limits)?;
    Some(numeric_small::pack(parts.negative, coefficient, scale, shown))
}

/// The number that is packed, if it is short.
#[inline]
fn small_of(bytes: &[u8]) -> Option<Decimal> {
    let (negative, coefficient, scale) = numeric_small::unpack(bytes)?;
    let (low, middle) = (coefficient as u32, (coefficient >> 32) as u32);
    (scale <= 28).then(|| Decimal::from_parts(low, middle, 0, negative, scale.into()))
}

fn scaled(value: &Decimal) -> Scaled {
    Scaled {
        negative: value.is_sign_negative(),
        coefficient: value.mantissa().unsigned_abs(),
        scale: value.scale() as i32,
    }
}

impl From<Decimal> for Numeric {
    fn from(value: Decimal) -> Self {
        Self::from_scaled(scaled(&value))
    }
}

impl TryFrom<&Numeric> for Decimal {
    type Error = Error;

    /// The same number; zeros at its end may go, digits may not.
    ///
    /// # Errors
    /// `Decode` (22003) if it has more digits than a `Decimal`, is NaN or an infinity.
    fn try_from(number: &Numeric) -> Result<Self> {
        exact(number.to_scaled()?)
    }
}

/// The same number as a `Decimal`; zeros at its end may go, digits may not.
fn exact(value: Scaled) -> Result<Decimal> {
    let Scaled { negative, mut coefficient, mut scale } = value;
    while scale < 0 {
        coefficient = coefficient.checked_mul(10).ok_or_else(too_long)?;
        scale += 1;
    }
    while (coefficient >> 96 != 0 || scale > 28) && coefficient.is_multiple_of(10) && scale > 0 {
        coefficient /= 10;
        scale -= 1;
    }
    let mantissa = i128::try_from(coefficient).map_err(|_| too_long())?;
    let mantissa = if negative { -mantissa } else { mantissa };
    Decimal::try_from_i128_with_scale(mantissa, scale.unsigned_abs()).map_err(|_| too_long())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use proptest::prelude::*;

    fn unpack(cell: CellRef<'_>) -> Result<Decimal> {
        // `Decimal` has an `unpack` of its own.
        <Decimal as Cell>::unpack(cell)
    }

    proptest! {
        #[test]
        fn every_decimal_comes_back_with_its_scale(mantissa in -(1_i128 << 95)..1 << 95, scale in 0..29_u32) {
            let value = Decimal::from_i128_with_scale(mantissa, scale);
            let mut out = Vec::new();
            value.pack(&ColumnType::Numeric(None), &mut out).unwrap();
            let back = unpack(CellRef::Packed(&ColumnType::Numeric(None), &out)).unwrap();
            prop_assert_eq!((back.mantissa(), back.scale()), (value.mantissa(), value.scale()));
            prop_assert_eq!(unpack(CellRef::Text(&value.to_string())).unwrap(), value);
        }
    }

    #[test]
    fn a_number_with_more_digits_is_refused_and_not_rounded() {
        let text = "0.12345678901234567890123456789012";
        let error = unpack(CellRef::Text(text)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.message().contains("more digits"));
        let zeros = format!("1.5{}", "0".repeat(34));
        assert_eq!(unpack(CellRef::Text(&zeros)).unwrap(), Decimal::new(15, 1));
    }

    #[test]
    fn a_numeric_is_a_decimal_where_nothing_is_lost() {
        let value = Decimal::new(-1_250, 2);
        assert_eq!(Numeric::from(value).to_string(), "-12.50");
        assert_eq!(Decimal::try_from(&Numeric::from(value)).unwrap(), value);
        for text in ["NaN", "Infinity", "1e29", "0.12345678901234567890123456789012"] {
            let number: Numeric = text.parse().unwrap();
            assert!(Decimal::try_from(&number).is_err(), "{text}");
        }
    }

    #[test]
    fn nan_and_a_floating_point_number_are_no_decimal() {
        assert!(unpack(CellRef::Text("NaN")).is_err());
        assert!(unpack(CellRef::Real(1.5)).is_err());
    }
}
