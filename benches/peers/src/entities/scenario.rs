//! What is measured.

/// What is measured, the same for all. Every contender has one connection and one caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// One row by its key, as a struct.
    Select,
    /// One struct, in a transaction of its own.
    Insert,
    /// A thousand structs at once.
    InsertMany,
    /// All rows of the table as structs.
    Load,
    /// A thousand structs that were read are changed in two of their fields, and written.
    Update,
}

/// How many rows are inserted or updated at once.
pub const MANY: i64 = 1_000;

/// How many calls on one row are timed as one.
pub const PIECE: i64 = 200;

impl Scenario {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 5] =
        [Self::Select, Self::Insert, Self::InsertMany, Self::Load, Self::Update];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Insert => "insert-one",
            Self::InsertMany => "insert-many",
            Self::Load => "load",
            Self::Update => "update",
        }
    }

    /// What it is, for a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Select => "one row by its key",
            Self::Insert => "insert one row",
            Self::InsertMany => "insert 1,000 rows at once",
            Self::Load => "load 100,000 rows",
            Self::Update => "update 1,000 tracked rows",
        }
    }
}
