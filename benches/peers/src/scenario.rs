//! What is measured.

use std::fmt::Write as _;

/// What is measured, the same for every pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// One caller takes a connection that does nothing and gives it back.
    GetTrivial,
    /// The same with a connection to the server, without a query.
    GetReal,
    /// So many callers on [`FEW`] connections; each holds one for [`HOLD`].
    Wait(u32),
    /// So many callers, each with one query by key after the other, on [`MANY`] connections.
    Point(u32),
}

/// Connections of the scenario in which callers wait.
pub const FEW: u32 = 4;

/// Connections of the scenario with queries.
pub const MANY: u32 = 8;

/// How a connection is held: by a statement that takes 2 ms in the server, so that it is as long
/// for threads as for tasks, whatever their timers can do.
pub const HOLD: &str = "select pg_sleep(0.002)";

/// The query by key.
pub const POINT: &str = "select payload from points where id = $1";

/// How many keys there are.
pub const KEYS: i64 = 10_000;

/// Makes what the queries ask.
pub const TABLE: &str = "create table points (id bigint primary key, payload text not null);
    insert into points select i, repeat('x', 64) from generate_series(1, 10000) i;
    analyze points";

impl Scenario {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 6] = [
        Self::GetTrivial,
        Self::GetReal,
        Self::Wait(8),
        Self::Wait(64),
        Self::Point(1),
        Self::Point(64),
    ];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GetTrivial => "get-trivial",
            Self::GetReal => "get-real",
            Self::Wait(8) => "wait-8",
            Self::Wait(_) => "wait-64",
            Self::Point(1) => "point-1",
            Self::Point(_) => "point-64",
        }
    }

    /// What it is, for a person.
    pub fn title(self) -> String {
        let mut title = String::new();
        let written = match self {
            Self::GetTrivial => write!(title, "get and return, one caller, trivial connections"),
            Self::GetReal => write!(title, "get and return, one caller, no query"),
            Self::Wait(callers) => {
                write!(title, "{callers} callers on {FEW} connections, each held for 2 ms")
            }
            Self::Point(1) => write!(title, "queries by key, 1 caller"),
            Self::Point(callers) => {
                write!(title, "queries by key, {callers} callers on {MANY} connections")
            }
        };
        written.expect("write to a string");
        title
    }

    /// How many connections the pool may have.
    pub fn connections(self) -> u32 {
        match self {
            Self::GetTrivial | Self::GetReal | Self::Wait(_) => FEW,
            Self::Point(_) => MANY,
        }
    }
}
