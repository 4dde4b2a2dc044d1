//! What a server says of itself and of its place among its replicas.

use crate::backend::postgres::connection::PostgresConnection;
use crate::backend::postgres::deadline::watchdog;
use crate::backend::postgres::errors;
use crate::backend::server_state::{LogPosition, ServerState};
use crate::error::Result;
use std::time::{Duration, Instant};

/// What is asked of the log of one kind of server is an error on the other, so it stands behind
/// CASE, whose question is asked once.
///
/// The timeline of a primary is that of the file it writes to. A standby learns of a new one from
/// the server it follows; who may not see that (`pg_read_all_stats`) sees it later, in what the
/// standby has stored.
const STATE: &str = "
SELECT CAST((SELECT system_identifier FROM pg_catalog.pg_control_system()) AS text),
       s.standby,
       NOT s.standby AND pg_catalog.current_setting('default_transaction_read_only') = 'off',
       CASE WHEN s.standby
            THEN greatest((SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()),
                          (SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery()),
                          (SELECT max(received_tli) FROM pg_catalog.pg_stat_wal_receiver))
            ELSE CAST(CAST('x' || substr(pg_catalog.pg_walfile_name(
                   pg_catalog.pg_current_wal_insert_lsn()), 1, 8) AS bit(32)) AS int4) END,
       CAST(pg_catalog.pg_wal_lsn_diff(CASE WHEN s.standby
            THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_insert_lsn() END, '0/0') AS int8),
       CASE WHEN s.standby THEN CAST(pg_catalog.pg_wal_lsn_diff(
            pg_catalog.pg_last_wal_receive_lsn(), '0/0') AS int8) END,
       CAST(extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000 AS int8),
       CASE WHEN s.standby THEN CAST(1000000 * extract(epoch FROM
            pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) AS int8) END
FROM (SELECT pg_catalog.pg_is_in_recovery() OFFSET 0) AS s (standby)";

/// `pg_current_wal_insert_lsn` and not `pg_current_wal_lsn`: a commit that does not wait for the
/// disk is behind the former alone.
const POSITION: &str = "
SELECT CAST(pg_catalog.pg_wal_lsn_diff(CASE WHEN s.standby
         THEN pg_catalog.pg_last_wal_replay_lsn()
         ELSE pg_catalog.pg_current_wal_insert_lsn() END, '0/0') AS int8)
FROM (SELECT pg_catalog.pg_is_in_recovery() OFFSET 0) AS s (standby)";

/// Asks; see [`Connection::server_state`](crate::backend::Connection::server_state).
pub(crate) fn server_state(
    connection: &mut PostgresConnection,
    deadline: Instant,
) -> Result<ServerState> {
    // The deadline is not that of a statement.
    let limit = connection.limit.take();
    let alarm = watchdog::sever_at(deadline, &connection.wire);
    let asked = connection.with_client(|client, _| client.query_typed_one(STATE, &[]));
    drop(alarm);
    connection.limit = limit;
    let row = asked?;
    let number =
        |index| row.try_get::<_, Option<i64>>(index).map_err(errors::statement).map(unsigned);
    let flag = |index| row.try_get::<_, bool>(index).map_err(errors::statement);
    let text: Option<String> = row.try_get(0).map_err(errors::statement)?;
    let timeline: Option<i32> = row.try_get(3).map_err(errors::statement)?;
    Ok(ServerState {
        system: text.unwrap_or_default(),
        is_standby: flag(1)?,
        takes_writes: flag(2)?,
        timeline: timeline.and_then(|timeline| u32::try_from(timeline).ok()).unwrap_or(0),
        position: LogPosition(number(4)?.unwrap_or(0)),
        received: number(5)?.map(LogPosition),
        started: number(6)?.and_then(|time| i64::try_from(time).ok()).unwrap_or(0),
        behind: number(7)?.map(Duration::from_micros),
    })
}

/// Asks; see [`Connection::log_position`](crate::backend::Connection::log_position).
pub(crate) fn log_position(connection: &mut PostgresConnection) -> Result<LogPosition> {
    let row = connection.with_client(|client, _| client.query_typed_one(POSITION, &[]))?;
    let position: Option<i64> = row.try_get(0).map_err(errors::statement)?;
    Ok(LogPosition(unsigned(position).unwrap_or(0)))
}

/// The clocks of two servers may differ, so that a time can be less than nothing.
fn unsigned(number: Option<i64>) -> Option<u64> {
    number.map(|number| u64::try_from(number).unwrap_or(0))
}
