//! Values of keys as SQL text, for statements that take no parameters.

use super::dialect::Dialect;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write as _};

/// The value of a column of a key, exactly: `Debug` shows its kind and never the value.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub enum Literal {
    /// A text, or what the database prints for a value of a type of its own.
    #[serde(rename = "t")]
    Text(String),
    /// A whole number of an untyped database.
    #[serde(rename = "i")]
    Integer(i64),
    /// The bits of a floating point number of an untyped database.
    #[serde(rename = "r")]
    Real(u64),
    /// Bytes of an untyped database.
    #[serde(rename = "b")]
    Blob(Vec<u8>),
}

impl Literal {
    /// The value as an expression of the type `type_name`, which is SQL.
    ///
    /// # Errors
    /// `Source` if it has no text in that dialect.
    pub fn sql(&self, dialect: Dialect, type_name: &str) -> Result<String> {
        Ok(match (dialect, self) {
            (_, Self::Text(text)) if text.contains('\0') => match dialect {
                Dialect::PostgreSql => return Err(no_text()),
                Dialect::Sqlite => format!("CAST({} AS TEXT)", blob(text.as_bytes())),
            },
            (Dialect::PostgreSql, Self::Text(text)) => {
                format!("CAST({} AS {type_name})", quoted(text))
            }
            (Dialect::Sqlite, Self::Text(text)) => quoted(text),
            (Dialect::Sqlite, Self::Integer(number)) => number.to_string(),
            (Dialect::Sqlite, Self::Blob(bytes)) => blob(bytes),
            (Dialect::Sqlite, Self::Real(bits)) => match f64::from_bits(*bits) {
                infinite if infinite.is_infinite() && infinite > 0.0 => "9e999".to_owned(),
                infinite if infinite.is_infinite() => "-9e999".to_owned(),
                // The shortest text that is read as the same number.
                number => format!("{number:e}"),
            },
            (Dialect::PostgreSql, _) => return Err(no_text()),
        })
    }

    /// The value as a person reads it, for the reject store.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Real(bits) => f64::from_bits(*bits).to_string(),
            Self::Blob(bytes) => blob(bytes),
        }
    }
}

impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::Integer(_) => "Integer(..)",
            Self::Real(_) => "Real(..)",
            Self::Blob(_) => "Blob(..)",
        })
    }
}

/// A text as a literal of standard SQL, in which a backslash is a character like any other.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn blob(bytes: &[u8]) -> String {
    bytes.iter().fold("x'".to_owned(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }) + "'"
}

fn no_text() -> Error {
    Error::new(ErrorKind::Source, "a value of the key cannot be written as SQL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_same_as_sql() {
        let pg = |literal: Literal| literal.sql(Dialect::PostgreSql, "text").unwrap();
        assert_eq!(
            pg(Literal::Text("it's \\ \"x\"; --".into())),
            r#"CAST('it''s \ "x"; --' AS text)"#
        );
        let lite = |literal: Literal| literal.sql(Dialect::Sqlite, "").unwrap();
        assert_eq!(lite(Literal::Integer(i64::MIN)), "-9223372036854775808");
        assert_eq!(lite(Literal::Real(0.1_f64.to_bits())), "1e-1");
        assert_eq!(lite(Literal::Real(f64::NEG_INFINITY.to_bits())), "-9e999");
        assert_eq!(lite(Literal::Blob(vec![0, 255])), "x'00ff'");
        assert_eq!(lite(Literal::Text("a\0".into())), "CAST(x'6100' AS TEXT)");
        assert!(Literal::Text("\0".into()).sql(Dialect::PostgreSql, "text").is_err());
    }

    #[test]
    fn no_value_is_shown_by_debug() {
        assert_eq!(format!("{:?}", Literal::Text("secret".into())), "Text(..)");
    }
}
