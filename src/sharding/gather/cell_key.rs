//! Cells that are compared without their database.

use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::values::Numeric;
use crate::mapping::cell::{Cell, CellRef};
use crate::mapping::column_type::ColumnType;
use std::cmp::Ordering;

/// A value, as far as it matters for being equal to another one, and for coming before it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum CellKey {
    Null,
    Int(i64),
    /// The bits of a number whose order is that of the bits.
    Real(u64),
    Number(Numeric),
    /// Ordered by its bytes.
    Bytes(Vec<u8>),
    /// Of a type whose order only the database knows.
    Opaque(Vec<u8>),
}

impl CellKey {
    /// What tells the value of a cell from others.
    pub(super) fn of(cell: CellRef<'_>) -> Result<Self> {
        let (column_type, bytes) = match cell {
            CellRef::Null => return Ok(Self::Null),
            CellRef::Integer(number) => return Ok(Self::Int(number)),
            CellRef::Real(number) => return Ok(Self::real(number)),
            CellRef::Text(text) => return Ok(Self::Bytes(text.as_bytes().to_vec())),
            CellRef::Blob(bytes) => return Ok(Self::Bytes(bytes.to_vec())),
            CellRef::Packed(column_type, bytes) => (column_type, bytes),
        };
        Ok(match column_type {
            ColumnType::Bool => Self::Int(i64::from(sized::<1>(bytes)?[0])),
            ColumnType::Int2 => Self::Int(i16::from_be_bytes(sized(bytes)?).into()),
            ColumnType::Int4 | ColumnType::Date => {
                Self::Int(i32::from_be_bytes(sized(bytes)?).into())
            }
            ColumnType::Int8
            | ColumnType::Time
            | ColumnType::Timestamp
            | ColumnType::TimestampTz => Self::Int(i64::from_be_bytes(sized(bytes)?)),
            ColumnType::Float4 => Self::real(f32::from_be_bytes(sized(bytes)?).into()),
            ColumnType::Float8 => Self::real(f64::from_be_bytes(sized(bytes)?)),
            ColumnType::Numeric(_) => Self::Number(Numeric::unpack(cell)?),
            ColumnType::Text | ColumnType::Varchar(_) | ColumnType::Uuid | ColumnType::Bytea => {
                Self::Bytes(bytes.to_vec())
            }
            ColumnType::Char(_) => {
                let length =
                    bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
                Self::Bytes(bytes[..length].to_vec())
            }
            _ => Self::Opaque(bytes.to_vec()),
        })
    }

    /// The same, of a value by which rows are ordered.
    ///
    /// # Errors
    /// `Unsupported` if only the database knows the order of its type.
    pub(super) fn to_sort(cell: CellRef<'_>) -> Result<Self> {
        match (Self::of(cell)?, cell) {
            (Self::Opaque(_), CellRef::Packed(column_type, _)) => Err(unordered(column_type)),
            (key, _) => Ok(key),
        }
    }

    /// -0 is 0, and NaN is one value, larger than all others.
    fn real(number: f64) -> Self {
        let number = if number.is_nan() { f64::NAN.abs() } else { number + 0.0 };
        let bits = number.to_bits();
        let negative = bits >> 63 == 1;
        Self::Real(if negative { !bits } else { bits | 1 << 63 })
    }

    fn as_real(bits: u64) -> f64 {
        f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
    }

    /// Whether it is NULL.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A database whose columns have no type sorts numbers before texts.
    fn class(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Int(_) | Self::Real(_) | Self::Number(_) => 1,
            Self::Bytes(_) => 2,
            Self::Opaque(_) => 3,
        }
    }
}

/// The order of `ORDER BY`, for values that are not NULL.
impl Ord for CellKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(one), Self::Int(other)) => one.cmp(other),
            (Self::Real(one), Self::Real(other)) => one.cmp(other),
            (Self::Int(one), Self::Real(other)) => int_and_real(*one, Self::as_real(*other)),
            (Self::Real(one), Self::Int(other)) => {
                int_and_real(*other, Self::as_real(*one)).reverse()
            }
            (Self::Number(one), Self::Number(other)) => one.cmp(other),
            (Self::Bytes(one), Self::Bytes(other)) | (Self::Opaque(one), Self::Opaque(other)) => {
                one.cmp(other)
            }
            _ => self.class().cmp(&other.class()),
        }
    }
}

impl PartialOrd for CellKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Exact, also where the whole number has more digits than a `f64`.
fn int_and_real(int: i64, real: f64) -> Ordering {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if real.is_nan() || real >= LIMIT {
        return Ordering::Less;
    }
    if real < -LIMIT {
        return Ordering::Greater;
    }
    let whole = real.trunc();
    int.cmp(&(whole as i64)).then_with(|| 0.0_f64.total_cmp(&(real - whole + 0.0)))
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| Error::new(ErrorKind::Decode, "a damaged value"))
}

/// The error for an order that only the database knows.
pub(super) fn unordered(column_type: &ColumnType) -> Error {
    let message = format!("rows of several shards cannot be ordered by {column_type}");
    Error::new(ErrorKind::Unsupported, message)
        .with_hint("order by a cast of it, or by another column")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(cells: &[CellRef<'_>]) -> bool {
        let keys: Vec<_> = cells.iter().map(|cell| CellKey::to_sort(*cell).unwrap()).collect();
        keys.is_sorted_by(|one, next| one < next)
    }

    #[test]
    fn numbers_of_all_kinds_have_one_order() {
        assert!(sorted(&[
            CellRef::Real(f64::NEG_INFINITY),
            CellRef::Integer(i64::MIN),
            CellRef::Real(-1.5),
            CellRef::Integer(-1),
            CellRef::Real(-0.5),
            CellRef::Integer(0),
            CellRef::Real(0.5),
            CellRef::Integer(9_007_199_254_740_993),
            CellRef::Integer(i64::MAX),
            CellRef::Real(9.3e18),
            CellRef::Real(f64::NAN),
            CellRef::Text(""),
            CellRef::Text("Z"),
            CellRef::Text("a"),
            CellRef::Text("ä"),
        ]));
        let equal = |one, other| CellKey::of(one).unwrap().cmp(&CellKey::of(other).unwrap());
        assert_eq!(equal(CellRef::Real(-0.0), CellRef::Real(0.0)), Ordering::Equal);
        assert_eq!(equal(CellRef::Integer(2), CellRef::Real(2.0)), Ordering::Equal);
    }

    #[test]
    fn decimal_numbers_are_equal_whatever_their_places() {
        let packed = |text: &str| {
            let mut packed = Vec::new();
            text.parse::<Numeric>().unwrap().pack(&ColumnType::Numeric(None), &mut packed).unwrap();
            CellKey::of(CellRef::Packed(&ColumnType::Numeric(None), &packed)).unwrap()
        };
        assert!(packed("1.0") == packed("1.00"));
        assert!(packed("9.5") < packed("10"));
    }

    #[test]
    fn the_order_of_an_enum_is_not_guessed() {
        let mood = ColumnType::Enum("mood".to_owned());
        let error = CellKey::to_sort(CellRef::Packed(&mood, b"glad")).err().unwrap();
        assert!(error.to_string().contains("cannot be ordered by mood"), "{error}");
    }
}
