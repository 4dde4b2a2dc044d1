//! A file or memory made into a connection, with errors that say what to do.

use super::errors;
use super::patience::Patience;
use super::watch::Watch;
use crate::error::{Error, ErrorKind, Result};
use crate::url::SqliteSettings;
use parking_lot::Mutex;
use rusqlite::{Connection, MAIN_DB, OpenFlags};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How many prepared statements a connection keeps.
const KEPT_STATEMENTS: usize = 128;

/// A connection of SQLite. It is used by one thread at a time; the lock is never waited for.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) sqlite: Arc<Mutex<Connection>>,
    pub(super) patience: Arc<Patience>,
    pub(super) watch: Arc<Watch>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

/// Opens the file at `path`, which is created if it is not there, before `deadline`.
pub(super) fn file(path: &Path, settings: &SqliteSettings, deadline: Instant) -> Result<Handle> {
    refuse_what_is_no_file(path)?;
    // No SQLITE_OPEN_URI. The library is built to read names that begin with `file:` as URIs all
    // the same; an absolute path never does.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sqlite = Connection::open_with_flags(path, flags)
        .map_err(|error| refused(path, errors::of(error)))?;
    if !settings.read_only {
        refuse_read_only(&sqlite, path)?;
    }
    let handle = prepare(sqlite, settings.busy_timeout).map_err(|error| refused(path, error))?;
    let set_up = match settings.read_only {
        true => keep_as_it_is,
        false => set_up,
    };
    handle
        .patience
        .before(deadline, || set_up(&handle.sqlite.lock(), deadline))
        .map_err(|error| refused(path, error))?;
    Ok(handle)
}

/// Whether there is a file at `path`; what is there may still be no database.
pub(super) fn is_there(path: &Path) -> Result<bool> {
    refuse_what_is_no_file(path)?;
    Ok(path.exists())
}

/// Opens a database in memory.
pub(super) fn memory(busy_timeout: Duration) -> Result<Handle> {
    Connection::open_in_memory_with_flags(
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(errors::of)
    .and_then(|sqlite| prepare(sqlite, busy_timeout))
    .map_err(|error| refused(Path::new(":memory:"), error))
}

fn prepare(mut sqlite: Connection, busy_timeout: Duration) -> Result<Handle> {
    let watch = Arc::new(Watch::new(&sqlite));
    let patience = Patience::install(&mut sqlite, busy_timeout, Arc::clone(&watch))?;
    sqlite.set_prepared_statement_cache_capacity(KEPT_STATEMENTS);
    sqlite.execute_batch("pragma foreign_keys = on").map_err(errors::of)?;
    Ok(Handle { sqlite: Arc::new(Mutex::new(sqlite)), patience: Arc::new(patience), watch })
}

/// WAL, so that readers and the writer do not wait for each other. A file system without shared
/// memory stays with the rollback journal; everything works there, only less at once.
fn set_up(sqlite: &Connection, deadline: Instant) -> Result<()> {
    loop {
        // Several first connections to a new file stand in each other's way, and then SQLite
        // reports at once instead of waiting.
        match sqlite.execute_batch("pragma journal_mode = wal; pragma synchronous = normal") {
            Err(error) if errors::is_busy(&error) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(2));
            }
            outcome => return outcome.map_err(errors::of),
        }
    }
}

/// The journal stays what it is, for another one is written into the file. Not the flag for
/// reading only: without the right to tidy up, SQLite would leave the files of its journal behind.
fn keep_as_it_is(sqlite: &Connection, _: Instant) -> Result<()> {
    sqlite.execute_batch("pragma query_only = on").map_err(errors::of)
}

/// These have a SQLSTATE that says that no second attempt helps.
fn refuse_what_is_no_file(path: &Path) -> Result<()> {
    let shown = path.display();
    if path.is_dir() {
        return Err(connect(format!("{shown} is a directory, not an SQLite database"))
            .with_sqlstate(errors::state("42809"))
            .with_hint("name a file in it"));
    }
    match path.parent() {
        Some(parent) if !parent.is_dir() => {
            Err(connect(format!("the directory {} does not exist", parent.display()))
                .with_sqlstate(errors::state("58P01"))
                .with_hint("create it, or name the database by another path"))
        }
        _ => Ok(()),
    }
}

fn refuse_read_only(sqlite: &Connection, path: &Path) -> Result<()> {
    if sqlite.is_readonly(MAIN_DB).map_err(errors::of)? {
        return Err(connect(format!("the database {} cannot be written", path.display()))
            .with_sqlstate(errors::state("42501"))
            .with_hint("grant the permission to write to the file and to its directory"));
    }
    Ok(())
}

/// What SQLite said while it opened the file: kind `Connect`, whatever it was.
fn refused(path: &Path, error: Error) -> Error {
    let mut refused =
        connect(format!("the database {} cannot be opened: {}", path.display(), error.message()));
    if let Some(sqlstate) = error.sqlstate() {
        refused = refused.with_sqlstate(sqlstate);
    }
    if let Some(hint) = error.hint() {
        refused = refused.with_hint(hint);
    }
    refused.with_source(error)
}

fn connect(message: String) -> Error {
    Error::new(ErrorKind::Connect, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::SqliteLocation;

    #[test]
    fn a_database_that_can_only_be_read_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        drop(Connection::open(&path).unwrap());
        // Root may write whatever the permissions say, so that only the flag makes it read only.
        let sqlite = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let error = refuse_read_only(&sqlite, &path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(!error.is_transient(), "{error}");
        assert!(error.to_string().contains("grant the permission"), "{error}");
    }

    #[test]
    fn a_file_that_is_in_use_is_tried_until_the_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let reader = Connection::open(&path).unwrap();
        reader.execute_batch("create table t (a); begin; select * from t").unwrap();
        let mut rows = reader.prepare("select count(*) from t").unwrap();
        let count: i64 = rows.query_row([], |row| row.get(0)).unwrap();
        assert_eq!(count, 0);

        let started = Instant::now();
        let wait = Duration::from_millis(30);
        let mut settings = SqliteSettings::new(SqliteLocation::File(path.clone()));
        settings.busy_timeout = Duration::ZERO;
        let error = file(&path, &settings, started + wait).unwrap_err();
        assert!(started.elapsed() >= wait);
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.is_transient(), "{error}");
    }
}
