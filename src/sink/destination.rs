//! Where the rows of a job go: a table, or a file.

use super::duplicates::OnDuplicate;
use super::file::sink::{FileSink, Owner, tidy};
use super::file::target::FileTarget;
use super::table::{StagePlace, Stored, TableSink};
use super::target::Target;
use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::column::Column;
use crate::mapping::layout::Layout;

/// Where the rows of a job go, as it is declared.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Destination {
    /// A table of the database on which the job runs.
    Table(Target),
    /// A file, or a folder of them.
    File(FileTarget),
}

impl From<Target> for Destination {
    fn from(target: Target) -> Self {
        Self::Table(target)
    }
}

impl From<FileTarget> for Destination {
    fn from(target: FileTarget) -> Self {
        Self::File(target)
    }
}

impl Destination {
    /// Its name, for messages: a table, a path.
    pub fn describe(&self) -> String {
        match self {
            Self::Table(target) => target.table.plain(),
            Self::File(target) => target.path().display().to_string(),
        }
    }

    /// The mode in which it is written.
    pub fn mode_name(&self) -> &'static str {
        match self {
            Self::Table(target) => target.mode.name(),
            Self::File(target) => target.mode_name(),
        }
    }

    /// What is declared of rows with one key, where it is not what the mode does anyway.
    pub fn stated_duplicates(&self) -> Option<OnDuplicate> {
        match self {
            Self::Table(target) => target.stated_duplicates(),
            Self::File(_) => None,
        }
    }

    /// Whether it makes a difference in which order rows come.
    pub fn is_ordered(&self) -> bool {
        match self {
            Self::Table(target) => target.on_duplicates().is_some(),
            Self::File(_) => true,
        }
    }

    /// The columns that rows carry.
    pub fn columns(&self) -> &[Column] {
        match self {
            Self::Table(target) => &target.columns,
            Self::File(target) => &target.columns,
        }
    }

    /// The columns that tell rows apart.
    pub fn key(&self) -> &[String] {
        match self {
            Self::Table(target) => &target.key,
            Self::File(_) => &[],
        }
    }

    /// Everything beside columns and key that decides what is written.
    pub fn definition(&self) -> String {
        match self {
            Self::Table(target) => {
                // What is not stated leaves no trace: a job that is under way stays the same job.
                let stated = target.stated_duplicates();
                let duplicates = stated.map_or(String::new(), |one| format!("\nduplicates {one}"));
                format!("{}\n{}{duplicates}", target.table.plain(), target.mode)
            }
            Self::File(target) => format!("file {}", target.definition()),
        }
    }

    /// Looks at what is there. Changes nothing. `is_new` says that no run has begun the job.
    ///
    /// # Errors
    /// `Schema` if a table does not fit; `Config` if a file is there that may not go; `Database` or
    /// `Disconnect`.
    pub fn find(
        &self,
        connection: &mut dyn Connection,
        owner: Owner,
        is_new: bool,
    ) -> Result<Sink> {
        match self {
            Self::Table(target) => {
                let found = TableSink::find(target.clone(), connection)?;
                Ok(Sink::Table(Box::new(found)))
            }
            Self::File(target) => {
                FileSink::find(target.clone(), owner, is_new).map(|file| Sink::File(Box::new(file)))
            }
        }
    }

    /// Throws away what a complete job, with this key, needs no longer.
    pub fn tidy(&self, key: &str) {
        if let Self::File(target) = self {
            tidy(target, key);
        }
    }
}

/// What rows are written into, as it was found.
#[derive(Debug)]
pub enum Sink {
    /// A table.
    Table(Box<TableSink>),
    /// A file.
    File(Box<FileSink>),
}

impl Sink {
    /// How rows are packed.
    pub fn layout(&self) -> &Layout {
        match self {
            Self::Table(table) => table.layout(),
            Self::File(file) => file.layout(),
        }
    }

    /// Whether rows go through a stage.
    pub fn is_staged(&self) -> bool {
        matches!(self, Self::Table(table) if table.is_staged())
    }

    /// Whether staged rows are merged bucket by bucket, each in its own transaction.
    pub fn merges_in_parallel(&self) -> bool {
        matches!(self, Self::Table(table) if table.merges_in_parallel())
    }

    /// Into how many buckets `rows` rows are staged.
    pub fn bucket_count(&self, rows: u64) -> u32 {
        match self {
            Self::Table(table) => table.bucket_count(rows),
            Self::File(_) => 1,
        }
    }

    /// Creates what the job needs; its source has `rows` rows.
    ///
    /// # Errors
    /// `Config` or `Sink` of a file; `Database` or `Disconnect`.
    pub fn create(&self, connection: &mut dyn Connection, job_id: i64, rows: u64) -> Result<()> {
        match self {
            Self::Table(table) => table.create(connection, job_id),
            Self::File(file) => file.create(connection, job_id, rows),
        }
    }

    /// Makes the stage fit for merging; says whether there may be anything to merge.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn seal(&self, connection: &mut dyn Connection, place: StagePlace) -> Result<bool> {
        match self {
            Self::Table(table) => table.seal(connection, place),
            Self::File(_) => Ok(false),
        }
    }

    /// Merges one bucket into the table.
    ///
    /// # Errors
    /// `Database` or `Disconnect`, if it is not the fault of a row.
    pub fn merge(
        &self,
        connection: &mut dyn Connection,
        place: StagePlace,
        bucket: u32,
    ) -> Result<Stored> {
        match self {
            Self::Table(table) => table.merge(connection, place, bucket),
            Self::File(_) => Ok(Stored::default()),
        }
    }
}
