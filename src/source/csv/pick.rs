//! Which fields of a record become which columns.

use super::head::Head;
use crate::error::{Error, ErrorKind, Locate, Result};

/// Finds for each of `wanted`, the names of fields or their positions from 1, its field from 0.
///
/// # Errors
/// `Config` if there is no such field, or two of that name.
pub(super) fn pick<'a>(
    head: &Head,
    wanted: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<usize>> {
    wanted
        .into_iter()
        .map(|name| match &head.names {
            Some(names) => by_name(names, name),
            None => by_position(head, name),
        })
        .collect()
}

/// Finds a field by its name.
///
/// # Errors
/// As [`pick`].
pub(super) fn by_name(names: &[String], wanted: &str) -> Result<usize> {
    let mut places = (0..names.len()).filter(|index| names[*index] == wanted);
    match (places.next(), places.next()) {
        (Some(index), None) => Ok(index),
        (Some(first), Some(second)) => Err(config(format!(
            "the header has the field {wanted:?} twice: fields {} and {}",
            first + 1,
            second + 1
        ))
        .with_hint("rename one of them"))
        .locate(|place| place.line = Some(1)),
        (None, _) => {
            let error = config(format!("the header has no field {wanted:?}"));
            Err(match nearest(names, wanted) {
                Some(name) => error.with_hint(format!("did you mean {name:?}?")),
                None => error.with_hint(format!(
                    "it names {} others; say which one it is, or that there is no header",
                    names.len()
                )),
            })
            .locate(|place| place.line = Some(1))
        }
    }
}

fn by_position(head: &Head, wanted: &str) -> Result<usize> {
    let position = wanted.parse::<usize>().ok().filter(|position| *position > 0);
    let Some(position) = position else {
        return Err(config(format!("{wanted:?} is no position of a field"))
            .with_hint("without a header, fields are counted from 1"));
    };
    // An empty file has no first line to compare with, and no row either.
    if head.fields > 0 && position > head.fields {
        return Err(config(format!(
            "there is no field {position}: the first line has {}",
            head.fields
        )));
    }
    Ok(position - 1)
}

/// The name that is most like `wanted`, if any is.
fn nearest<'a>(names: &'a [String], wanted: &str) -> Option<&'a str> {
    let plain = |name: &str| name.trim().to_lowercase();
    let wanted = plain(wanted);
    let (distance, name) = names
        .iter()
        .map(|name| (distance(&plain(name), &wanted), name.as_str()))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= wanted.chars().count().max(3) / 3).then_some(name)
}

/// How many letters must be changed, added or removed to make one of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, compared) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *compared);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

fn config(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_nearest_name_is_the_hint() {
        let names = names(&["id", "length_ft", "Surface "]);
        for (wanted, hint) in [("lenght_ft", "length_ft"), ("surface", "Surface ")] {
            let error = by_name(&names, wanted).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.hint().unwrap().contains(hint), "{error}");
        }
        assert!(!by_name(&names, "colour").unwrap_err().hint().unwrap().contains("mean"));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_where_it_is_wanted() {
        let names = names(&["id", "x", "x"]);
        assert_eq!(by_name(&names, "id").unwrap(), 0);
        assert!(by_name(&names, "x").unwrap_err().message().contains("fields 2 and 3"));
    }

    #[test]
    fn letters_are_counted() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
