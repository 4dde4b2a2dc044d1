//! The names of all figures, which stay as they are: dashboards and alerts name them.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const POOL_IN_USE: &str = "rowmill_pool_in_use";
pub(super) const POOL_IDLE: &str = "rowmill_pool_idle";
pub(super) const POOL_TOTAL: &str = "rowmill_pool_total";
pub(super) const POOL_WAITING: &str = "rowmill_pool_waiting";
pub(super) const POOL_LIMIT: &str = "rowmill_pool_limit";
pub(super) const POOL_WAIT: &str = "rowmill_pool_wait_seconds";
pub(super) const POOL_USE: &str = "rowmill_pool_use_seconds";
pub(super) const POOL_CONNECT: &str = "rowmill_pool_connect_seconds";
pub(super) const POOL_CONNECTS: &str = "rowmill_pool_connects_total";
pub(super) const POOL_CONNECT_FAILURES: &str = "rowmill_pool_connect_failures_total";
pub(super) const POOL_CLOSES: &str = "rowmill_pool_closes_total";
pub(super) const POOL_TIMEOUTS: &str = "rowmill_pool_timeouts_total";
pub(super) const POOL_RESETS: &str = "rowmill_pool_resets_total";
pub(super) const POOL_LEAKS: &str = "rowmill_pool_leaks_total";

pub(super) const RUN_ROWS: &str = "rowmill_run_rows_total";
pub(super) const RUN_BYTES: &str = "rowmill_run_bytes_total";
pub(super) const RUN_BATCHES: &str = "rowmill_run_batches_total";
pub(super) const RUN_REJECTS: &str = "rowmill_run_rejects_total";
pub(super) const RUN_RETRIES: &str = "rowmill_run_retries_total";
pub(super) const RUN_BATCH: &str = "rowmill_run_batch_seconds";
pub(super) const RUN_PLANNED_ROWS: &str = "rowmill_run_planned_rows";
pub(super) const RUN_PLANNED_BATCHES: &str = "rowmill_run_planned_batches";

/// Gives the recorder that is installed the unit and the meaning of each figure; exporters show
/// them beside the name.
pub fn describe() {
    describe_pool();
    describe_run();
}

fn describe_pool() {
    describe_gauge!(POOL_IN_USE, Unit::Count, "connections on loan");
    describe_gauge!(POOL_IDLE, Unit::Count, "connections that sleep in the pool");
    describe_gauge!(POOL_TOTAL, Unit::Count, "connections that are open");
    describe_gauge!(POOL_WAITING, Unit::Count, "threads that wait for a connection");
    describe_gauge!(POOL_LIMIT, Unit::Count, "connections that may be open");
    describe_histogram!(POOL_WAIT, Unit::Seconds, "from asking for a connection to having it");
    describe_histogram!(POOL_USE, Unit::Seconds, "how long a connection was on loan");
    describe_histogram!(POOL_CONNECT, Unit::Seconds, "how long opening a connection took");
    describe_counter!(POOL_CONNECTS, Unit::Count, "connections that were opened");
    describe_counter!(POOL_CONNECT_FAILURES, Unit::Count, "attempts to connect that failed");
    describe_counter!(POOL_CLOSES, Unit::Count, "connections that were closed");
    describe_counter!(POOL_TIMEOUTS, Unit::Count, "borrowers who got no connection in time");
    describe_counter!(POOL_RESETS, Unit::Count, "connections that came back unclean");
    describe_counter!(POOL_LEAKS, Unit::Count, "connections that were on loan for too long");
}

fn describe_run() {
    describe_counter!(RUN_ROWS, Unit::Count, "rows read, in batches that were committed");
    describe_counter!(RUN_BYTES, Unit::Bytes, "bytes read, in batches that were committed");
    describe_counter!(RUN_BATCHES, Unit::Count, "batches that were committed");
    describe_counter!(RUN_REJECTS, Unit::Count, "rows that were rejected");
    describe_counter!(RUN_RETRIES, Unit::Count, "times that something was tried again");
    describe_histogram!(RUN_BATCH, Unit::Seconds, "how long a batch took");
    describe_gauge!(RUN_PLANNED_ROWS, Unit::Count, "rows of the source");
    describe_gauge!(RUN_PLANNED_BATCHES, Unit::Count, "batches of the job");
}
