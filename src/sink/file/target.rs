//! What is declared of an output: where, in which form, and whether an older one may go.

use super::csv::CsvOptions;
use super::disk;
use super::manifest;
use super::ndjson;
#[cfg(feature = "parquet")]
use super::parquet::ParquetOptions;
use super::place::OutputPlace;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
use crate::mapping::rows::Fields;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The form of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFormat {
    /// CSV.
    Csv(CsvOptions),
    /// Objects of JSON, one a line.
    Ndjson,
    /// Parquet.
    #[cfg(feature = "parquet")]
    Parquet(ParquetOptions),
}

impl FileFormat {
    /// Its name in a job file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Ndjson => "ndjson",
            #[cfg(feature = "parquet")]
            Self::Parquet(_) => "parquet",
        }
    }

    /// What stands before the first row of a file.
    pub(super) fn head(&self, columns: &[Column]) -> String {
        let mut head = String::new();
        if let Self::Csv(options) = self
            && options.header
        {
            options.header_line(columns, &mut head);
        }
        head
    }

    pub(super) fn row(
        &self,
        columns: &[Column],
        fields: Fields<'_>,
        shown: &mut String,
        out: &mut String,
    ) -> Result<()> {
        match self {
            Self::Csv(options) => options.row(columns, fields, shown, out),
            Self::Ndjson => ndjson::row(columns, fields, out),
            #[cfg(feature = "parquet")]
            Self::Parquet(_) => Err(Error::new(ErrorKind::Internal, "Parquet has no lines")),
        }
    }
}

/// An output that a job writes: one file, or a folder of parts, one for each batch.
///
/// What is there already is not touched, unless [`replace`](Self::replace) says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTarget {
    pub(super) place: OutputPlace,
    pub(super) format: FileFormat,
    pub(super) replace: bool,
    pub(super) allow_empty_source: bool,
    pub(crate) columns: Vec<Column>,
}

impl FileTarget {
    /// An output at `path` in this form; a folder of parts if `path` ends in a slash.
    pub fn new(path: &Path, format: FileFormat) -> Self {
        Self {
            place: OutputPlace::new(path),
            format,
            replace: false,
            allow_empty_source: false,
            columns: Vec::new(),
        }
    }

    /// Lets an older output of the same name go, once the new one is complete. Default: no.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Lets an output without rows take the place of an older one. Default: no.
    #[must_use]
    pub fn allow_empty_source(mut self, allow: bool) -> Self {
        self.allow_empty_source = allow;
        self
    }

    /// Changes how CSV is written; of no effect on other forms.
    #[must_use]
    pub fn csv(mut self, change: impl FnOnce(&mut CsvOptions)) -> Self {
        if let FileFormat::Csv(options) = &mut self.format {
            change(options);
        }
        self
    }

    /// Changes how Parquet is written; of no effect on other forms.
    #[cfg(feature = "parquet")]
    #[must_use]
    pub fn parquet(mut self, change: impl FnOnce(&mut ParquetOptions)) -> Self {
        if let FileFormat::Parquet(options) = &mut self.format {
            change(options);
        }
        self
    }

    /// The columns that rows carry.
    #[must_use]
    pub fn columns(mut self, columns: Vec<Column>) -> Self {
        self.columns = columns.into_iter().filter(|column| !column.generated).collect();
        self
    }

    /// Its form.
    pub fn format(&self) -> &FileFormat {
        &self.format
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// `append` or `replace`, as for a table.
    pub fn mode_name(&self) -> &'static str {
        if self.replace { "replace" } else { "append" }
    }

    /// The engine on which a job with this output runs: its ledger, an SQLite file in the hidden
    /// folder `.rowmill` beside the output, which is made if it is not there.
    ///
    /// # Errors
    /// `Config` if the output is there already and is not to be replaced, or if its options cannot
    /// be used; `Sink` if the folder cannot be made.
    pub fn ledger(&self) -> Result<Engine> {
        self.make_room()?;
        Engine::open(&self.ledger_url()?)
    }

    /// Makes the folders of the output and of its ledger, unless the output is refused.
    ///
    /// # Errors
    /// As [`FileTarget::ledger`].
    pub fn make_room(&self) -> Result<()> {
        self.check()?;
        // A job that was begun may have its output already: that is for its ledger to tell.
        if !self.place.ledger().exists() {
            self.refuse_older()?;
        }
        let folder = self.place.folder();
        fs::create_dir_all(folder).map_err(|error| disk::failed(folder, error))?;
        disk::private_folder(&self.place.hidden())
    }

    /// The URL of the ledger.
    ///
    /// # Errors
    /// `Config` if the path is not UTF-8.
    pub fn ledger_url(&self) -> Result<String> {
        let ledger = self.place.ledger();
        let path = ledger
            .to_str()
            .ok_or_else(|| Error::new(ErrorKind::Config, "the path of an output must be UTF-8"))?;
        let mut url = String::from("sqlite:");
        // Two slashes at the beginning would be taken for those of a URL.
        url.push_str(if path.starts_with("//") { "//" } else { "" });
        for letter in path.chars() {
            match letter {
                '%' | '?' | '#' => {
                    let _ = write!(url, "%{:02X}", u32::from(letter));
                }
                other => url.push(other),
            }
        }
        Ok(url)
    }

    /// Whether there is an output already.
    pub fn is_taken(&self) -> bool {
        if !self.place.is_folder() {
            return disk::is_taken(self.path());
        }
        fs::read_dir(self.path())
            .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name() != ".rowmill"))
    }

    /// Refuses options that cannot be used.
    pub(super) fn check(&self) -> Result<()> {
        match &self.format {
            FileFormat::Csv(options) => options.check(),
            FileFormat::Ndjson => Ok(()),
            #[cfg(feature = "parquet")]
            FileFormat::Parquet(options) => options.check(),
        }
    }

    /// Refuses an output that is there and is not to be replaced, or is none of ours.
    pub(super) fn refuse_older(&self) -> Result<()> {
        let refused = |message: &str, hint: &str| {
            Err(Error::new(ErrorKind::Config, message)
                .with_hint(hint)
                .locate(|place| place.file = Some(self.path().display().to_string())))
        };
        if !self.is_taken() {
            return Ok(());
        }
        if !self.replace {
            return refused(
                "the output is there already",
                "say replace = true, or write to another path",
            );
        }
        let is_file = fs::symlink_metadata(self.path()).is_ok_and(|found| found.is_file());
        if !self.place.is_folder() && !is_file {
            return refused("what is there is no regular file", "write to another path");
        }
        if self.place.is_folder() && manifest::parts_of(&self.place.manifest()).is_none() {
            return refused(
                "the folder has files that no export has written",
                "write to a folder of its own",
            );
        }
        Ok(())
    }

    /// Everything that decides what is written.
    pub(crate) fn definition(&self) -> String {
        format!("{}\n{:?}\n{}", self.path().display(), self.format, self.mode_name())
    }
}
