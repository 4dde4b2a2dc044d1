//! Which values of an object are wanted.

use crate::error::{Error, ErrorKind, Result};
use std::collections::HashMap;

/// The values that are wanted below an object or an array, by their keys.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) children: Vec<Child>,
    places: HashMap<String, usize>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) key: String,
    /// The columns that take the value itself.
    pub(super) columns: Vec<usize>,
    /// What is wanted below it.
    pub(super) below: Wanted,
}

impl Wanted {
    /// Adds the value at `path` for a column.
    pub(super) fn add(&mut self, path: &[String], column: usize) {
        let Some((key, rest)) = path.split_first() else { return };
        let place = *self.places.entry(key.clone()).or_insert(self.children.len());
        if place == self.children.len() {
            let key = key.clone();
            self.children.push(Child { key, columns: Vec::new(), below: Self::default() });
        }
        let child = &mut self.children[place];
        if rest.is_empty() {
            child.columns.push(column);
        } else {
            child.below.add(rest, column);
        }
    }

    /// The place of the child of that key; `likely` is looked at first.
    #[inline]
    pub(super) fn find(&self, key: &str, likely: usize) -> Option<usize> {
        match self.children.get(likely) {
            Some(child) if child.key == key => Some(likely),
            _ => self.places.get(key).copied(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty()
    }
}

/// The keys on the way to a value: one key, or a JSON pointer (RFC 6901), which begins with `/`.
///
/// # Errors
/// `Config` if it is empty, or a pointer with a `~` that stands for nothing.
pub(in crate::source) fn path(from: &str) -> Result<Vec<String>> {
    if from.is_empty() {
        return Err(Error::new(ErrorKind::Config, "an empty text names no key"));
    }
    let Some(pointer) = from.strip_prefix('/') else { return Ok(vec![from.to_owned()]) };
    pointer.split('/').map(token).collect()
}

fn token(text: &str) -> Result<String> {
    let mut token = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        token.push(match (character, character == '~') {
            (_, true) => match characters.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => {
                    let message = "in a JSON pointer, ~ is written ~0, and / within a key ~1";
                    return Err(Error::new(ErrorKind::Config, message));
                }
            },
            (character, false) => character,
        });
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_begins_with_a_slash_and_a_key_does_not() {
        assert_eq!(path("address").unwrap(), ["address"]);
        assert_eq!(path("a/b").unwrap(), ["a/b"]);
        assert_eq!(path("/address/city").unwrap(), ["address", "city"]);
        assert_eq!(path("/a~1b/~0").unwrap(), ["a/b", "~"]);
        assert_eq!(path("/").unwrap(), [""]);
        for wrong in ["", "/a~", "/a~2"] {
            assert_eq!(path(wrong).unwrap_err().kind(), ErrorKind::Config, "{wrong}");
        }
    }

    #[test]
    fn keys_are_found_wherever_they_are_expected() {
        let mut wanted = Wanted::default();
        wanted.add(&["a".to_owned()], 0);
        wanted.add(&["b".to_owned(), "c".to_owned()], 1);
        wanted.add(&["a".to_owned()], 2);
        assert_eq!(wanted.children[0].columns, [0, 2]);
        for likely in 0..3 {
            assert_eq!(wanted.find("b", likely), Some(1));
            assert_eq!(wanted.find("c", likely), None);
        }
        assert!(!wanted.children[1].below.is_empty());
    }
}
