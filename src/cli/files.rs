//! From what a job file says of files to what is read.

use super::job_file::FilesSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::source::input::{Files, Spool};
use std::io::{self, IsTerminal};
use std::path::Path;

/// What stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// The files; standard input is read to its end.
///
/// # Errors
/// `Source` if standard input is a terminal, or cannot be spooled.
pub(super) fn files(spec: &FilesSpec) -> Result<Files> {
    let files = match &spec.paths[..] {
        [path] if path == STANDARD_INPUT => Files::spooled(spool(spec)?),
        [path] if is_pattern(path) => Files::matching(path),
        paths => Files::list(paths),
    };
    Ok(files.compression(spec.compression).allow_empty(spec.allow_empty))
}

/// A file may be called like a pattern: if it is there, it is meant.
fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[']) && !Path::new(path).exists()
}

fn spool(spec: &FilesSpec) -> Result<Spool> {
    let input = io::stdin().lock();
    if input.is_terminal() {
        return Err(Error::new(ErrorKind::Source, "standard input is a terminal")
            .with_hint("send a file into it: cat FILE | rowmill run JOB.toml"));
    }
    let folder = spec.spool_folder.as_deref().map(Path::new);
    Spool::of("standard input", input, folder, spec.max_spool_bytes)
}
