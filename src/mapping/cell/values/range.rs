//! `Range`: the values between two bounds.

use super::super::array::Element;
use super::super::fault::{damaged, malformed, not_readable};
use super::super::text::{pack_text, read_text};
use super::super::travel::{pack_as, read_shown};
use super::super::{Cell, CellRef};
use super::{Moment, Numeric, Temporal, binary_of};
use crate::error::Result;
use crate::mapping::binary::BinaryType;
use crate::mapping::binary::parts::{self, Bounds};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::quoted;
use std::ops::{Bound, RangeBounds};

/// A type that has ranges: `i32`, `i64`, [`Numeric`], and dates and timestamps.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type that has ranges",
    note = "i32, i64, Numeric, and the dates and timestamps of `chrono` and `jiff` have them"
)]
pub trait Bounded: Cell {}

impl Bounded for i32 {}
impl Bounded for i64 {}
impl Bounded for Numeric {}
#[cfg(feature = "rust_decimal")]
impl Bounded for ::rust_decimal::Decimal {}
impl<T: Temporal> Bounded for T {}
impl<T: Temporal> Bounded for Moment<T> {}

/// The values between two bounds: a value of an `int4range`, `int8range`, `numrange`, `daterange`,
/// `tsrange` or `tstzrange`, by the type of its bounds.
///
/// PostgreSQL keeps ranges of whole numbers and days in one form, with the lower bound and without
/// the upper: `[1,3]` comes back as `[1,4)`, which is the same set and not the same bounds.
///
/// ```
/// use rowmill::Range;
/// let range = Range::from(1..4);
/// assert!(range.contains(&3) && !range.contains(&4));
/// assert_eq!(Range::from(5..), Range::new(std::ops::Bound::Included(5), std::ops::Bound::Unbounded));
/// assert!(!Range::Empty.contains(&1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Range<T> {
    /// No value at all.
    Empty,
    /// The values from the lower to the upper bound.
    Between(Bound<T>, Bound<T>),
}

impl<T> Range<T> {
    /// The values between two bounds. Whether there are any is for the database to say.
    pub fn new(lower: Bound<T>, upper: Bound<T>) -> Self {
        Self::Between(lower, upper)
    }

    /// Every value.
    pub fn all() -> Self {
        Self::Between(Bound::Unbounded, Bound::Unbounded)
    }

    /// The bounds; `None` if it is empty.
    pub fn bounds(&self) -> Option<(Bound<&T>, Bound<&T>)> {
        match self {
            Self::Empty => None,
            Self::Between(lower, upper) => Some((lower.as_ref(), upper.as_ref())),
        }
    }

    /// Whether `value` is one of its values.
    pub fn contains(&self, value: &T) -> bool
    where
        T: PartialOrd,
    {
        self.bounds().is_some_and(|bounds| bounds.contains(value))
    }

    fn of<U>(bounds: Bounds<U>, value: impl Fn(U) -> Result<T>) -> Result<Self> {
        let bound = |bound| {
            Ok(match bound {
                Bound::Included(part) => Bound::Included(value(part)?),
                Bound::Excluded(part) => Bound::Excluded(value(part)?),
                Bound::Unbounded => Bound::Unbounded,
            })
        };
        Ok(match bounds {
            None => Self::Empty,
            Some((lower, upper)) => Self::Between(bound(lower)?, bound(upper)?),
        })
    }
}

macro_rules! from_ranges {
    ($($range:ident: $kept:ident => $lower:expr, $upper:expr;)*) => { $(
        impl<T> From<std::ops::$range<T>> for Range<T> {
            fn from($kept: std::ops::$range<T>) -> Self {
                Self::Between($lower, $upper)
            }
        }
    )* };
}

from_ranges! {
    Range: range => Bound::Included(range.start), Bound::Excluded(range.end);
    RangeFrom: range => Bound::Included(range.start), Bound::Unbounded;
    RangeTo: range => Bound::Unbounded, Bound::Excluded(range.end);
    RangeToInclusive: range => Bound::Unbounded, Bound::Included(range.end);
}

impl<T> From<std::ops::RangeInclusive<T>> for Range<T> {
    fn from(range: std::ops::RangeInclusive<T>) -> Self {
        let (lower, upper) = range.into_inner();
        Self::Between(Bound::Included(lower), Bound::Included(upper))
    }
}

impl<T: Bounded> Range<T> {
    /// Appends the text that the database reads.
    pub(super) fn show(&self, out: &mut String) -> Result<()> {
        let Self::Between(lower, upper) = self else {
            out.push_str("empty");
            return Ok(());
        };
        out.push(if matches!(lower, Bound::Included(_)) { '[' } else { '(' });
        show_bound(lower, out)?;
        out.push(',');
        show_bound(upper, out)?;
        out.push(if matches!(upper, Bound::Included(_)) { ']' } else { ')' });
        Ok(())
    }

    /// Reads a range at the start of a text, as the database prints it: the range, and what is
    /// behind it.
    pub(super) fn take(text: &str) -> Result<(Self, &str)> {
        let broken = || malformed("range");
        if let Some(rest) = text.strip_prefix("empty") {
            return Ok((Self::Empty, rest));
        }
        let (opening, rest) = text.split_at_checked(1).ok_or_else(broken)?;
        let (lower, rest) = quoted::take(rest, &[',']).ok_or_else(broken)?;
        let (upper, rest) = quoted::take(&rest[1..], &[')', ']']).ok_or_else(broken)?;
        let (closing, rest) = rest.split_at_checked(1).ok_or_else(broken)?;
        let bound = |part: Option<String>, is_included| match part {
            None => Bound::Unbounded,
            Some(part) if is_included => Bound::Included(part),
            Some(part) => Bound::Excluded(part),
        };
        if !matches!(opening, "[" | "(") {
            return Err(broken());
        }
        let bounds = (bound(lower, opening == "["), bound(upper, closing == "]"));
        Ok((Self::of(Some(bounds), |part| read_shown(&part))?, rest))
    }

    /// Reads a packed range of values of `element`.
    pub(super) fn of_packed(element: &ColumnType, bytes: &[u8]) -> Result<Self> {
        let bounds = parts::range(bytes).ok_or_else(|| {
            damaged(&ColumnType::Binary(Box::new(BinaryType::Range(element.clone()))))
        })?;
        Self::of(bounds, |bytes| T::unpack(CellRef::Packed(element, bytes)))
    }
}

fn show_bound<T: Bounded>(bound: &Bound<T>, out: &mut String) -> Result<()> {
    let (Bound::Included(value) | Bound::Excluded(value)) = bound else { return Ok(()) };
    let mut shown = Vec::new();
    pack_as(value, &ColumnType::Other(String::new()), &mut shown)?;
    quoted::push(&String::from_utf8_lossy(&shown), out);
    Ok(())
}

/// The name of the range, or with `multi` of the multirange, of values of a type.
pub(super) fn range_type(element: &ColumnType, multi: &str) -> ColumnType {
    let name = match element {
        ColumnType::Int4 => "int4",
        ColumnType::Int8 => "int8",
        ColumnType::Numeric(_) => "num",
        ColumnType::Date => "date",
        ColumnType::Timestamp => "ts",
        _ => "tstz",
    };
    ColumnType::Other(format!("{name}{multi}range"))
}

impl<T: Bounded> Element for Range<T> {}

impl<T: Bounded> Cell for Range<T> {
    fn column_type() -> ColumnType {
        range_type(&T::column_type(), "")
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        let mut shown = String::new();
        self.show(&mut shown)?;
        pack_text(&shown, column_type, out)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match binary_of(cell) {
            Some((BinaryType::Range(element), bytes)) => Self::of_packed(element, bytes),
            // A range that the database made for itself.
            Some((BinaryType::Unknown(_), bytes)) => Self::of_packed(&T::column_type(), bytes),
            Some(_) => Err(not_readable("Range", cell)),
            None => match Self::take(read_text(cell, "Range")?)? {
                (range, "") => Ok(range),
                _ => Err(malformed("range")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Range<i32>> {
        Range::unpack(CellRef::Text(text))
    }

    #[test]
    fn every_form_of_a_range_is_read_as_it_is_shown() {
        for (text, range) in [
            ("empty", Range::Empty),
            ("(,)", Range::all()),
            ("[1,4)", Range::from(1..4)),
            ("[-1,4]", Range::from(-1..=4)),
            ("[5,)", Range::from(5..)),
            ("(,5]", Range::from(..=5)),
            ("(1,5]", Range::new(Bound::Excluded(1), Bound::Included(5))),
        ] {
            let mut shown = String::new();
            range.show(&mut shown).unwrap();
            assert_eq!(shown, text);
            assert_eq!(read(text).unwrap(), range);
        }
        for text in ["", "[", "[1,2", "1,2", "[1;2)", "[1,2)x", "[a,b)", "emptyx", "{1,2)"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
