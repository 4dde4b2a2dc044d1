//! What statements may have left on a connection, and taking it away.
//!
//! The words of a statement only raise a suspicion: `PRAGMA`, `ATTACH`, and `TEMP`, also where they
//! are part of a name or of a text. Then a reset looks at what is there. So a connection on which
//! none of these words was said costs nothing.

use super::connection::{exhaust, prepare};
use super::errors;
use crate::error::{Error, ErrorKind, Result};
use rusqlite::{Connection, OptionalExtension};

/// The settings that last as long as a connection and that SQLite tells. What is kept in the file
/// (`user_version` and the like) is data.
const SETTINGS: [&str; 32] = [
    "analysis_limit",
    "automatic_index",
    "cache_size",
    "cache_spill",
    "cell_size_check",
    "checkpoint_fullfsync",
    "count_changes",
    "empty_result_callbacks",
    "foreign_keys",
    "full_column_names",
    "fullfsync",
    "hard_heap_limit",
    "ignore_check_constraints",
    "journal_mode",
    "journal_size_limit",
    "legacy_alter_table",
    "locking_mode",
    "max_page_count",
    "mmap_size",
    "query_only",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "secure_delete",
    "short_column_names",
    "soft_heap_limit",
    "synchronous",
    "temp_store",
    "threads",
    "trusted_schema",
    "wal_autocheckpoint",
    "writable_schema",
];

/// What may have been left on a connection since it was clean.
#[derive(Debug, Default)]
pub(super) struct Traces {
    temporary: bool,
    attached: bool,
    /// The settings before the first statement that may have changed one.
    settings: Option<Settings>,
    /// `PRAGMA busy_timeout` takes the place of our own way to wait, and nothing tells that it did.
    waits_otherwise: bool,
}

impl Traces {
    /// Looks at a statement, or several, before it runs.
    #[inline]
    pub(super) fn note(&mut self, sqlite: &Connection, sql: &str) -> Result<()> {
        self.temporary |= mentions(sql, b"temp");
        self.attached |= mentions(sql, b"attach");
        if mentions(sql, b"pragma") {
            self.waits_otherwise |= mentions(sql, b"busy_timeout");
            if self.settings.is_none() {
                self.settings = Some(Settings::of(sqlite)?);
            }
        }
        Ok(())
    }

    /// Takes away what was left, outside a transaction, and says whether there was anything.
    ///
    /// # Errors
    /// `Database`, also if a setting cannot be set back: the connection is not clean.
    pub(super) fn clear(&mut self, sqlite: &Connection) -> Result<bool> {
        let mut found = false;
        if self.attached {
            found |= detach(sqlite)?;
        }
        if self.temporary {
            found |= drop_temporary(sqlite)?;
        }
        if let Some(settings) = &self.settings {
            found |= settings.restore(sqlite)?;
        }
        if self.waits_otherwise {
            return Err(remains("busy_timeout"));
        }
        *self = Self::default();
        Ok(found)
    }
}

/// Whether `word`, in lower case, stands anywhere in `sql`.
fn mentions(sql: &str, word: &[u8]) -> bool {
    let (lower, upper) = (word[0], word[0].to_ascii_uppercase());
    memchr::memchr2_iter(lower, upper, sql.as_bytes()).any(|at| {
        let there = sql.as_bytes().get(at..at + word.len());
        there.is_some_and(|there| there.eq_ignore_ascii_case(word))
    })
}

/// The settings of a connection.
#[derive(Debug, PartialEq, Eq)]
struct Settings {
    values: Vec<Option<String>>,
    /// `PRAGMA case_sensitive_like` tells nothing.
    like_is_blind: bool,
}

impl Settings {
    fn of(sqlite: &Connection) -> Result<Self> {
        let values = SETTINGS.iter().map(|name| value(sqlite, name)).collect::<Result<_>>()?;
        let mut like = prepare(sqlite, "SELECT 'a' LIKE 'A'")?;
        let like_is_blind = like.query_row([], |row| row.get(0)).map_err(errors::of)?;
        Ok(Self { values, like_is_blind })
    }

    /// Sets back what differs now, and says whether anything did.
    fn restore(&self, sqlite: &Connection) -> Result<bool> {
        let now = Self::of(sqlite)?;
        if now == *self {
            return Ok(false);
        }
        for (name, value) in self.changes(&now) {
            run(sqlite, &format!("PRAGMA {name} = {value}"))?;
        }
        if now.like_is_blind != self.like_is_blind {
            run(sqlite, &format!("PRAGMA case_sensitive_like = {}", !self.like_is_blind))?;
        }
        let after = Self::of(sqlite)?;
        match self.changes(&after).next() {
            Some((name, _)) => Err(remains(name)),
            None => Ok(true),
        }
    }

    /// The settings that differ in `now`, with what they were.
    fn changes<'a>(
        &'a self,
        now: &'a Self,
    ) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let pairs = SETTINGS.into_iter().zip(self.values.iter().zip(&now.values));
        pairs.filter_map(|(name, (was, is))| match was {
            Some(was) if Some(was) != is.as_ref() => Some((name, was.as_str())),
            _ => None,
        })
    }
}

/// `None` for a setting that this database does not have.
fn value(sqlite: &Connection, name: &str) -> Result<Option<String>> {
    // The value comes as a number or as a word.
    let text = |row: &rusqlite::Row<'_>| match row.get_ref(0)? {
        rusqlite::types::ValueRef::Integer(number) => Ok(number.to_string()),
        other => Ok(other.as_str().map(str::to_owned).unwrap_or_default()),
    };
    let mut statement = prepare(sqlite, &format!("PRAGMA {name}"))?;
    statement.query_row([], text).optional().map_err(errors::of)
}

fn detach(sqlite: &Connection) -> Result<bool> {
    let mut statement = prepare(
        sqlite,
        "SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')",
    )?;
    let names = statement.query_map([], |row| row.get(0)).map_err(errors::of)?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>().map_err(errors::of)?;
    drop(statement);
    for name in &names {
        run(sqlite, &format!("DETACH DATABASE \"{}\"", name.replace('"', "\"\"")))?;
    }
    Ok(!names.is_empty())
}

fn drop_temporary(sqlite: &Connection) -> Result<bool> {
    // Ours, which `deferred` makes, stay: they are empty.
    let sql = "SELECT EXISTS (SELECT 1 FROM temp.sqlite_schema \
        WHERE tbl_name NOT IN ('rowmill_parent', 'rowmill_child'))";
    let mut statement = prepare(sqlite, sql)?;
    let found: bool = statement.query_row([], |row| row.get(0)).map_err(errors::of)?;
    drop(statement);
    if found {
        let keep = value(sqlite, "temp_store")?.unwrap_or_default();
        // SQLite deletes everything temporary where this setting changes.
        for store in ["1", "2", keep.as_str()] {
            run(sqlite, &format!("PRAGMA temp_store = {store}"))?;
        }
    }
    Ok(found)
}

fn run(sqlite: &Connection, sql: &str) -> Result<()> {
    exhaust(&mut sqlite.prepare(sql).map_err(errors::of)?)
}

fn remains(name: &str) -> Error {
    Error::new(ErrorKind::Database, format!("the setting {name} cannot be set back"))
        .with_hint("the connection is closed instead; set it on a connection of your own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_wherever_they_stand() {
        for sql in ["pragma x", "select 1; PrAgMa x", "\u{e9} pragma"] {
            assert!(mentions(sql, b"pragma"), "{sql}");
        }
        for sql in ["", "p", "select 1", "prag", "pra gma"] {
            assert!(!mentions(sql, b"pragma"), "{sql}");
        }
    }
    /// There are never so many threads, and SQLite does not say so.
    #[test]
    fn a_setting_that_stays_is_an_error() {
        let sqlite = Connection::open_in_memory().unwrap();
        let mut was = Settings::of(&sqlite).unwrap();
        assert!(!was.restore(&sqlite).unwrap());
        let threads = SETTINGS.iter().position(|name| *name == "threads").unwrap();
        was.values[threads] = Some("7777".to_owned());
        let error = was.restore(&sqlite).unwrap_err();
        assert!(error.message().contains("threads"), "{error}");
    }
}
