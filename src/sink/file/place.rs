//! The names of an output, of its parts, and of what is kept beside it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where an output is: one file, or a folder of parts if the path ends in a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutputPlace {
    path: PathBuf,
    is_folder: bool,
}

impl OutputPlace {
    pub(super) fn new(path: &Path) -> Self {
        let is_folder = path
            .as_os_str()
            .as_encoded_bytes()
            .last()
            .is_some_and(|&byte| std::path::is_separator(char::from(byte)));
        Self { path: path.to_owned(), is_folder }
    }

    /// The output, as it was named.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// The folder in which everything lies.
    pub(super) fn folder(&self) -> &Path {
        match self.path.parent() {
            _ if self.is_folder => &self.path,
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// The hidden folder.
    pub(super) fn hidden(&self) -> PathBuf {
        self.folder().join(".rowmill")
    }

    pub(super) fn ledger(&self) -> PathBuf {
        self.hidden().join("ledger.db")
    }

    /// The folder of the parts of the job with this key.
    pub(super) fn parts(&self, key: &str) -> PathBuf {
        self.hidden().join(format!("parts-{key}"))
    }

    pub(super) fn manifest(&self) -> PathBuf {
        if self.is_folder {
            return self.path.join("manifest.json");
        }
        let mut name = OsString::from(&self.path);
        name.push(".manifest.json");
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_makes_a_folder_of_parts() {
        let file = OutputPlace::new(Path::new("out/runways.csv"));
        assert_eq!(file.folder(), Path::new("out"));
        assert_eq!(file.manifest(), Path::new("out/runways.csv.manifest.json"));
        let folder = OutputPlace::new(Path::new("out/night/"));
        assert!(folder.is_folder() && !file.is_folder());
        assert_eq!(folder.ledger(), Path::new("out/night/.rowmill/ledger.db"));
        assert_eq!(OutputPlace::new(Path::new("x.csv")).hidden(), Path::new("./.rowmill"));
    }
}
