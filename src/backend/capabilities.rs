//! What a database can do.

use crate::sql::dialect::Dialect;

/// What a database can do; found by asking it where versions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "a list of yes and no, each on its own")]
pub struct Capabilities {
    /// How its SQL is spelled.
    pub dialect: Dialect,
    /// It has COPY.
    pub copy: bool,
    /// Arrays can be parameters, and `unnest` makes rows of them.
    pub unnest: bool,
    /// Several connections can write at once.
    pub concurrent_writers: bool,
    /// `SELECT ... FOR UPDATE` locks rows.
    pub row_locks: bool,
    /// `SKIP LOCKED` passes over rows that another transaction has locked, so that several
    /// processes can work through one list.
    pub skip_locked: bool,
    /// `SET CONSTRAINTS` has constraints checked by the statements of a transaction, and not at its
    /// end.
    pub deferred_constraints: bool,
    /// Transactions have isolation levels and can be read only (`SET TRANSACTION`), and time-outs
    /// of their own (`SET LOCAL`).
    pub transaction_modes: bool,
    /// A transaction can export its snapshot, and others read as of it.
    pub snapshots: bool,
    /// A commit may return before it is on the disk (`synchronous_commit`).
    pub async_commit: bool,
    /// Statements that know nothing of each other can be sent together.
    pub flights: bool,
    /// A transaction can be prepared, and committed later by any session (`PREPARE TRANSACTION`).
    pub two_phase: bool,
    /// Tables are emptied, and indexes dropped and created, within a transaction, and all of it is undone
    /// with it.
    pub transactional_ddl: bool,
}

impl Capabilities {
    /// A database that speaks `dialect` and can do none of it; set what it can do.
    pub const fn none(dialect: Dialect) -> Self {
        Self {
            dialect,
            copy: false,
            unnest: false,
            concurrent_writers: false,
            row_locks: false,
            skip_locked: false,
            deferred_constraints: false,
            async_commit: false,
            flights: false,
            two_phase: false,
            transactional_ddl: false,
            transaction_modes: false,
            snapshots: false,
        }
    }
}
