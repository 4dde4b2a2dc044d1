//! A value as a column takes it.

use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::nul::NulPolicy;
use crate::mapping::text::Input;
use crate::sqlstate::SqlState;
use std::borrow::Cow;

/// How a value becomes that of a column.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) trim: bool,
    pub(super) nul: NulPolicy,
    pub(super) nulls: Vec<String>,
}

/// Reads every value as it is.
pub(super) const AS_IT_IS: Reader =
    Reader { trim: false, nul: NulPolicy::Reject, nulls: Vec::new() };

impl Reader {
    /// The text of a value, which is written in JSON, for the type of `input`; `None` for NULL.
    ///
    /// # Errors
    /// `Decode` if it is nested, or no text.
    pub(super) fn text<'a>(
        &self,
        json: Option<&'a str>,
        input: &Input,
    ) -> Result<Option<Cow<'a, str>>> {
        let Some(json) = json.filter(|json| *json != "null") else { return Ok(None) };
        if matches!(input.column_type(), ColumnType::Json | ColumnType::Jsonb) {
            return Ok(Some(Cow::Borrowed(json)));
        }
        match json.as_bytes().first() {
            Some(b'"') => Ok(self.string(text_of(json)?)),
            Some(b'{' | b'[') => Err(nested()),
            // Numbers and truth values are read as they are written.
            _ => Ok(Some(Cow::Borrowed(json))),
        }
    }

    fn string<'a>(&self, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
        let text = match text {
            Cow::Borrowed(text) if self.trim => Cow::Borrowed(text.trim()),
            Cow::Owned(text) if self.trim => Cow::Owned(text.trim().to_owned()),
            text => text,
        };
        if self.nulls.iter().any(|null| *null == text) {
            return None;
        }
        match self.nul {
            NulPolicy::Reject => Some(text),
            policy => Some(Cow::Owned(policy.apply(&text).into_owned())),
        }
    }
}

/// The text that a JSON string stands for.
fn text_of(json: &str) -> Result<Cow<'_, str>> {
    let inner = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(json).map(Cow::Owned).map_err(|_| {
        Error::new(ErrorKind::Decode, "an escape in the string stands for no character")
            .with_sqlstate(SqlState::INVALID_TEXT)
            .with_hint("half of a surrogate pair is no character")
    })
}

#[cold]
fn nested() -> Error {
    Error::new(ErrorKind::Decode, "an object or array where one value was expected")
        .with_sqlstate(SqlState::INVALID_TEXT)
        .with_hint("make the column jsonb, or take a value within by a path such as \"/key/0\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::text::output;

    fn read(json: &str, column_type: &str) -> Result<Option<String>> {
        read_by(&AS_IT_IS, json, column_type)
    }

    fn read_by(reader: &Reader, json: &str, column_type: &str) -> Result<Option<String>> {
        let column_type = ColumnType::parse(column_type).unwrap();
        let mut packed = Vec::new();
        let input = Input::of(&column_type);
        let Some(text) = reader.text(Some(json), &input)? else { return Ok(None) };
        input.read(&text, &mut packed)?;
        let mut text = String::new();
        output(&column_type, &packed, &mut text).map(|()| Some(text))
    }

    #[test]
    fn a_number_keeps_all_its_digits() {
        let digits = "123456789012345678901234567890.123456789012345678901234567890";
        assert_eq!(read(digits, "numeric").unwrap().unwrap(), digits);
        assert_eq!(read("9223372036854775807", "bigint").unwrap().unwrap(), "9223372036854775807");
        assert_eq!(read("1.10", "text").unwrap().unwrap(), "1.10");
        assert!(read("9223372036854775808", "bigint").is_err());
        assert!(read("1.0", "bigint").is_err());
    }

    #[test]
    fn a_value_is_read_as_the_text_it_stands_for() {
        for (json, column_type, value) in [
            ("true", "boolean", "t"),
            ("\"yes\"", "boolean", "t"),
            ("\"12\"", "integer", "12"),
            ("true", "text", "true"),
            ("\"\"", "text", ""),
            ("\"a\\n\\u00e9\\ud83d\\ude00\"", "text", "a\n\u{e9}\u{1f600}"),
            ("\"2026-08-20\"", "date", "2026-08-20"),
            ("{\"a\": [1,2]}", "json", "{\"a\": [1,2]}"),
            ("\"a\"", "json", "\"a\""),
            ("12", "jsonb", "12"),
        ] {
            assert_eq!(read(json, column_type).unwrap().as_deref(), Some(value), "{json}");
        }
        for column_type in ["text", "jsonb", "integer"] {
            assert_eq!(read("null", column_type).unwrap(), None);
        }
    }

    #[test]
    fn what_is_no_value_of_the_column_is_a_fault_of_the_row() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for (json, column_type) in [
            ("[1]", "text"),
            ("{}", "integer"),
            ("\"\\ud800\"", "text"),
            ("\"\\udc00\\ud800\"", "text"),
            ("\"a\\u0000b\"", "text"),
            ("\"a\\u0000b\"", "jsonb"),
            ("\"\\ud800\"", "jsonb"),
            ("\"x\"", "integer"),
            ("true", "integer"),
            (&deep, "jsonb"),
            (&deep, "json"),
        ] {
            let error = read(json, column_type).unwrap_err();
            assert!(error.is_data(), "{column_type}: {error}");
        }
    }

    #[test]
    fn a_column_says_what_becomes_of_its_texts() {
        let reader = Reader { trim: true, nul: NulPolicy::Strip, nulls: vec!["NA".to_owned()] };
        assert_eq!(read_by(&reader, "\" NA \"", "text").unwrap(), None);
        assert_eq!(read_by(&reader, "\" a\\u0000b \"", "text").unwrap().unwrap(), "ab");
        assert_eq!(read_by(&reader, "7", "integer").unwrap().unwrap(), "7");
    }
}
