//! `${NAME}` and `${NAME:-default}` in the texts of a job file.

use std::fmt;

/// Why a text cannot be substituted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A name that nobody set, and that has no default.
    Unset(String),
    /// A `${` without its `}`.
    Open,
    /// What stands between the braces is no name. It is not kept: it may be part of a password.
    NoName,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset(name) => {
                write!(f, "${{{name}}} is set neither in [params] nor in the environment")
            }
            Self::Open => f.write_str("\"${\" has no \"}\" behind it, write \"$${\" for the text"),
            Self::NoName => f.write_str(
                "${...} holds no name, expected letters, digits and _ - . or \"$${\" for the text",
            ),
        }
    }
}

/// Whether `name` can stand in `${...}`.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !name.is_empty() && name.chars().all(allowed)
}

/// Puts values in the place of their names. `$${` becomes `${`; a value that itself contains
/// `${` is not looked at again. As in a shell, the default of `${NAME:-default}` also stands in for
/// an empty value.
pub(super) fn substitute(
    text: &str,
    value_of: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Fault> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, behind) = (&rest[..at], &rest[at + 2..]);
        if let Some(escaped) = before.strip_suffix('$') {
            out.push_str(escaped);
            out.push_str("${");
            rest = behind;
            continue;
        }
        let (inner, behind) = behind.split_once('}').ok_or(Fault::Open)?;
        out.push_str(before);
        out.push_str(&value(inner, value_of)?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn value(inner: &str, value_of: &dyn Fn(&str) -> Option<String>) -> Result<String, Fault> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    if !is_name(name) {
        return Err(Fault::NoName);
    }
    match (value_of(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(Fault::Unset(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_values(text: &str) -> Result<String, Fault> {
        substitute(text, &|name| match name {
            "night" => Some("2026-08-20".to_owned()),
            "empty" => Some(String::new()),
            "nested" => Some("${night}".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn names_become_values_and_the_rest_stays() {
        for (text, expected) in [
            ("", ""),
            ("plain $5 $ {x} }", "plain $5 $ {x} }"),
            ("data/${night}/x.csv", "data/2026-08-20/x.csv"),
            ("${night}${night}", "2026-08-202026-08-20"),
            ("${DB:-sqlite:nightly.db}", "sqlite:nightly.db"),
            ("${DB:-}", ""),
            ("${night:-never}", "2026-08-20"),
            ("${empty}", ""),
            ("${empty:-full}", "full"),
            ("$${night}", "${night}"),
            ("$$${night}", "$${night}"),
            ("${nested}", "${night}"),
            ("\u{e9}${night}\u{e9}", "\u{e9}2026-08-20\u{e9}"),
        ] {
            assert_eq!(with_values(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_unset_name_is_named() {
        assert_eq!(with_values("a ${nigth}"), Err(Fault::Unset("nigth".to_owned())));
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        assert_eq!(with_values("${night"), Err(Fault::Open));
        assert_eq!(with_values("${}"), Err(Fault::NoName));
        assert_eq!(with_values("${a b}"), Err(Fault::NoName));
    }
}
