//! What is declared of the table that is written.

use super::duplicates::OnDuplicate;
use super::indexes::Indexes;
use super::mode::Mode;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::mapping::column::Column;

/// What is declared of the table that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// The table.
    pub table: TableName,
    /// The columns that rows carry.
    pub columns: Vec<Column>,
    /// The columns that tell rows apart; may be empty for `append` and `replace`.
    pub key: Vec<String>,
    /// How rows are written.
    pub mode: Mode,
    /// Whether the table is created if it is not there. Default: no.
    pub create: bool,
    /// What becomes of rows of the input that have one key; needs a key. Default: `None`, by the mode:
    /// the first counts for `insert-ignore`, the last for `upsert`, `mirror` and `replace`, and every
    /// row for `append`, which is staged where something is declared.
    pub duplicates: Option<OnDuplicate>,
    /// Whether `mirror` and `replace` may empty the table when the source has no rows. Default: no.
    pub allow_empty_source: bool,
    /// What becomes of the indexes of a table that `replace` fills. It does not decide what is written, so
    /// that a job may be carried on with another. Default: they are kept.
    pub indexes: Indexes,
}

impl Target {
    /// A target with the defaults; rows carry `columns`, those the database makes left out.
    ///
    /// # Errors
    /// `Config` if there is no column or too many, if the key is missing where the mode needs one,
    /// or names a column that rows do not carry.
    pub fn new(
        table: TableName,
        columns: Vec<Column>,
        key: Vec<String>,
        mode: Mode,
    ) -> Result<Self> {
        let columns: Vec<_> = columns.into_iter().filter(|column| !column.generated).collect();
        if columns.is_empty() || columns.len() > MAX_COLUMNS {
            let message = format!("{} columns: 1 to {MAX_COLUMNS} are possible", columns.len());
            return Err(Error::new(ErrorKind::Config, message));
        }
        if mode.needs_key() && key.is_empty() {
            return Err(Error::new(ErrorKind::Config, format!("mode {mode} needs a key")));
        }
        if let Some(name) = key.iter().find(|name| position(&columns, name).is_none()) {
            let message = format!("the key column {name:?} is not among the columns");
            return Err(Error::new(ErrorKind::Config, message));
        }
        let (create, duplicates, allow_empty_source) = (false, None, false);
        let indexes = Indexes::default();
        Ok(Self { table, columns, key, mode, create, duplicates, allow_empty_source, indexes })
    }

    /// The rights that it takes on the table.
    pub fn rights(&self) -> &'static str {
        match self.indexes {
            Indexes::Keep => self.mode.rights(),
            // DELETE for where they are kept up all the same.
            Indexes::Rebuild => "SELECT,INSERT,DELETE,TRUNCATE",
        }
    }

    /// What becomes of rows of the input that have one key; `None` where every row counts.
    pub(crate) fn on_duplicates(&self) -> Option<OnDuplicate> {
        let by_mode = || self.mode.duplicates().filter(|_| !self.key.is_empty());
        self.duplicates.or_else(by_mode)
    }

    /// What is declared of duplicates and is not what the mode does anyway.
    pub(crate) fn stated_duplicates(&self) -> Option<OnDuplicate> {
        self.duplicates.filter(|_| self.duplicates != self.mode.duplicates())
    }

    /// The numbers of the key's columns among `columns`.
    pub fn key_positions(&self) -> Vec<usize> {
        self.key.iter().filter_map(|name| position(&self.columns, name)).collect()
    }
}

/// PostgreSQL's limit for a table, less the four columns of a stage.
const MAX_COLUMNS: usize = 1_596;

fn position(columns: &[Column], name: &str) -> Option<usize> {
    columns.iter().position(|column| column.name.as_str() == name)
}
