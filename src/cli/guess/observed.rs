//! What the values of one column are like.

use super::kinds::{KINDS, Kind};
use crate::mapping::text::Input;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// The texts that often stand for NULL.
const MARKERS: [&str; 11] =
    ["\\N", "NA", "N/A", "n/a", "NULL", "null", "None", "nil", "NaN", "-", "?"];

/// So many values are compared with each other.
const MOST_DISTINCT: usize = 2_000_000;

/// What the values of one column are like.
pub(super) struct Observed {
    /// How many values there were, and how many NULLs.
    pub(super) values: u64,
    pub(super) nulls: u64,
    /// The markers of NULL that were seen, in the order of the list.
    markers: [bool; MARKERS.len()],
    /// How many of the values were markers.
    marked: u64,
    /// The kinds that hold every value but the markers.
    fits: Vec<(Kind, Input)>,
    /// Whether every value was 0 or 1.
    pub(super) only_bits: bool,
    distinct: HashSet<u64>,
    hasher: RandomState,
    has_double: bool,
    scratch: Vec<u8>,
}

impl Observed {
    pub(super) fn new() -> Self {
        Self {
            values: 0,
            nulls: 0,
            markers: [false; MARKERS.len()],
            marked: 0,
            fits: KINDS.map(|kind| (kind, Input::of(&kind.column_type()))).to_vec(),
            only_bits: true,
            distinct: HashSet::new(),
            hasher: RandomState::new(),
            has_double: false,
            scratch: Vec::new(),
        }
    }

    /// Looks at a value.
    pub(super) fn see(&mut self, value: Option<&str>) {
        let Some(text) = value else {
            self.nulls += 1;
            return;
        };
        self.values += 1;
        if !self.has_double && self.distinct.len() < MOST_DISTINCT {
            self.has_double = !self.distinct.insert(self.hasher.hash_one(text));
        }
        self.only_bits &= matches!(text, "0" | "1");
        if let Some(place) = MARKERS.iter().position(|marker| *marker == text) {
            self.markers[place] = true;
            self.marked += 1;
            return;
        }
        let scratch = &mut self.scratch;
        self.fits.retain(|(kind, input)| kind.holds(text, input, scratch));
    }

    /// The narrowest kind that holds every value but the markers of NULL; `None` is text.
    pub(super) fn kind(&self) -> Option<Kind> {
        let has_value = self.values > self.marked;
        self.fits.first().map(|(kind, _)| *kind).filter(|_| has_value)
    }

    /// The texts that mean NULL: where the others are no texts, whatever is a marker, for it is no
    /// value of their type; among texts only `\N`, which nobody means.
    pub(super) fn null_texts(&self) -> Vec<&'static str> {
        let is_text = self.kind().is_none();
        let seen = |(marker, seen): (&&'static str, &bool)| {
            (*seen && (!is_text || *marker == "\\N")).then_some(*marker)
        };
        MARKERS.iter().zip(&self.markers).filter_map(seen).collect()
    }

    /// Whether every row had a value, and each another.
    pub(super) fn is_unique(&self) -> bool {
        let all_compared = self.distinct.len() as u64 == self.values;
        self.values > 0 && self.has_all() && !self.has_double && all_compared
    }

    /// Whether every row had a value.
    pub(super) fn has_all(&self) -> bool {
        self.nulls == 0 && self.null_texts().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(values: &[&str]) -> Observed {
        let mut observed = Observed::new();
        for value in values {
            observed.see(Some(*value).filter(|value| !value.is_empty()));
        }
        observed
    }

    #[test]
    fn the_narrowest_kind_that_holds_all_is_taken() {
        for (values, kind) in [
            (&["1", "2"][..], Some(Kind::Bigint)),
            (&["1", "2.5", ""], Some(Kind::Numeric)),
            (&["1", "1e9"], Some(Kind::Double)),
            (&["1", "true"], None),
            (&["01", "2"], None),
            (&["2026-08-20", "2026-08-20 10:00"], None),
            (&["", ""], None),
            (&["NA", "NULL"], None),
        ] {
            assert_eq!(observed(values).kind(), kind, "{values:?}");
        }
    }

    #[test]
    fn a_marker_is_null_only_where_it_is_no_value() {
        assert_eq!(observed(&["1", "NA", "-"]).null_texts(), ["NA", "-"]);
        assert_eq!(observed(&["EU", "NA"]).null_texts(), [""; 0]);
        assert_eq!(observed(&["EU", "\\N"]).null_texts(), ["\\N"]);
    }

    #[test]
    fn a_key_has_a_value_in_every_row_and_each_once() {
        assert!(observed(&["1", "2"]).is_unique());
        for values in [&["1", "1"][..], &["1", ""], &["1", "NA"], &[]] {
            assert!(!observed(values).is_unique(), "{values:?}");
        }
    }
}
