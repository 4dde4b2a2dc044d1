//! What SQLite can do.

use crate::backend::capabilities::Capabilities;
use crate::sql::dialect::Dialect;

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    dialect: Dialect::Sqlite,
    copy: false,
    unnest: false,
    concurrent_writers: false,
    row_locks: false,
    skip_locked: false,
    deferred_constraints: false,
    async_commit: false,
    flights: false,
    two_phase: false,
    transactional_ddl: true,
    transaction_modes: false,
    snapshots: false,
};
