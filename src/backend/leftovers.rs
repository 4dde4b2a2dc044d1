//! What a borrower left behind.

use std::fmt;

/// What a borrower of a connection left behind, and a reset took away.
///
/// `Display` is a list for a message: `an open transaction, session state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leftovers {
    /// A transaction was open, or aborted.
    pub transaction: bool,
    /// Something that outlives a transaction was left, or may have been: a setting, a role, a
    /// temporary table, a lock, a prepared statement, a cursor, a subscription.
    pub session: bool,
}

impl Leftovers {
    /// Whether nothing was left.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Leftovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.transaction, self.session) {
            (true, true) => "an open transaction, session state",
            (true, false) => "an open transaction",
            (false, true) => "session state",
            (false, false) => "nothing",
        })
    }
}
