//! What PostgreSQL can do.

use crate::backend::capabilities::Capabilities;
use crate::sql::dialect::Dialect;

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    dialect: Dialect::PostgreSql,
    copy: true,
    unnest: true,
    concurrent_writers: true,
    row_locks: true,
    skip_locked: true,
    deferred_constraints: true,
    async_commit: true,
    flights: true,
    two_phase: true,
    transactional_ddl: true,
    transaction_modes: true,
    snapshots: true,
};
