//! `Multirange`: ranges together.

use super::super::array::Element;
use super::super::fault::{damaged, malformed, not_readable};
use super::super::text::{pack_text, read_text};
use super::super::{Cell, CellRef};
use super::binary_of;
use super::range::{Bounded, Range, range_type};
use crate::error::Result;
use crate::mapping::binary::{BinaryType, parts};
use crate::mapping::column_type::ColumnType;

/// Ranges together: a value of an `int4multirange`, `nummultirange` and so on, by the type of the
/// bounds.
///
/// PostgreSQL orders the ranges, joins those that touch and leaves out those that are empty.
///
/// ```
/// use rowmill::{Multirange, Range};
/// let hours = Multirange(vec![Range::from(8..12), Range::from(13..17)]);
/// assert!(hours.0.iter().any(|range| range.contains(&15)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Multirange<T>(pub Vec<Range<T>>);

impl<T: Bounded> Multirange<T> {
    fn parse(text: &str) -> Result<Self> {
        let broken = || malformed("multirange");
        let mut rest = text.strip_prefix('{').ok_or_else(broken)?;
        let mut ranges = Vec::new();
        while rest != "}" {
            if !ranges.is_empty() {
                rest = rest.strip_prefix(',').ok_or_else(broken)?;
            }
            let (range, behind) = Range::take(rest)?;
            ranges.push(range);
            rest = behind;
        }
        Ok(Self(ranges))
    }

    fn of_packed(element: &ColumnType, bytes: &[u8]) -> Result<Self> {
        let ranges = parts::multirange(bytes).ok_or_else(|| {
            damaged(&ColumnType::Binary(Box::new(BinaryType::Multirange(element.clone()))))
        })?;
        ranges
            .into_iter()
            .map(|bytes| Range::of_packed(element, bytes))
            .collect::<Result<_>>()
            .map(Self)
    }
}

impl<T: Bounded> Element for Multirange<T> {}

impl<T: Bounded> Cell for Multirange<T> {
    fn column_type() -> ColumnType {
        range_type(&T::column_type(), "multi")
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        let mut shown = String::from("{");
        for (index, range) in self.0.iter().enumerate() {
            shown.push_str(if index == 0 { "" } else { "," });
            range.show(&mut shown)?;
        }
        shown.push('}');
        pack_text(&shown, column_type, out)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match binary_of(cell) {
            Some((BinaryType::Multirange(element), bytes)) => Self::of_packed(element, bytes),
            // A multirange that the database made for itself.
            Some((BinaryType::Unknown(_), bytes)) => Self::of_packed(&T::column_type(), bytes),
            Some(_) => Err(not_readable("Multirange", cell)),
            None => Self::parse(read_text(cell, "Multirange")?),
        }
    }
}
