//! The TOML behind a job file, read key by key, with the line of everything.

use super::substitute::{Fault, substitute};
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a job file may refer to by name: its parameters, and the environment.
pub(super) struct Names<'a> {
    pub(super) params: BTreeMap<String, String>,
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
}

/// The text of a job file and what its texts may refer to.
pub(super) struct Reader<'a> {
    /// The file as the user named it.
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) names: Names<'a>,
}

impl Reader<'_> {
    /// The one line of an error: file, line, key, and what is wrong or was expected.
    pub(super) fn error(&self, offset: usize, path: &str, what: &str) -> Error {
        self.error_of(ErrorKind::Config, offset, path, what)
    }

    fn error_of(&self, kind: ErrorKind, offset: usize, path: &str, what: &str) -> Error {
        let line = self.line_of(offset);
        let path = path.trim_end();
        let separator = if path.is_empty() { "" } else { ": " };
        Error::new(kind, one_line(&format!("{}:{line}: {path}{separator}{what}", self.file)))
    }

    fn line_of(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        1 + memchr::memchr_iter(b'\n', before).count()
    }

    fn substituted(&self, text: &str) -> Result<String, String> {
        let params = &self.names.params;
        let value_of =
            |name: &str| params.get(name).cloned().or_else(|| (self.names.environment)(name));
        substitute(text, &value_of).map_err(|fault| match &fault {
            Fault::Unset(name) => {
                let meant = nearest(name, params.keys().map(String::as_str));
                format!("{fault}{}", meant.map(did_you_mean).unwrap_or_default())
            }
            _ => fault.to_string(),
        })
    }
}

/// A table of keys: the whole file, a `[section]`, or the options of a column.
pub(super) struct Section<'a> {
    reader: &'a Reader<'a>,
    /// What stands before a key in messages: nothing, `[target] `, or `[columns] id.`.
    prefix: String,
    offset: usize,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(super) fn root(reader: &'a Reader<'a>, table: &'a DeTable<'a>) -> Self {
        Self { reader, prefix: String::new(), offset: 0, table }
    }

    /// Refuses every key that is not one of `known`.
    pub(super) fn allow_only(&self, known: &[&str]) -> Result<()> {
        for field in self.fields() {
            if !known.contains(&field.key) {
                let meant = nearest(field.key, known.iter().copied());
                let expected = || format!(", expected {}", one_of(known));
                let advice = meant.map_or_else(expected, did_you_mean);
                return Err(field.error(&format!("unknown key{advice}")));
            }
        }
        Ok(())
    }

    /// All keys, in the order of the file.
    pub(super) fn fields(&self) -> Vec<Field<'a>> {
        let mut fields: Vec<_> =
            self.table.iter().map(|(key, value)| self.field_of(key, value)).collect();
        fields.sort_by_key(|field| field.offset);
        fields
    }

    /// The value of `key`, if the file has one.
    pub(super) fn optional(&self, key: &str) -> Option<Field<'a>> {
        self.table.get_key_value(key).map(|(key, value)| self.field_of(key, value))
    }

    /// The value of `key`.
    pub(super) fn required(&self, key: &str, expected: &str) -> Result<Field<'a>> {
        self.optional(key).ok_or_else(|| self.error(key, &format!("missing, expected {expected}")))
    }

    /// The section `[key]` of the whole file, if it has one.
    pub(super) fn optional_section(&self, key: &str) -> Result<Option<Section<'a>>> {
        self.optional(key).map(|field| field.section(format!("[{key}] "))).transpose()
    }

    /// The section `[key]` of the whole file.
    pub(super) fn section(&self, key: &str, expected: &str) -> Result<Section<'a>> {
        self.optional_section(key)?.ok_or_else(|| {
            self.error(&format!("[{key}]"), &format!("missing, expected {expected}"))
        })
    }

    /// What is wrong with a key that is not there: on the line of the section.
    pub(super) fn error(&self, key: &str, what: &str) -> Error {
        self.reader.error(self.offset, &format!("{}{key}", self.prefix), what)
    }

    fn field_of(
        &self,
        key: &'a Spanned<std::borrow::Cow<'a, str>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Field<'a> {
        Field {
            reader: self.reader,
            key: key.get_ref(),
            path: format!("{}{}", self.prefix, key.get_ref()),
            offset: key.span().start,
            value: value.get_ref(),
        }
    }
}

/// A key and its value.
pub(super) struct Field<'a> {
    reader: &'a Reader<'a>,
    pub(super) key: &'a str,
    path: String,
    offset: usize,
    pub(super) value: &'a DeValue<'a>,
}

impl<'a> Field<'a> {
    /// What is wrong with it.
    pub(super) fn error(&self, what: &str) -> Error {
        self.reader.error(self.offset, &self.path, what)
    }

    /// The error of a value that is built in only with a cargo feature.
    pub(super) fn needs_feature(&self, name: &str) -> Error {
        let what = format!("{name:?} is not built in, build rowmill with the feature {name}");
        self.reader.error_of(ErrorKind::Unsupported, self.offset, &self.path, &what)
    }

    /// A value that a later version will understand.
    pub(super) fn not_built_in(&self, value: &str, expected: &str) -> Error {
        let what = format!("{value:?} is not built in yet, expected {expected}");
        self.reader.error_of(ErrorKind::Unsupported, self.offset, &self.path, &what)
    }

    /// The value is of another type.
    pub(super) fn wrong_type(&self, expected: &str) -> Error {
        let found = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(&format!("expected {expected}, found {found}"))
    }

    /// The line it stands on, from 1.
    pub(super) fn line(&self) -> usize {
        self.reader.line_of(self.offset)
    }

    /// A text as it stands in the file.
    pub(super) fn plain_text(&self, expected: &str) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.wrong_type(expected))
    }

    /// A text with its `${...}` substituted.
    pub(super) fn text(&self, expected: &str) -> Result<String> {
        let plain = self.plain_text(expected)?;
        self.reader.substituted(plain).map_err(|what| self.error(&what))
    }

    /// A substituted text that is not empty.
    pub(super) fn filled_text(&self, expected: &str) -> Result<String> {
        let text = self.text(expected)?;
        if text.is_empty() {
            return Err(self.error(&format!("expected {expected}, found an empty text")));
        }
        Ok(text)
    }

    /// Texts as they stand in the file.
    pub(super) fn plain_texts(&self, expected: &str) -> Result<Vec<&'a str>> {
        let wrong = || self.wrong_type(expected);
        let list = self.value.as_array().ok_or_else(wrong)?;
        let no_text =
            || self.error(&format!("expected {expected}, found another type in the list"));
        list.iter().map(|item| item.get_ref().as_str().ok_or_else(no_text)).collect()
    }

    /// Texts with their `${...}` substituted.
    pub(super) fn texts(&self, expected: &str) -> Result<Vec<String>> {
        let substituted =
            |text: &str| self.reader.substituted(text).map_err(|what| self.error(&what));
        self.plain_texts(expected)?.into_iter().map(substituted).collect()
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Result<bool> {
        self.value.as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    /// An integer, where the value is one; `None` where it does not fit into 128 bits.
    pub(super) fn integer(&self) -> Option<i128> {
        let integer = self.value.as_integer()?;
        i128::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    /// An integer from `least` to `most`.
    pub(super) fn count(&self, least: u64, most: u64) -> Result<u64> {
        let expected = format!("an integer from {least} to {most}");
        if self.value.as_integer().is_none() {
            return Err(self.wrong_type(&expected));
        }
        let number = self.integer().and_then(|number| u64::try_from(number).ok());
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| self.error(&format!("expected {expected}")))
    }

    /// One of a few words, each with what it stands for.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T> {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let expected = one_of(&known);
        let text = self.text(&expected)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(*meaning);
        }
        let meant = nearest(&text, known.iter().copied());
        let advice = meant.map_or(format!(", expected {expected}"), did_you_mean);
        Err(self.error(&format!("unknown value {text:?}{advice}")))
    }

    /// The value as a table of options, whose keys are shown behind `prefix`.
    pub(super) fn section(&self, prefix: String) -> Result<Section<'a>> {
        match self.value.as_table() {
            Some(table) => Ok(Section { reader: self.reader, prefix, offset: self.offset, table }),
            None => Err(self.wrong_type("a table of options")),
        }
    }

    /// The prefix of the keys of a table that is the value of this key.
    pub(super) fn inner_prefix(&self) -> String {
        format!("{}.", self.path)
    }
}

/// A key can be any text: what would break the line, or move the cursor, is escaped.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

/// `, did you mean "mode"?`
pub(super) fn did_you_mean(name: &str) -> String {
    format!(", did you mean \"{name}\"?")
}

/// `a, b or c`
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
