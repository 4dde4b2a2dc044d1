//! `Hstore`: texts by their keys.

use super::super::array::Element;
use super::super::fault::{damaged, malformed, not_readable};
use super::super::text::{pack_text, read_text};
use super::super::{Cell, CellRef};
use super::binary_of;
use crate::error::Result;
use crate::mapping::binary::{BinaryType, parts, show_pairs};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::quoted;
use std::collections::BTreeMap;

/// A value of an `hstore`: texts, or NULL, by their keys.
///
/// ```
/// use rowmill::{Cell, CellRef, Hstore};
/// let tags = Hstore::from([("surface".to_owned(), Some("asphalt".to_owned()))]);
/// assert_eq!(Hstore::unpack(CellRef::Text(r#""surface"=>"asphalt""#))?, tags);
/// assert_eq!(tags["surface"].as_deref(), Some("asphalt"));
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hstore(pub BTreeMap<String, Option<String>>);

impl Hstore {
    fn pairs(&self) -> Vec<parts::Pair<'_>> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect()
    }

    /// Reads what `hstore_out` prints.
    fn parse(text: &str) -> Option<Self> {
        let mut pairs = BTreeMap::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (key, behind) = quoted::take_string(rest)?;
            let behind = behind.strip_prefix("=>")?;
            let (value, behind) = match behind.strip_prefix("NULL") {
                Some(behind) => (None, behind),
                None => {
                    let (value, behind) = quoted::take_string(behind)?;
                    (Some(value), behind)
                }
            };
            pairs.insert(key, value);
            rest = match behind {
                "" => behind,
                _ => behind.strip_prefix(", ").filter(|rest| !rest.is_empty())?,
            };
        }
        Some(Self(pairs))
    }
}

impl std::ops::Deref for Hstore {
    type Target = BTreeMap<String, Option<String>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<const N: usize> From<[(String, Option<String>); N]> for Hstore {
    fn from(pairs: [(String, Option<String>); N]) -> Self {
        Self(pairs.into())
    }
}

impl FromIterator<(String, Option<String>)> for Hstore {
    fn from_iter<I: IntoIterator<Item = (String, Option<String>)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Element for Hstore {}

impl Cell for Hstore {
    fn column_type() -> ColumnType {
        ColumnType::Other("hstore".to_owned())
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        let mut shown = String::new();
        show_pairs(&self.pairs(), &mut shown);
        pack_text(&shown, column_type, out)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match binary_of(cell) {
            Some((BinaryType::Hstore | BinaryType::Unknown(_), bytes)) => {
                let pairs = parts::pairs(bytes)
                    .ok_or_else(|| damaged(&ColumnType::Other("hstore".into())))?;
                let owned =
                    |(key, value): (&str, Option<&str>)| (key.to_owned(), value.map(str::to_owned));
                Ok(pairs.into_iter().map(owned).collect())
            }
            Some(_) => Err(not_readable("Hstore", cell)),
            None => Self::parse(read_text(cell, "Hstore")?).ok_or_else(|| malformed("hstore")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_pairs_is_refused() {
        assert_eq!(Hstore::parse(""), Some(Hstore::default()));
        for text in ["a", "\"a\"", "\"a\"=>", "\"a\"=>NULL,", "\"a\"=>NULL, ", "\"a\"=>\"b\"x"] {
            assert_eq!(Hstore::parse(text), None, "{text}");
        }
    }
}
