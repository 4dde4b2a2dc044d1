//! What a source reads: one file, several, all that match a pattern, a stream.

use super::compression::Compression;
use super::place::MOST_PARTS;
use super::raw::Raw;
#[cfg(feature = "files")]
use super::spool::Spool;
use super::{Bytes, unreadable};
use crate::error::{Error, ErrorKind, Locate, Result};
use std::collections::HashSet;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that a source reads, one behind the other.
///
/// A path is a file; [`Files::list`] names several in their order, and `Files::matching` takes all
/// that match a pattern, in the order of their names. All of them are one source of one job: its
/// fingerprint covers each of them, so a restart is refused where one changed, is missing, was
/// added or has another place.
///
/// ```no_run
/// use rowmill::{Compression, Files};
/// let one = Files::from("people.csv");
/// let several = Files::list(["2026-08-20.csv", "2026-08-21.csv"]);
/// let compressed = Files::from("people.data").compression(Compression::Zstd);
/// ```
#[derive(Clone)]
pub struct Files {
    which: Which,
    compression: Compression,
    allow_empty: bool,
}

#[derive(Clone)]
enum Which {
    List(Vec<PathBuf>),
    #[cfg(feature = "files")]
    Matching(String),
    #[cfg(feature = "files")]
    Spooled(Arc<Spool>),
}

impl<P: AsRef<Path>> From<P> for Files {
    /// The file at that path; it is no pattern.
    fn from(path: P) -> Self {
        Self::list([path])
    }
}

impl Files {
    /// Several files, in this order.
    pub fn list<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        let paths = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
        Self::of(Which::List(paths))
    }

    /// All files that match a pattern of the shell, such as `data/part-*.csv.gz` or `data/**/*.csv`,
    /// in the order of their names. A name that begins with a dot is matched only by a dot.
    ///
    /// The names are looked up when the source is opened.
    #[cfg(feature = "files")]
    pub fn matching(pattern: impl Into<String>) -> Self {
        Self::of(Which::Matching(pattern.into()))
    }

    /// A stream that was spooled.
    #[cfg(feature = "files")]
    pub fn spooled(spool: Spool) -> Self {
        Self::of(Which::Spooled(Arc::new(spool)))
    }

    fn of(which: Which) -> Self {
        Self { which, compression: Compression::Auto, allow_empty: false }
    }

    /// Sets how the files are compressed.
    ///
    /// Default: as the first bytes of each file say.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets whether there may be no file at all, which is a source without rows.
    ///
    /// Default: no: a pattern that matches nothing is an error.
    #[must_use]
    pub fn allow_empty(mut self, allow: bool) -> Self {
        self.allow_empty = allow;
        self
    }

    /// What is read, for messages.
    pub(super) fn describe(&self) -> String {
        match &self.which {
            Which::List(paths) => {
                let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
                names.join(", ")
            }
            #[cfg(feature = "files")]
            Which::Matching(pattern) => pattern.clone(),
            #[cfg(feature = "files")]
            Which::Spooled(spool) => spool.name().to_owned(),
        }
    }

    /// Whether it is the one file of that path, or the one stream, whatever is in the folder.
    pub(super) fn is_one(&self) -> bool {
        match &self.which {
            Which::List(paths) => paths.len() == 1,
            #[cfg(feature = "files")]
            Which::Matching(_) => false,
            #[cfg(feature = "files")]
            Which::Spooled(_) => true,
        }
    }

    /// Opens all of them.
    ///
    /// # Errors
    /// `Source` if one cannot be opened, or if there is none; `Config` if one is named twice or the
    /// pattern is none; `Unsupported` if one is compressed and the feature is missing.
    pub(super) fn open(&self) -> Result<Vec<Arc<dyn Bytes>>> {
        let stored = self.stored()?;
        if stored.is_empty() && !self.allow_empty {
            let error = Error::new(ErrorKind::Source, "no file has such a name");
            return Err(error.with_hint("allow_empty says that there may be none"))
                .locate(|place| place.file = Some(self.describe()));
        }
        if stored.len() > MOST_PARTS {
            let message = format!("{} files are too many for one job", stored.len());
            return Err(Error::new(ErrorKind::Source, message)
                .with_hint(format!("at most {MOST_PARTS}: make several jobs of it")));
        }
        stored
            .into_iter()
            .map(|raw| {
                let name = raw.name();
                self.compression.open(raw).locate(|place| place.file = Some(name))
            })
            .collect()
    }

    /// The first bytes of the first file, decompressed, and how it is compressed.
    ///
    /// # Errors
    /// `Source` if it cannot be read.
    pub fn beginning(&self, most: u64) -> Result<(Vec<u8>, Compression)> {
        let Some(raw) = self.stored()?.into_iter().next() else {
            return Ok((Vec::new(), Compression::None));
        };
        let compression = self.compression.found(&raw)?;
        let mut bytes = Vec::new();
        let stream = compression.open(raw)?.stream(0)?;
        stream.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok((bytes, compression))
    }

    fn stored(&self) -> Result<Vec<Raw>> {
        let paths = match &self.which {
            Which::List(paths) => {
                let mut named = HashSet::new();
                if let Some(path) = paths.iter().find(|path| !named.insert(*path)) {
                    let message = format!("the file {} is named twice", path.display());
                    return Err(Error::new(ErrorKind::Config, message));
                }
                paths.clone()
            }
            #[cfg(feature = "files")]
            Which::Matching(pattern) => {
                matching(pattern).locate(|place| place.file = Some(pattern.clone()))?
            }
            #[cfg(feature = "files")]
            Which::Spooled(spool) => return Ok(vec![Raw::Spool(Arc::clone(spool))]),
        };
        Ok(paths.into_iter().map(Raw::File).collect())
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Files({})", self.describe())
    }
}

/// The files that match, in the order of their names.
#[cfg(feature = "files")]
fn matching(pattern: &str) -> Result<Vec<PathBuf>> {
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let matches = glob::glob_with(pattern, options).map_err(|why| {
        Error::new(ErrorKind::Config, format!("not a pattern of names: {}", why.msg))
            .with_source(why)
    })?;
    let mut paths = Vec::new();
    for path in matches {
        let path = path.map_err(|why| {
            let message = format!("cannot look into {}: {}", why.path().display(), why.error());
            Error::new(ErrorKind::Source, message).with_source(why)
        })?;
        if !path.is_dir() {
            paths.push(path);
        }
    }
    // The crate sorts folder by folder; here the whole name counts.
    paths.sort();
    Ok(paths)
}
