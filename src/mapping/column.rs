//! A column of a table or an entity.

use super::column_type::ColumnType;
use super::reference::Reference;
use crate::ident::Ident;

/// A column: its name, its type and what the database promises about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// Its name in the table.
    pub name: Ident,
    /// Its type.
    pub column_type: ColumnType,
    /// Whether it can be NULL.
    pub nullable: bool,
    /// Whether the database makes its values (an identity, a default, a generated column), so
    /// that no row carries one.
    pub generated: bool,
    /// Where the values come from that a statement leaves out.
    pub made: Made,
    /// Whether it counts the versions of its row, so that no update overwrites another one
    /// unseen.
    pub version: bool,
    /// The column of another table that it refers to.
    pub references: Option<Reference>,
    /// The labels of its type in their order, where that is an enum or an array of one and they are
    /// known.
    pub labels: Vec<String>,
}

/// Where the values of a column come from that a statement leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Made {
    /// From nowhere: they are NULL.
    #[default]
    Nowhere,
    /// The database numbers them.
    Identity,
    /// This expression makes them.
    Default(String),
    /// An expression over other columns makes them, always.
    Computed,
    /// Somebody else makes them, such as a trigger, and nothing is said of how.
    Elsewhere,
}

impl Column {
    /// A column that can be NULL and that every row carries.
    pub fn new(name: Ident, column_type: ColumnType) -> Self {
        Self {
            name,
            column_type,
            nullable: true,
            generated: false,
            made: Made::Nowhere,
            version: false,
            references: None,
            labels: Vec::new(),
        }
    }

    /// The same column without NULL.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// The same column, made by the database.
    #[must_use]
    pub fn generated(mut self) -> Self {
        self.generated = true;
        self
    }

    /// The same column, made by the database: each value is the next number.
    #[must_use]
    pub fn identity(mut self) -> Self {
        self.made = Made::Identity;
        self.generated()
    }

    /// The same column, made by the database with this expression.
    #[must_use]
    pub fn default_value(mut self, expression: impl Into<String>) -> Self {
        self.made = Made::Default(expression.into());
        self.generated()
    }

    /// The same column, made by somebody else.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.made = Made::Elsewhere;
        self.generated()
    }

    /// The same column, as the counter of the versions of its row.
    #[must_use]
    pub fn version(mut self) -> Self {
        self.version = true;
        self
    }

    /// The same column, as a foreign key.
    #[must_use]
    pub fn references(mut self, reference: Reference) -> Self {
        self.references = Some(reference);
        self
    }
}
