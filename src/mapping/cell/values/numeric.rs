//! `Numeric`: every number that a `numeric` holds.

use super::super::array::Element;
use super::super::fault::{damaged, malformed, not_packable, not_readable, unreadable};
use super::super::numeric::{self as scaled, Scaled};
use super::super::{Cell, CellRef};
use crate::error::{Error, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text;
use crate::sqlstate::SqlState;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

const HEADER: usize = 8;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// A decimal number of any size, with its number of decimal places, or NaN, or an infinity: what a
/// `numeric` of PostgreSQL holds, up to 131072 digits before the point and 16383 behind it.
///
/// It is read from the text of a number and shown as PostgreSQL shows it. Numbers are equal, and
/// ordered, as in PostgreSQL: 1.0 equals 1.00, NaN equals itself and is larger than all others.
/// It does no arithmetic: that is what the database or a conversion is for.
///
/// ```
/// use rowmill::Numeric;
/// let many: Numeric = "1234567890123456789012345678901234567890.50".parse()?;
/// assert_eq!(many.to_string(), "1234567890123456789012345678901234567890.50");
/// assert!(i64::try_from(&many).is_err(), "too large, and not whole");
/// assert_eq!(i64::try_from(&"-7.00".parse::<Numeric>()?)?, -7);
/// assert!(many < "NaN".parse()?);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone)]
pub struct Numeric {
    /// As PostgreSQL packs it; neither the first nor the last digit is 0.
    packed: Box<[u8]>,
}

impl Numeric {
    /// Not a number.
    pub fn nan() -> Self {
        Self::special(NAN, 0)
    }

    /// Larger than every number, except NaN.
    pub fn infinity() -> Self {
        Self::special(INFINITY, 32)
    }

    /// Smaller than every number.
    pub fn negative_infinity() -> Self {
        Self::special(NEGATIVE_INFINITY, 32)
    }

    /// Whether it is a number: neither NaN nor an infinity.
    pub fn is_finite(&self) -> bool {
        matches!(self.sign(), 0 | NEGATIVE)
    }

    /// Whether it is NaN.
    pub fn is_nan(&self) -> bool {
        self.sign() == NAN
    }

    /// How many decimal places it shows; `None` for NaN and the infinities.
    pub fn scale(&self) -> Option<u16> {
        self.is_finite().then(|| self.part(3))
    }

    fn special(sign: u16, scale: u16) -> Self {
        let header = [0, 0, sign, scale].map(u16::to_be_bytes);
        Self { packed: header.as_flattened().into() }
    }

    fn part(&self, index: usize) -> u16 {
        u16::from_be_bytes([self.packed[index * 2], self.packed[index * 2 + 1]])
    }

    fn sign(&self) -> u16 {
        self.part(2)
    }

    /// The power of 10000 of the first digit.
    fn weight(&self) -> i16 {
        self.part(1) as i16
    }

    /// Each as it is packed: their bytes are ordered as they are.
    fn digits(&self) -> &[u8] {
        &self.packed[HEADER..]
    }

    /// Takes a packed number, without the digits of 0 at its ends.
    fn of_packed(bytes: &[u8]) -> Result<Self> {
        let mut shown = String::new();
        text::numeric::format(bytes, &mut shown)
            .map_err(|_| damaged(&ColumnType::Numeric(None)))?;
        let zero = |group: &&[u8; 2]| **group == [0, 0];
        let (groups, _) = bytes[HEADER..].as_chunks::<2>();
        let is_normal = match groups {
            [] => bytes[4..6] != NEGATIVE.to_be_bytes() && bytes[2..4] == [0, 0],
            [first, .., last] => !zero(&first) && !zero(&last),
            [only] => !zero(&only),
        };
        if is_normal { Ok(Self { packed: bytes.into() }) } else { Self::of_text(&shown) }
    }

    fn of_text(text: &str) -> Result<Self> {
        let mut packed = Vec::new();
        text::input(&ColumnType::Numeric(None), text, &mut packed)?;
        Ok(Self { packed: packed.into() })
    }

    /// By size, both being finite.
    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        match (self.digits().is_empty(), other.digits().is_empty()) {
            (false, false) => (self.weight(), self.digits()).cmp(&(other.weight(), other.digits())),
            (self_is_zero, other_is_zero) => other_is_zero.cmp(&self_is_zero),
        }
    }
}

impl Ord for Numeric {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |number: &Self| match number.sign() {
            NEGATIVE_INFINITY => 0,
            NEGATIVE => 1,
            0 => 2,
            INFINITY => 3,
            _ => 4,
        };
        rank(self).cmp(&rank(other)).then_with(|| match self.sign() {
            0 => self.cmp_magnitude(other),
            NEGATIVE => other.cmp_magnitude(self),
            _ => Ordering::Equal,
        })
    }
}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Numeric {}

impl Hash for Numeric {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // All but the scale: 1.0 equals 1.00.
        (self.sign(), self.weight(), self.digits()).hash(state);
    }
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = String::new();
        text::numeric::format(&self.packed, &mut shown).map_err(|_| fmt::Error)?;
        f.pad(&shown)
    }
}

impl fmt::Debug for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Numeric({self})")
    }
}

impl FromStr for Numeric {
    type Err = Error;

    /// Reads what PostgreSQL reads: also `1e9`, `NaN`, `-Infinity`.
    ///
    /// # Errors
    /// `Encode`: 22P02 if it is no number, 22003 if it is outside the range of the type.
    fn from_str(text: &str) -> Result<Self> {
        Self::of_text(text)
    }
}

macro_rules! from_integers {
    ($($rust:ty)*) => { $(
        impl From<$rust> for Numeric {
            fn from(value: $rust) -> Self {
                Self::from(i64::from(value))
            }
        }
    )* };
}

from_integers!(i16 i32 u32);

impl From<i64> for Numeric {
    fn from(value: i64) -> Self {
        Self::from_scaled(Scaled::from(value))
    }
}

impl Numeric {
    pub(in crate::mapping::cell) fn from_scaled(value: Scaled) -> Self {
        let mut packed = Vec::new();
        scaled::write(value, value.scale.max(0), &mut packed);
        Self { packed: packed.into() }
    }

    pub(in crate::mapping::cell) fn to_scaled(&self) -> Result<Scaled> {
        scaled::unpack(&self.packed)
    }
}

impl TryFrom<&Numeric> for i64 {
    type Error = Error;

    /// The same number.
    ///
    /// # Errors
    /// `Decode` (22003) if it is not whole, or none that 64 bits hold.
    fn try_from(number: &Numeric) -> Result<Self> {
        number.to_scaled()?.whole().ok_or_else(|| {
            unreadable(
                "a number is not whole, or outside the range of i64",
                SqlState::NUMERIC_OUT_OF_RANGE,
            )
        })
    }
}

impl Element for Numeric {}

impl Cell for Numeric {
    fn column_type() -> ColumnType {
        ColumnType::Numeric(None)
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match column_type {
            ColumnType::Numeric(None) => out.extend_from_slice(&self.packed),
            // Rounded to the scale, and refused if that makes it too long.
            ColumnType::Numeric(limits) => text::numeric::parse(&self.to_string(), *limits, out)?,
            other => return Err(not_packable("Numeric", other)),
        }
        Ok(true)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match cell {
            CellRef::Packed(ColumnType::Numeric(_), bytes) => Self::of_packed(bytes),
            CellRef::Text(text) => Self::of_text(text).map_err(|_| malformed("number")),
            CellRef::Integer(value) => Ok(value.into()),
            CellRef::Packed(ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8, _) => {
                Ok(i64::unpack(cell)?.into())
            }
            other => Err(not_readable("Numeric", other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Numeric {
        text.parse().unwrap()
    }

    proptest! {
        #[test]
        fn whole_numbers_are_ordered_as_they_are(one: i64, other: i64) {
            prop_assert_eq!(Numeric::from(one).cmp(&other.into()), one.cmp(&other));
            prop_assert_eq!(i64::try_from(&Numeric::from(one)).unwrap(), one);
            prop_assert_eq!(Numeric::from(one).to_string(), one.to_string());
        }

        #[test]
        fn fractions_are_ordered_as_floating_point_numbers_are(one in -1e6..1e6, other in -1e6..1e6) {
            let text = |value: f64| number(&format!("{value}"));
            prop_assert_eq!(Some(text(one).cmp(&text(other))), one.partial_cmp(&other));
        }
    }

    #[test]
    fn numbers_are_ordered_and_equal_as_in_postgresql() {
        let ordered = [
            "-Infinity",
            "-1e40",
            "-10000",
            "-9999.9999",
            "-1",
            "-0.0001",
            "0",
            "1e-40",
            "0.0001",
            "1",
            "1.00000001",
            "9999",
            "10000",
            "1e40",
            "Infinity",
            "NaN",
        ];
        for pair in ordered.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
        for text in ordered {
            assert_eq!(number(text), number(text));
        }
        let hash = |text: &str| {
            let mut hasher = std::hash::DefaultHasher::new();
            number(text).hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!((number("1.0"), hash("1.0")), (number("1.00"), hash("1.00")));
        assert_eq!(number("-0.00"), number("0"));
        assert_eq!(number("1.50").to_string(), "1.50");
        assert_eq!(format!("{:>6}|", number("1.50")), "  1.50|");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for text in ["1.5", "9223372036854775808", "NaN", "Infinity", "1e60"] {
            let error = i64::try_from(&number(text)).unwrap_err();
            assert_eq!(error.sqlstate(), Some(SqlState::NUMERIC_OUT_OF_RANGE), "{text}");
        }
        let mut out = Vec::new();
        assert!(number("99.995").pack(&ColumnType::Numeric(Some((4, 2))), &mut out).is_err());
        assert!(Numeric::infinity().pack(&ColumnType::Numeric(Some((4, 2))), &mut out).is_err());
        assert!(Numeric::nan().pack(&ColumnType::Numeric(Some((4, 2))), &mut out).unwrap());
    }

    #[test]
    fn packed_digits_of_zero_do_not_count() {
        let one = [0, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0];
        let read = Numeric::unpack(CellRef::Packed(&ColumnType::Numeric(None), &one)).unwrap();
        assert_eq!(read, number("1.0"));
        assert_eq!(read.to_string(), "1.0");
        assert!(Numeric::of_packed(&one[..9]).is_err());
    }
}
