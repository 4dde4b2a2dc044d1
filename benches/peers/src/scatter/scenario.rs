//! What is measured.

/// What is measured, the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// How many rows there are.
    Count,
    /// The first rows by an order that has an index.
    Top,
    /// The same by an order that has none.
    Sorted,
    /// A count, a sum and a maximum for each country.
    Groups,
    /// Rows of all shards are inserted, those of each shard in one transaction.
    Load,
}

impl Scenario {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 5] = [Self::Count, Self::Top, Self::Sorted, Self::Groups, Self::Load];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Top => "top",
            Self::Sorted => "sorted",
            Self::Groups => "groups",
            Self::Load => "load",
        }
    }

    /// What it is, for a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Count => "count of all rows",
            Self::Top => "order by + limit 100, by an index",
            Self::Sorted => "order by + limit 100, sorted",
            Self::Groups => "group by: count, sum, max",
            Self::Load => "insert of 9,000 rows",
        }
    }
}
