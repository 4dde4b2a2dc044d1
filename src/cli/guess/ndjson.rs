//! The columns of files with a JSON object on each line.

use super::column::{From, Guessed};
use super::kinds::Kind;
use super::look::Sample;
use super::names::Names;
use super::observed::Observed;
use super::{Found, HEAD_BYTES, Shape};
use crate::error::Result;
use crate::ident::Ident;
use crate::mapping::column_type::ColumnType;
use crate::source::input::{Compression, Files};
use crate::source::ndjson::{NdjsonColumn, NdjsonColumns};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// So many bytes of the file are searched for keys.
const KEY_BYTES: u64 = 16 * HEAD_BYTES;

/// Whether a file that begins like this has an object on its first line.
pub(super) fn is_object(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.into_iter().find(|line| !line.is_empty());
    first.is_some_and(|line| keys_of(line, &mut Vec::new()))
}

pub(super) fn look_at(files: &Files) -> Result<Found> {
    let (head, _) = files.beginning(KEY_BYTES)?;
    let mut keys = Vec::new();
    for line in head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head).split(|byte| *byte == b'\n') {
        keys_of(line, &mut keys);
    }
    let mut notes = Vec::new();
    if keys.iter().any(String::is_empty) {
        keys.retain(|key| !key.is_empty());
        notes.push("a key that is the empty text is left out".to_owned());
    }
    let column = |(place, key): (usize, &String)| -> Result<NdjsonColumn> {
        let name = Ident::new(format!("c{place}"))?;
        // `json` is the text of the value as it stands.
        Ok(NdjsonColumn::new(name, ColumnType::Json).from(pointer(key)))
    };
    let columns = keys.iter().enumerate().map(column).collect::<Result<_>>()?;
    let feed = NdjsonColumns::open(files.clone(), columns)?;
    let mut values: Vec<_> = keys.iter().map(|_| Values::new()).collect();
    let extent = Sample::of(&feed)?.rows(&feed, &mut |row| {
        values.iter_mut().zip(row).for_each(|(column, value)| column.see(*value));
    })?;
    if head.len() as u64 == KEY_BYTES {
        notes.push("keys that stand only in later lines are left out".to_owned());
    }
    let mut names = Names::default();
    let columns = keys.iter().zip(&values).map(|(key, values)| values.column(key, &mut names));
    let columns = columns.collect();
    let (source, compression) = (Shape::Ndjson, Compression::None);
    Ok(Found { source, compression, columns, notes, extent })
}

/// How a job names the key: one that begins with a slash would be a pointer.
fn pointer(key: &str) -> String {
    if key.starts_with('/') {
        return format!("/{}", key.replace('~', "~0").replace('/', "~1"));
    }
    key.to_owned()
}

/// The values of a key.
struct Values {
    observed: Observed,
    strings: u64,
    numbers: u64,
    flags: u64,
    nested: u64,
}

impl Values {
    fn new() -> Self {
        Self { observed: Observed::new(), strings: 0, numbers: 0, flags: 0, nested: 0 }
    }

    fn see(&mut self, json: Option<&str>) {
        let Some(json) = json else { return self.observed.see(None) };
        let text = match json.as_bytes().first() {
            Some(b'"') => {
                self.strings += 1;
                // A string that is no text is a reject whatever its column is.
                serde_json::from_str::<String>(json).unwrap_or_default()
            }
            Some(b'{' | b'[') => {
                self.nested += 1;
                json.to_owned()
            }
            Some(b't' | b'f') => {
                self.flags += 1;
                json.to_owned()
            }
            _ => {
                self.numbers += 1;
                json.to_owned()
            }
        };
        self.observed.see(Some(&text));
    }

    fn column(&self, key: &str, names: &mut Names) -> Guessed {
        let name = names.give(key);
        let from = (name != key).then(|| From::Field(pointer(key)));
        let mut guessed = Guessed::of(name, from, &self.observed, &[]);
        let kinds = [self.strings, self.numbers, self.flags, self.nested];
        let mixed = kinds.iter().filter(|count| **count > 0).count() > 1;
        if self.nested > 0 || mixed && self.strings == 0 {
            guessed.column_type = ColumnType::Jsonb;
            guessed.nulls = None;
            guessed.note = Some(match mixed {
                true => "values of several kinds".to_owned(),
                false => "values within are taken by from = \"/key/within\"".to_owned(),
            });
        } else if mixed || self.is_only_in_strings() {
            guessed.column_type = ColumnType::Text;
            guessed.nulls = None;
            guessed.note = mixed.then(|| "values of several kinds".to_owned());
        }
        guessed
    }

    /// A number or a truth value in quotes is meant as a text, and so is a marker of NULL.
    fn is_only_in_strings(&self) -> bool {
        let plain = [Kind::Boolean, Kind::Bigint, Kind::Numeric, Kind::Double];
        let kind = self.observed.kind();
        self.strings > 0
            && (kind.is_some_and(|kind| plain.contains(&kind))
                || !self.observed.null_texts().is_empty())
    }
}

/// Adds the keys of the object on a line, in their order; says whether it is one.
fn keys_of(line: &[u8], keys: &mut Vec<String>) -> bool {
    let mut parser = serde_json::Deserializer::from_slice(line);
    parser.deserialize_map(Keys(keys)).is_ok() && parser.end().is_ok()
}

struct Keys<'a>(&'a mut Vec<String>);

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            if !self.0.contains(&key) {
                self.0.push(key);
            }
        }
        Ok(())
    }
}
