//! The five ways to write rows into a table.

use super::duplicates::OnDuplicate;
use std::fmt;

/// How rows are written. Rows that a trigger of the table passes over count as unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Inserts every row; one that meets a row that is there is rejected.
    Append,
    /// Inserts rows with a new key and passes over the others, which count as unchanged.
    InsertIgnore,
    /// Inserts new keys, updates changed rows, leaves equal rows untouched.
    Upsert,
    /// As upsert, and then deletes the keys that the source does not name. A row that was rejected
    /// names its key all the same; where one was rejected whose key nobody can tell (a record
    /// without the shape of the file, a row that a closure refused), nothing is deleted.
    Mirror,
    /// Replaces the whole content in one transaction.
    Replace,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 5] =
        [Self::Append, Self::InsertIgnore, Self::Upsert, Self::Mirror, Self::Replace];

    /// Its name in a job file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::InsertIgnore => "insert-ignore",
            Self::Upsert => "upsert",
            Self::Mirror => "mirror",
            Self::Replace => "replace",
        }
    }

    /// The mode of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Whether rows are told apart by a key, so that one must be declared.
    pub fn needs_key(self) -> bool {
        matches!(self, Self::InsertIgnore | Self::Upsert | Self::Mirror)
    }

    /// The rights that it takes on the table.
    pub fn rights(self) -> &'static str {
        match self {
            Self::Append => "INSERT",
            Self::InsertIgnore => "SELECT,INSERT",
            Self::Upsert => "SELECT,INSERT,UPDATE",
            Self::Mirror => "SELECT,INSERT,UPDATE,DELETE",
            Self::Replace => "INSERT,DELETE",
        }
    }

    /// Whether a source without rows would empty the table.
    pub fn deletes(self) -> bool {
        matches!(self, Self::Mirror | Self::Replace)
    }

    /// What becomes of rows of the input with one key, where nothing is declared. To append, every
    /// row counts.
    pub(super) fn duplicates(self) -> Option<OnDuplicate> {
        match self {
            Self::Append => None,
            Self::InsertIgnore => Some(OnDuplicate::First),
            Self::Upsert | Self::Mirror | Self::Replace => Some(OnDuplicate::Last),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
