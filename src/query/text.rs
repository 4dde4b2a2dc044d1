//! SQL as it is written, with named values.

use super::render::Statement;
use super::value::{ToValue, Value};
use crate::error::{Error, ErrorKind, Result};
use std::borrow::Cow;
use std::collections::HashMap;

/// A statement as it is written, and its values.
///
/// The text is part of the program: a `&'static str`. One that is put together at run time has to
/// say so: [`Sql::unchecked`]. Values stand in it as `:name` or as `$1`, `$2`, ... and never as
/// themselves.
///
/// ```
/// use rowmill::Sql;
/// let long = Sql::new("select id, length_ft from runways where length_ft > :least")
///     .bind("least", 3_000);
/// # let _ = long;
/// ```
#[derive(Clone, Debug)]
pub struct Sql {
    text: Cow<'static, str>,
    named: Vec<(&'static str, Result<Value, String>)>,
    values: Vec<Result<Value, String>>,
}

impl Sql {
    /// A statement of the program.
    pub fn new(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), named: Vec::new(), values: Vec::new() }
    }

    /// A statement that was put together at run time. Whoever does that answers for it that no
    /// input is part of the text.
    pub fn unchecked(text: impl Into<String>) -> Self {
        Self { text: Cow::Owned(text.into()), named: Vec::new(), values: Vec::new() }
    }

    /// The value of `:name`.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "values are given, not lent")]
    pub fn bind(mut self, name: &'static str, value: impl ToValue) -> Self {
        self.named.push((name, packed(&value)));
        self
    }

    /// The value of the next placeholder: of `$1`, then of `$2`, ...
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "values are given, not lent")]
    pub fn value(mut self, value: impl ToValue) -> Self {
        self.values.push(packed(&value));
        self
    }

    /// Its text with numbered placeholders, and its values in their order.
    ///
    /// # Errors
    /// `Config` if a name has no value or a value has no name in it, or if it has names and numbers;
    /// `Encode` if a value cannot be packed.
    pub fn statement(&self) -> Result<Statement> {
        self.statement_after(0)
    }

    /// As [`statement`](Self::statement), as a part of one that has `before` values already.
    pub(super) fn statement_after(&self, before: usize) -> Result<Statement> {
        if !self.named.is_empty() && !self.values.is_empty() {
            let message = "a statement has either named values or numbered ones";
            return Err(Error::new(ErrorKind::Config, message));
        }
        if self.named.is_empty() && !self.values.is_empty() {
            if before > 0 {
                let message = "a part of a statement has named values, and no numbered ones";
                return Err(Error::new(ErrorKind::Config, message));
            }
            let values = self.values.iter().map(owned).collect::<Result<_>>()?;
            return Ok(Statement { sql: self.text.clone().into_owned(), values });
        }
        if self.named.is_empty() && before == 0 {
            return Ok(Statement { sql: self.text.clone().into_owned(), values: Vec::new() });
        }
        self.named_statement(before)
    }

    fn named_statement(&self, before: usize) -> Result<Statement> {
        let (sql, names) = number(&self.text, before);
        let mut known: HashMap<&str, &Result<Value, String>> = HashMap::new();
        for (name, value) in &self.named {
            if !names.iter().any(|used| used == name) {
                let message =
                    format!("there is a value for :{name}, which the statement does not have");
                return Err(Error::new(ErrorKind::Config, message));
            }
            known.insert(name, value);
        }
        let values = names.iter().map(|name| match known.get(name.as_str()) {
            Some(known) => owned(known),
            None => Err(Error::new(ErrorKind::Config, format!("there is no value for :{name}"))
                .with_hint(format!(".bind({name:?}, ...) gives it one"))),
        });
        Ok(Statement { sql, values: values.collect::<Result<_>>()? })
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::new(text)
    }
}

fn owned(value: &Result<Value, String>) -> Result<Value> {
    value.clone().map_err(|message| Error::new(ErrorKind::Encode, message))
}

fn packed(value: &impl ToValue) -> Result<Value, String> {
    value.to_value().map_err(|error| error.message().to_owned())
}

/// Puts `$1`, `$2`, ... for the names of a text, from the number that comes `before`, and says which they are. What is in quotes or a
/// comment, and a cast (`::`), has none.
fn number(text: &str, before: usize) -> (String, Vec<String>) {
    let mut sql = String::with_capacity(text.len());
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ':' if rest.starts_with("::") => 2,
            ':' => {
                let name = name_at(&rest[1..]);
                if !name.is_empty() {
                    let known = names.iter().position(|known| known == name);
                    let index = known.unwrap_or_else(|| {
                        names.push(name.to_owned());
                        names.len() - 1
                    });
                    sql.push('$');
                    sql.push_str(&(before + index + 1).to_string());
                    rest = &rest[1 + name.len()..];
                    continue;
                }
                1
            }
            _ => skipped(rest, first),
        };
        sql.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    (sql, names)
}

fn name_at(text: &str) -> &str {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return "";
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// How many bytes stand together at the start of `rest`: a quoted text, a comment, a word.
fn skipped(rest: &str, first: char) -> usize {
    let to = |end: &str, from: usize| {
        rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len())
    };
    match first {
        '\'' | '"' => to(&first.to_string(), 1),
        '-' if rest.starts_with("--") => to("\n", 2),
        '/' if rest.starts_with("/*") => comment(rest),
        'e' | 'E' if rest[1..].starts_with('\'') => escaped(rest),
        '$' => {
            let tag = 1 + name_at(&rest[1..]).len();
            if rest[tag..].starts_with('$') { to(&rest[..=tag], tag + 1) } else { 1 }
        }
        // Whole words, so that the `e` of a name before a quote is none of an escape.
        _ if first.is_alphanumeric() || first == '_' => {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        }
        _ => first.len_utf8(),
    }
}

/// `E'...'`, in which a backslash takes the meaning of the next character.
fn escaped(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(2);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '\'' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `/* ... */`, within which there may be others.
fn comment(rest: &str) -> usize {
    let mut depth = 0_u32;
    let bytes = rest.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_and_the_same_name_the_same_one() {
        let (sql, names) = number("select :a, :b_2, :a where x=:c", 0);
        assert_eq!(sql, "select $1, $2, $1 where x=$3");
        assert_eq!(names, ["a", "b_2", "c"]);
    }

    #[test]
    fn what_is_quoted_a_comment_or_a_cast_has_no_names() {
        for text in [
            "select ':a' || \":a\" from t",
            "select 'it''s :a', e'\\':a', name':a'",
            "select 1 -- :a\n, 2 /* :a /* :a */ :a */",
            "select $$ :a $$, $tag$ :a $$ $tag$, x::text, a[1:2]",
        ] {
            let (sql, names) = number(text, 0);
            assert_eq!((sql.as_str(), names.len()), (text, 0));
        }
    }

    #[test]
    fn a_name_without_a_value_and_a_value_without_a_name_are_refused() {
        let missing = Sql::new("select :a, :b").bind("a", 1).statement().unwrap_err();
        assert!(missing.to_string().starts_with("there is no value for :b"), "{missing}");
        let unused = Sql::new("select :a").bind("a", 1).bind("c", 1).statement().unwrap_err();
        assert!(unused.to_string().contains(":c"), "{unused}");
        let both = Sql::new("select :a, $1").bind("a", 1).value(1).statement().unwrap_err();
        assert_eq!(both.kind(), ErrorKind::Config);
    }
}
