//! What becomes of NUL in a text.

use crate::error::{Error, ErrorKind};
use crate::sqlstate::SqlState;
use std::borrow::Cow;

/// What becomes of the character NUL (`U+0000`) in a text, which no text column of PostgreSQL
/// holds and which SQLite's own functions take for the end of the text.
///
/// Whatever is not told otherwise refuses it when the row is packed, on every database: an
/// `Encode` error with SQLSTATE 22021 that names the column, so that in a job the row is rejected
/// and the rest of its batch is loaded. A column that is to do something else says so: an entity
/// by a type of its own, a CSV column by its option `nul`.
///
/// ```
/// use rowmill::{Cell, ColumnType, NulPolicy};
///
/// #[derive(Cell)]
/// #[cell(nul = "strip")]
/// struct Comment(String);
///
/// let mut packed = Vec::new();
/// Comment("a\0b".into()).pack(&ColumnType::Text, &mut packed)?;
/// assert_eq!(packed, b"ab");
/// assert!("a\0b".to_owned().pack(&ColumnType::Text, &mut packed).is_err());
/// assert_eq!(NulPolicy::Replace.apply("a\0b"), "a\u{fffd}b");
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NulPolicy {
    /// The text is refused: the default.
    #[default]
    Reject,
    /// NULs are left out.
    Strip,
    /// Each becomes `U+FFFD`, the replacement character.
    Replace,
}

impl NulPolicy {
    /// The text as this policy leaves it; under [`NulPolicy::Reject`] as it is, for whoever packs
    /// it to refuse.
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        let replacement = match self {
            Self::Reject => return Cow::Borrowed(text),
            Self::Strip => "",
            Self::Replace => "\u{fffd}",
        };
        if memchr::memchr(0, text.as_bytes()).is_none() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(text.replace('\0', replacement))
    }

    /// The policy of that name: `reject`, `strip` or `replace`.
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "reject" => Self::Reject,
            "strip" => Self::Strip,
            "replace" => Self::Replace,
            _ => return None,
        })
    }
}

/// The error for a text with NUL.
#[cold]
pub(crate) fn refused() -> Error {
    Error::new(ErrorKind::Encode, "a text contains NUL, which no column can hold")
        .with_sqlstate(SqlState::CHARACTER_NOT_IN_REPERTOIRE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_does_what_its_name_says() {
        for (name, left) in
            [("reject", "\0a\0\0b"), ("strip", "ab"), ("replace", "\u{fffd}a\u{fffd}\u{fffd}b")]
        {
            assert_eq!(NulPolicy::of_name(name).unwrap().apply("\0a\0\0b"), left);
        }
        assert_eq!(NulPolicy::of_name("Strip"), None);
        assert!(matches!(NulPolicy::Strip.apply("ab"), Cow::Borrowed("ab")));
    }
}
