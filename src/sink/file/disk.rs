//! Files that are new, whole and on the disk.

use crate::error::{Error, ErrorKind, Result};
use crate::sqlstate::SqlState;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a file that was not there; what an interrupted run left under its name goes first. No link
/// is followed: neither removing nor creating one does.
pub(super) fn create_new(path: &Path) -> Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(path, error)),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    options.open(path).map_err(|error| failed(path, error))
}

/// Makes a folder that only its owner sees, if it is not there; a link in its place is refused.
pub(super) fn private_folder(path: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made.map_err(|error| failed(path, error)),
    }
    let found = fs::symlink_metadata(path).map_err(|error| failed(path, error))?;
    if found.is_dir() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, "a link or a file stands where a folder is needed")
        .with_hint("remove it, or write to another folder")
        .locate(|place| place.file = Some(path.display().to_string())))
}

/// Gives a file its name; whatever had it before is gone. The folder is on the disk afterwards.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| failed(to, error))?;
    sync_folder_of(to)
}

/// Has the entries of the folder that contains `path` on the disk.
pub(super) fn sync_folder_of(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Only Unix has folders that can be opened.
    if cfg!(unix) {
        let opened = File::open(folder).and_then(|folder| folder.sync_all());
        opened.map_err(|error| failed(folder, error))?;
    }
    Ok(())
}

/// Whether there is anything of that name, also a link that leads nowhere.
pub(super) fn is_taken(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// The error of a file that cannot be written; a full disk is told by its code.
pub(super) fn failed(path: &Path, error: io::Error) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let told = Error::new(ErrorKind::Sink, format!("the output cannot be written: {error}"))
        .with_source(error)
        .locate(|place| place.file = Some(path.display().to_string()));
    if full {
        return told
            .with_sqlstate(SqlState::DISK_FULL)
            .with_hint("make room; the same command carries on");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_by_its_code() {
        let full = failed(Path::new("x"), io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!((full.kind(), full.sqlstate()), (ErrorKind::Sink, Some(SqlState::DISK_FULL)));
        assert!(!full.is_data() && !full.is_transient());
        let denied = failed(Path::new("x"), io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!((denied.kind(), denied.sqlstate()), (ErrorKind::Sink, None));
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_takes_the_place_of_a_link_and_leaves_what_that_led_to() {
        let folder = tempfile::tempdir().unwrap();
        let (link, victim) = (folder.path().join("link"), folder.path().join("victim"));
        fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        drop(create_new(&link).unwrap());
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    }
}
