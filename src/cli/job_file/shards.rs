//! `[target] shards`: the databases over which rows are spread.

use super::columns::ColumnSpec;
use super::section::{Section, did_you_mean};
use crate::error::Result;
use crate::ident::Ident;
use crate::nearest::nearest;
use crate::sink::mode::Mode;
use std::fmt;

/// The databases over which rows are spread.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShardsSpec {
    /// The name of each, where the file has one, and its URL, which may contain a password: never
    /// show it.
    pub urls: Vec<(Option<String>, String)>,
    /// The column whose value says on which shard a row is.
    pub key: Ident,
}

impl ShardsSpec {
    /// What each is called in messages: its name, or its place in the file.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let named = self.urls.iter().zip(1..);
        named.map(|((name, _), place)| name.clone().unwrap_or_else(|| place.to_string()))
    }
}

impl fmt::Debug for ShardsSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names().collect();
        f.debug_struct("ShardsSpec")
            .field("names", &names)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

const EXPECTED: &str = "a list of \"URL\" or \"NAME=URL\", for example [\"a=postgresql://etl@db1/w\", \"b=postgresql://etl@db2/w\"]";

/// Refuses what cannot stand beside shards; `is_given` says that the command line names a target.
pub(super) fn alone(section: &Section<'_>, is_given: bool) -> Result<()> {
    if is_given {
        return Err(section.error("shards", "--target names one database: leave it out"));
    }
    for key in ["url", "replicas"] {
        if let Some(field) = section.optional(key) {
            return Err(field.error("cannot stand beside shards"));
        }
    }
    Ok(())
}

/// Reads what the section says of shards.
pub(super) fn read(
    section: &Section<'_>,
    mode: Mode,
    key: &[Ident],
    columns: &[ColumnSpec],
) -> Result<Option<ShardsSpec>> {
    let Some(field) = section.optional("shards") else {
        return match section.optional("shard_key") {
            Some(field) => Err(field.error("needs shards")),
            None => Ok(None),
        };
    };
    let urls: Vec<_> = field.texts(EXPECTED)?.iter().map(|text| named(text)).collect();
    if urls.is_empty() || urls.iter().any(|(_, url)| url.is_empty()) {
        return Err(field.error(&format!("expected {EXPECTED}")));
    }
    if matches!(mode, Mode::Mirror | Mode::Replace) {
        let what = format!(
            "{:?} is not for shards, expected append, insert-ignore or upsert",
            mode.name()
        );
        return Err(section.error("mode", &what));
    }
    Ok(Some(ShardsSpec { urls, key: shard_key(section, key, columns)? }))
}

/// The name before the URL, if there is one: before a `=` that comes before anything of a URL.
fn named(text: &str) -> (Option<String>, String) {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    };
    match text.split_once('=') {
        Some((name, url)) if is_name(name) => (Some(name.to_owned()), url.to_owned()),
        _ => (None, text.to_owned()),
    }
}

/// The column by which rows are spread: that which is named, or the only one of the key.
fn shard_key(section: &Section<'_>, key: &[Ident], columns: &[ColumnSpec]) -> Result<Ident> {
    let expected = "the column by which rows are spread";
    let Some(field) = section.optional("shard_key") else {
        return match key {
            [only] => Ok(only.clone()),
            _ => Err(section.error("shard_key", &format!("missing, expected {expected}"))),
        };
    };
    let name = field.filled_text(expected)?;
    let found = columns.iter().find(|column| column.name.as_str() == name);
    found.map(|column| column.name.clone()).ok_or_else(|| {
        let known = columns.iter().map(|column| column.name.as_str());
        let advice = nearest(&name, known).map(did_you_mean).unwrap_or_default();
        field.error(&format!("{name:?} is not in [columns]{advice}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_before_the_url_and_what_stands_within_it_is_none() {
        let name = |text| named(text).0;
        assert_eq!(name("a=postgresql://h/d?options=x").as_deref(), Some("a"));
        assert_eq!(name("postgresql://h/d?options=x"), None);
        assert_eq!(name("sqlite:a.db"), None);
    }
}
