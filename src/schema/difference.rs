//! One way in which a table is not what an entity says.

use crate::ident::{Ident, TableName};
use crate::mapping::reference::OnDelete;
use std::fmt;

/// One way in which a table is not what an entity says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The table.
    pub table: TableName,
    /// The column, where it is about one.
    pub column: Option<Ident>,
    /// What differs.
    pub kind: DifferenceKind,
}

/// What differs between a table and an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// There is no such table.
    MissingTable,
    /// The table has no such column.
    MissingColumn,
    /// The types are not the same: the entity's, the table's.
    Type(String, String),
    /// The column can be NULL, and the field cannot hold it.
    CanBeNull,
    /// The field can be NULL, and the column cannot hold it.
    CannotBeNull,
    /// The labels of the enum are not the same, or in another order: the entity's, the table's.
    Labels(Vec<String>, Vec<String>),
    /// No unique index is on exactly these columns.
    MissingUnique(Vec<String>),
    /// No index begins with these columns.
    MissingIndex(Vec<String>),
    /// No foreign key of the column refers to what the entity says.
    MissingReference(String),
    /// The foreign key refers to something else: what the entity says, what the table says.
    Reference(String, String),
    /// What becomes of a row when the one it refers to is deleted: as the entity says, as the table
    /// says.
    OnDelete(OnDelete, OnDelete),
    /// The column is never NULL and has no default, and the entity does not write it.
    Unwritten,
    /// The entity writes the column, and no statement may.
    NotWritable,
}

impl Difference {
    pub(super) fn of_table(table: &TableName, kind: DifferenceKind) -> Self {
        Self { table: table.clone(), column: None, kind }
    }

    pub(super) fn of_column(table: &TableName, column: &Ident, kind: DifferenceKind) -> Self {
        Self { table: table.clone(), column: Some(column.clone()), kind }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.table.plain())?;
        if let Some(column) = &self.column {
            write!(f, ".{}", column.as_str())?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |columns: &[String]| columns.join(", ");
        match self {
            Self::MissingTable => f.write_str("there is no such table"),
            Self::MissingColumn => f.write_str("the table has no such column"),
            Self::Type(declared, found) => {
                write!(f, "the type is {found} in the table and {declared} in the entity")
            }
            Self::CanBeNull => f.write_str("it can be NULL, and the field is no Option"),
            Self::CannotBeNull => f.write_str("it cannot be NULL, and the field is an Option"),
            Self::Labels(declared, found) => write!(
                f,
                "the labels are {} in the database and {} in the entity",
                list(found),
                list(declared)
            ),
            Self::MissingUnique(columns) => {
                write!(f, "no unique index is on exactly ({})", list(columns))
            }
            Self::MissingIndex(columns) => write!(f, "no index is on ({})", list(columns)),
            Self::MissingReference(target) => write!(f, "no foreign key refers to {target}"),
            Self::Reference(declared, found) => {
                write!(f, "it refers to {found} in the table and to {declared} in the entity")
            }
            Self::OnDelete(declared, found) => {
                let (declared, found) = (declared.name(), found.name());
                write!(f, "ON DELETE is {found} in the table and {declared} in the entity")
            }
            Self::Unwritten => {
                f.write_str("it has neither a default nor NULL, and the entity does not write it")
            }
            Self::NotWritable => {
                f.write_str("the database itself makes it, and the entity writes it")
            }
        }
    }
}
