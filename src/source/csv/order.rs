//! The fields of a file, held against those of the first file.
//!
//! Headers agree if they name the same fields, in whatever order: a file that lacks one, or has
//! one more, is refused, for what is in it would be lost or made up.

use super::head::Head;
use crate::error::{Error, ErrorKind, Locate, Result};
use std::collections::HashMap;

/// Where the fields of the first file are in another one.
#[derive(Debug)]
pub(super) struct Order {
    /// For each field of the first file the one of this file, and the other way; `None` if they
    /// are the same.
    places: Option<(Vec<usize>, Vec<usize>)>,
}

impl Order {
    /// Finds the fields of `first`, if there is a first file, in `head`; `name` is what messages
    /// call the first file.
    ///
    /// # Errors
    /// `Source` if they are not the same fields.
    pub(super) fn of(
        first: Option<&Head>,
        head: &Head,
        name: impl FnOnce() -> String,
    ) -> Result<Self> {
        let same = Self { places: None };
        let Some((first, here)) = first.and_then(|it| it.names.as_ref()).zip(head.names.as_ref())
        else {
            return Ok(same);
        };
        if first == here {
            return Ok(same);
        }
        let Some(places) = places(first, here) else {
            return Err(differ(first, here, &name())).locate(|place| place.line = Some(1));
        };
        let mut back = vec![0; places.len()];
        for (there, here) in places.iter().enumerate() {
            back[*here] = there;
        }
        Ok(Self { places: Some((places, back)) })
    }

    /// Whether the fields stand as in the first file.
    pub(super) fn is_same(&self) -> bool {
        self.places.is_none()
    }

    pub(super) fn here(&self, field: usize) -> usize {
        self.places.as_ref().and_then(|(here, _)| here.get(field).copied()).unwrap_or(field)
    }

    pub(super) fn there(&self, field: usize) -> usize {
        self.places.as_ref().and_then(|(_, there)| there.get(field).copied()).unwrap_or(field)
    }
}

/// For each name of `first` its place in `here`; a name that stands twice is taken in turn.
fn places(first: &[String], here: &[String]) -> Option<Vec<usize>> {
    if first.len() != here.len() {
        return None;
    }
    let mut free: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, name) in here.iter().enumerate().rev() {
        free.entry(name).or_default().push(place);
    }
    first.iter().map(|name| free.get_mut(name.as_str())?.pop()).collect()
}

#[cold]
fn differ(first: &[String], here: &[String], name: &str) -> Error {
    let lacks = first.iter().find(|field| !here.contains(field));
    let adds = here.iter().find(|field| !first.contains(field));
    let what = match (lacks, adds) {
        (Some(lacks), Some(adds)) => format!("lacks the field {lacks:?} and has {adds:?}"),
        (Some(lacks), None) => format!("lacks the field {lacks:?}"),
        (None, Some(adds)) => format!("has the field {adds:?}"),
        (None, None) => "has a field more often".to_owned(),
    };
    let message = format!("the header is not that of {name}: it {what}");
    Error::new(ErrorKind::Source, message)
        .with_hint("files of one job have the same fields, in any order")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::csv::CsvFormat;

    fn order(first: &str, here: &str) -> Result<Order> {
        let head = |line: &str| Head::read(line.as_bytes(), &CsvFormat::new()).unwrap();
        Order::of(Some(&head(first)), &head(here), || "one".to_owned())
    }

    #[test]
    fn fields_are_found_by_their_names() {
        let order = order("id,a,b,a", "a,b,id,a").unwrap();
        assert_eq!([0, 1, 2, 3].map(|field| order.here(field)), [2, 0, 1, 3]);
        assert_eq!([0, 1, 2, 3].map(|field| order.there(field)), [1, 2, 0, 3]);
    }

    #[test]
    fn other_fields_are_refused_by_name() {
        for (here, told) in [
            ("id", "lacks the field \"a\""),
            ("id,a,b", "has the field \"b\""),
            ("id,b", "lacks the field \"a\" and has \"b\""),
            ("id,a,a", "a field more often"),
        ] {
            let error = order("id,a", here).unwrap_err();
            assert!(error.message().contains(told), "{error}");
        }
    }
}
