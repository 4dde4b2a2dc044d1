//! The parts made one file, or moved into their folder.

use super::disk;
use super::part::{Extent, NewPart, Out, hex, temporary_of};
use crate::error::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{ErrorKind as IoKind, Read};
use std::path::{Path, PathBuf};

const PIECE_BYTES: usize = 256 << 10;

/// Writes the parts, one behind the other, into a file that will be called `path`. `halted` is
/// asked now and then.
pub(super) fn join(
    path: PathBuf,
    temporary: PathBuf,
    head: &str,
    parts: &[(PathBuf, Extent)],
    halted: &dyn Fn() -> Result<()>,
) -> Result<NewPart> {
    let mut out = Out::create(temporary)?;
    out.write(head.as_bytes())?;
    for (part, extent) in parts {
        halted()?;
        read(part, extent, &mut |piece| out.write(piece))?;
    }
    let mut whole = out.end(path)?;
    whole.extent.rows = parts.iter().map(|(_, extent)| extent.rows).sum();
    Ok(whole)
}

/// Holds the parts against what is recorded of them.
pub(super) fn verify(parts: &[(PathBuf, Extent)], halted: &dyn Fn() -> Result<()>) -> Result<()> {
    parts.iter().try_for_each(|(part, extent)| {
        halted()?;
        read(part, extent, &mut |_| Ok(()))
    })
}

/// Refuses to take the place of a file that somebody else has written meanwhile; what an interrupted
/// run of the job has written is the same.
pub(super) fn refuse_other(new: &NewPart) -> Result<()> {
    if !disk::is_taken(&new.path) || read(&new.path, &new.extent, &mut |_| Ok(())).is_ok() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, "another output has appeared while this one was made")
        .with_hint("move it away and run the job again, or say replace = true")
        .locate(|place| place.file = Some(new.path.display().to_string())))
}

/// Hands the bytes of a part to `each`, and makes sure that they are what is recorded of it.
pub(super) fn read(
    part: &Path,
    extent: &Extent,
    each: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let damaged = |cause: Option<std::io::Error>| {
        let error = Error::new(ErrorKind::Sink, "a part of the output was changed or is gone")
            .with_hint("remove the hidden folder .rowmill beside the output, and export again")
            .locate(|place| place.file = Some(part.display().to_string()));
        match cause {
            Some(cause) => error.with_source(cause),
            None => error,
        }
    };
    let mut file = File::open(part).map_err(|cause| damaged(Some(cause)))?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece).map_err(|cause| damaged(Some(cause)))? {
            0 => break,
            read => {
                hash.update(&piece[..read]);
                bytes += read as u64;
                each(&piece[..read])?;
            }
        }
    }
    if bytes != extent.bytes || hex(hash) != extent.sha256 {
        return Err(damaged(None));
    }
    Ok(())
}

/// Has a part under a second name, in the folder of the output.
pub(super) fn link(part: &Path, to: &Path) -> Result<()> {
    // Not beside its new name: nothing that a killed run leaves may be seen there.
    let temporary = temporary_of(part);
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != IoKind::NotFound => {
            return Err(disk::failed(&temporary, error));
        }
        _ => {}
    }
    // Where the file system knows no second names, the bytes are copied.
    if fs::hard_link(part, &temporary).is_err() {
        let copied = fs::copy(part, &temporary).and_then(|_| File::open(&temporary)?.sync_all());
        copied.map_err(|error| disk::failed(&temporary, error))?;
    }
    // Two names of one file are left as they are by a rename; the temporary one is removed then.
    fs::rename(&temporary, to).map_err(|error| disk::failed(to, error))?;
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != IoKind::NotFound => Err(disk::failed(&temporary, error)),
        _ => Ok(()),
    }
}
