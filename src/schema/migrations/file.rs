//! One file.

use crate::error::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// What stands before a mark.
const MARK: &str = "-- rowmill:";

/// A change of a database: a file `NNNN_name.sql`.
#[derive(Clone, PartialEq, Eq)]
pub struct Migration {
    version: i64,
    name: String,
    sql: String,
    checksum: String,
    in_transaction: bool,
}

impl Migration {
    /// The migration of a file that is called `name`: its number, `_`, any name, `.sql`. A line
    /// `-- rowmill: no-transaction` has it run outside of a transaction.
    ///
    /// # Errors
    /// `Config` if it is not called so, or has a mark that means nothing.
    pub fn new(name: &str, sql: &str) -> Result<Self> {
        let version = version(name).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("{name:?} is no name of a migration"))
                .with_hint("call it NNNN_name.sql, for instance 0001_create_artists.sql")
        })?;
        // A checkout on another system ends its lines in another way and is the same file.
        let sql = sql.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let marks = sql.lines().filter_map(|line| line.trim().strip_prefix(MARK));
        let mut in_transaction = true;
        for mark in marks {
            if mark.trim() != "no-transaction" {
                let message = format!("{name}: {:?} is no mark", mark.trim());
                return Err(Error::new(ErrorKind::Config, message)
                    .with_hint("the one there is: -- rowmill: no-transaction"));
            }
            in_transaction = false;
        }
        let checksum = checksum(&sql);
        Ok(Self { version, name: name.to_owned(), sql, checksum, in_transaction })
    }

    /// Its number.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The name of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its statements.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The SHA-256 of its text, whose lines end with a line feed, in hexadecimal digits.
    pub fn checksum(&self) -> &str {
        &self.checksum
    }

    /// Whether it runs in a transaction together with its record.
    pub fn in_transaction(&self) -> bool {
        self.in_transaction
    }
}

impl std::fmt::Debug for Migration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The statements may be long and may have values.
        f.debug_struct("Migration").field("name", &self.name).finish_non_exhaustive()
    }
}

fn version(name: &str) -> Option<i64> {
    let (number, rest) = name.split_once('_')?;
    let is_named = rest.strip_suffix(".sql").is_some_and(|rest| !rest.is_empty());
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_named && is_number { number.parse().ok() } else { None }
}

fn checksum(sql: &str) -> String {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(sql.as_bytes()) {
        // Writing to a text does not fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_number_and_a_word() {
        for (name, version) in [
            ("0001_init.sql", Some(1)),
            ("20260322101500_a_b.sql", Some(20_260_322_101_500)),
            ("1_a.sql", Some(1)),
            ("_a.sql", None),
            ("1.sql", None),
            ("1_.sql", None),
            ("a_1.sql", None),
            ("-1_a.sql", None),
            ("1_a.SQL", None),
            ("99999999999999999999_a.sql", None),
        ] {
            let found = Migration::new(name, "").ok().map(|migration| migration.version());
            assert_eq!(found, version, "{name}");
        }
    }

    #[test]
    fn the_ends_of_lines_do_not_change_the_checksum() {
        let of = |sql| Migration::new("1_a.sql", sql).unwrap().checksum().to_owned();
        assert_eq!(of("a\nb\n"), of("\u{feff}a\r\nb\r\n"));
        assert_ne!(of("a\nb\n"), of("a\nb"));
        assert_eq!(of("").get(..8), Some("e3b0c442"));
    }

    #[test]
    fn a_mark_is_known_or_refused() {
        let of = |sql| Migration::new("1_a.sql", sql).map(|migration| migration.in_transaction());
        assert!(of("select 1; -- a comment").unwrap());
        assert!(!of("-- rowmill: no-transaction\nvacuum").unwrap());
        assert!(!of("-- about it\n  -- rowmill:no-transaction\nvacuum").unwrap());
        assert_eq!(of("-- rowmill: no-transactoin").unwrap_err().kind(), ErrorKind::Config);
    }
}
