//! The lock of a job: a file beside the database.
//!
//! The operating system locks the file `DATABASE.rowmill-KEY.lock` and lets go of it when its
//! holder dies, however it dies. It is not the database itself that is locked: SQLite's own locks
//! there are lost as soon as any descriptor of the file is closed by the process.
//!
//! A job whose parameters change every night has another key every night, so the files are
//! removed, and in a way that two processes can never both hold the lock: a lock counts only if
//! the file that was locked is still the one of that name, and only a holder whose lock counts
//! removes it. Where a file cannot be told from its namesake (outside Unix), it stays.

use super::errors;
use crate::backend::JobLock;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlstate::SqlState;
use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How often the file may be replaced between opening and locking it. Each time, another holder
/// has finished in between.
const MAX_ATTEMPTS: u32 = 100;

/// How often, and how long, one who only looks whether it is locked is waited for.
const LOOKS: u32 = 3;
const LOOK: Duration = Duration::from_millis(10);

/// Takes the lock of job `key` on the database at `path`; `None` if another holds it.
pub(super) fn of_file(path: &Path, key: i64) -> Result<Option<Box<dyn JobLock>>> {
    Ok(take(path, key)?.map(|lock| -> Box<dyn JobLock> { Box::new(lock) }))
}

fn take(path: &Path, key: i64) -> Result<Option<FileLock>> {
    let side = side_file(path, key);
    let mut looks = 0;
    for _ in 0..MAX_ATTEMPTS {
        let file = open(&side).map_err(|error| refused(&side, &error))?;
        match claim(file, &side).map_err(|error| refused(&side, &error))? {
            Claim::Held(mut lock) => {
                path.clone_into(&mut lock.database);
                return Ok(Some(lock));
            }
            // One who only looks has it for a moment.
            Claim::HeldByAnother if looks < LOOKS => {
                looks += 1;
                thread::sleep(LOOK);
            }
            Claim::HeldByAnother => return Ok(None),
            Claim::Replaced => {}
        }
    }
    // The others take and release it faster than it can be looked at.
    Ok(None)
}

/// Whether anybody holds the lock of job `key`. The file of one that died stays, unlocked.
pub(super) fn is_locked(path: &Path, key: i64) -> Result<bool> {
    let side = side_file(path, key);
    let file = match File::open(&side) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(refused(&side, &error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(is_still(&file, &side)),
        Err(TryLockError::Error(error)) => Err(refused(&side, &error)),
    }
}

enum Claim {
    Held(FileLock),
    HeldByAnother,
    Replaced,
}

fn claim(file: File, side: &Path) -> io::Result<Claim> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(Claim::HeldByAnother),
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) if is_still(&file, side) => {
            let (path, database) = (side.to_owned(), PathBuf::new());
            Ok(Claim::Held(FileLock { path, file, database, more: Vec::new() }))
        }
        Ok(()) => Ok(Claim::Replaced),
    }
}

fn open(side: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(side)
}

/// Beside the file itself, also where the database was named by a link: the lock of a database is
/// the same by whatever name it is reached.
fn side_file(path: &Path, key: i64) -> PathBuf {
    let real = path.canonicalize().unwrap_or_else(|_| {
        let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
        match (parent, path.file_name()) {
            (Some(parent), Some(name)) => parent.join(name),
            _ => path.to_owned(),
        }
    });
    let mut name = OsString::from(real);
    name.push(format!(".rowmill-{key:016x}.lock"));
    name.into()
}

#[derive(Debug)]
struct FileLock {
    path: PathBuf,
    file: File,
    database: PathBuf,
    /// Those that are held with it.
    more: Vec<Self>,
}

impl JobLock for FileLock {
    fn is_held(&mut self) -> bool {
        is_still(&self.file, &self.path)
    }

    fn also(&mut self, key: i64) -> Result<bool> {
        let taken = take(&self.database, key)?;
        let is_taken = taken.is_some();
        self.more.extend(taken);
        Ok(is_taken)
    }

    fn sweep(&mut self, key: i64) {
        if side_file(&self.database, key).exists() {
            // Whoever can take it has the file that was left, and removes it.
            drop(take(&self.database, key));
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // ORDER: remove, then unlock (by closing). The other way round, the next holder's file
        // would be removed.
        if cfg!(unix) && is_still(&self.file, &self.path) {
            // A file that stays is locked again by the next run.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether `path` is the name of `file` now.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(mine), Ok(named)) => (mine.dev(), mine.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// The file is never removed here, so that it is the one of that name.
#[cfg(not(unix))]
fn is_still(_file: &File, _path: &Path) -> bool {
    true
}

fn refused(side: &Path, error: &io::Error) -> Error {
    let message = format!("the lock file {} cannot be used: {error}", side.display());
    let sqlstate = match error.kind() {
        io::ErrorKind::NotFound => errors::state("58P01"),
        io::ErrorKind::PermissionDenied => errors::state("42501"),
        _ => SqlState::IO_ERROR,
    };
    Error::new(ErrorKind::Connect, message)
        .with_sqlstate(sqlstate)
        .with_hint("the directory of the database must exist, be writable and know file locks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_on_a_file_that_was_removed_meanwhile_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let side = side_file(&database, 1);
        let late = open(&side).unwrap();
        drop(of_file(&database, 1).unwrap().unwrap());
        assert!(matches!(claim(late, &side).unwrap(), Claim::Replaced));
        assert!(of_file(&database, 1).unwrap().is_some());
    }

    #[test]
    fn what_one_that_died_has_left_is_swept_and_what_is_held_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let mut lock = of_file(&database, 1).unwrap().unwrap();
        let (dead, held) = (side_file(&database, 2), of_file(&database, 3).unwrap());
        drop(open(&dead).unwrap());
        for key in [2, 3, 4] {
            lock.sweep(key);
        }
        assert!(!dead.exists() && side_file(&database, 3).exists());
        assert!(!side_file(&database, 4).exists());
        drop((held, lock));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let mut lock = of_file(&database, -1).unwrap().unwrap();
        assert!(lock.is_held());
        assert!(folder.path().join("a.db.rowmill-ffffffffffffffff.lock").exists());
        drop(lock);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
