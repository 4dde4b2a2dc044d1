//! Names of tables and columns, quoted so that none can be anything else.

use crate::error::{Error, ErrorKind, Result};
use std::fmt;

/// The longest name PostgreSQL keeps, in bytes; it would cut a longer one silently.
pub const MAX_IDENT_BYTES: usize = 63;

/// A name of a column, a table or a schema.
///
/// Never empty, at most [`MAX_IDENT_BYTES`] long, without NUL. `Display` quotes it for SQL, always:
/// a name means the same whether or not it is a reserved word.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(String);

impl Ident {
    /// Takes a name as it is, with its case.
    ///
    /// # Errors
    /// `Config` if the name is empty, longer than 63 bytes or contains NUL.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let fault = if name.is_empty() {
            "a name is empty".to_owned()
        } else if name.len() > MAX_IDENT_BYTES {
            format!(
                "the name {name:?} has {} bytes, at most {MAX_IDENT_BYTES} are kept",
                name.len()
            )
        } else if name.contains('\0') {
            format!("the name {name:?} contains NUL")
        } else {
            return Ok(Self(name));
        };
        Err(Error::new(ErrorKind::Config, fault))
    }

    /// The name itself, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// The name of a table, with its schema where one was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// The schema; without one the database looks the table up on its search path.
    pub schema: Option<Ident>,
    /// The table.
    pub table: Ident,
}

impl TableName {
    /// Reads `table` or `schema.table`.
    ///
    /// ```
    /// use rowmill::TableName;
    /// assert_eq!(TableName::parse("etl.runways")?.to_string(), r#""etl"."runways""#);
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` if a part is no name, or there are more than two.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split('.').collect::<Vec<_>>()[..] {
            [table] => Ok(Self { schema: None, table: Ident::new(table)? }),
            [schema, table] => {
                Ok(Self { schema: Some(Ident::new(schema)?), table: Ident::new(table)? })
            }
            _ => Err(Error::new(
                ErrorKind::Config,
                format!("{text:?} is no table name: expected table or schema.table"),
            )),
        }
    }

    /// The name as a person writes it: `schema.table`, without quotes.
    pub fn plain(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", schema.0, self.table.0),
            None => self.table.0.clone(),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.table),
            None => self.table.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_a_name_are_doubled() {
        let name = Ident::new(r#"a"; drop table b;--"#).unwrap();
        assert_eq!(name.to_string(), r#""a""; drop table b;--""#);
    }

    /// batch 3.9.4
    #[test]
    fn a_name_that_the_server_would_cut_is_refused() {
        assert!(Ident::new("é".repeat(31)).is_ok());
        let error = Ident::new("é".repeat(32)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains("64 bytes"));
    }

    #[test]
    fn empty_names_and_nul_are_refused() {
        assert!(Ident::new("").is_err());
        assert!(Ident::new("a\0b").is_err());
        assert!(TableName::parse("a.b.c").is_err());
        assert!(TableName::parse("a.").is_err());
    }
}
