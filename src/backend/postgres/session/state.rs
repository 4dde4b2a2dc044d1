//! What a server says of itself and of its place among its replicas.

use crate::backend::postgres::connection::PostgresConnection;
use crate::backend::postgres::deadline::watchdog;
use crate::backend::postgres::errors;
use crate::backend::server_state::{Fork, LogPlace, LogPosition, ServerState};
use crate::error::Result;
use std::time::{Duration, Instant};

/// The timeline of a primary is that of the file it writes to. A standby learns of a new one from
/// the server it follows; who may not see that (`pg_read_all_stats`) sees it later, in what the
/// standby has stored.
macro_rules! timeline {
    () => {
        "CASE WHEN s.standby
            THEN greatest((SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()),
                          (SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery()),
                          (SELECT max(received_tli) FROM pg_catalog.pg_stat_wal_receiver))
            ELSE CAST(CAST('x' || substr(pg_catalog.pg_walfile_name(
                   pg_catalog.pg_current_wal_insert_lsn()), 1, 8) AS bit(32)) AS int4) END"
    };
}

/// What is asked of the log of one kind of server is an error on the other, so it stands behind
/// CASE, whose question is asked once.
const STATE: &str = concat!(
    "
SELECT CAST((SELECT system_identifier FROM pg_catalog.pg_control_system()) AS text),
       s.standby,
       NOT s.standby AND pg_catalog.current_setting('default_transaction_read_only') = 'off',
       ",
    timeline!(),
    ",
       CAST(pg_catalog.pg_wal_lsn_diff(CASE WHEN s.standby
            THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_insert_lsn() END, '0/0') AS int8),
       CASE WHEN s.standby THEN CAST(pg_catalog.pg_wal_lsn_diff(
            pg_catalog.pg_last_wal_receive_lsn(), '0/0') AS int8) END,
       CAST(extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000 AS int8),
       CASE WHEN s.standby THEN CAST(1000000 * extract(epoch FROM
            pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) AS int8) END,
       CAST(pg_catalog.current_setting('wal_block_size') AS int8)
FROM (SELECT pg_catalog.pg_is_in_recovery() OFFSET 0) AS s (standby)"
);

/// `pg_current_wal_insert_lsn` and not `pg_current_wal_lsn`: a commit that does not wait for the
/// disk is behind the former alone.
const PLACE: &str = concat!(
    "
SELECT CAST(pg_catalog.pg_wal_lsn_diff(CASE WHEN s.standby
         THEN pg_catalog.pg_last_wal_replay_lsn()
         ELSE pg_catalog.pg_current_wal_insert_lsn() END, '0/0') AS int8),
       CAST(pg_catalog.current_setting('wal_block_size') AS int8),
       CAST((SELECT system_identifier FROM pg_catalog.pg_control_system()) AS text),
       ",
    timeline!(),
    "
FROM (SELECT pg_catalog.pg_is_in_recovery() OFFSET 0) AS s (standby)"
);

/// Whether the file with the history of a timeline may be read. It is asked before: who may not is
/// refused even where the call is not reached.
const MAY_READ: &str = "SELECT pg_catalog.has_function_privilege(
    'pg_catalog.pg_read_file(text, bigint, bigint, boolean)', 'execute')";

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
        position: end_of_record(number(4)?, number(8)?),
        received: number(5)?.map(LogPosition),
        started: number(6)?.and_then(|time| i64::try_from(time).ok()).unwrap_or(0),
        behind: number(7)?.map(Duration::from_micros),
    })
}

/// Asks; see [`Connection::log_place`](crate::backend::Connection::log_place).
pub(crate) fn log_place(connection: &mut PostgresConnection) -> Result<LogPlace> {
    let row = connection.with_client(|client, _| client.query_typed_one(PLACE, &[]))?;
    let position: Option<i64> = row.try_get(0).map_err(errors::statement)?;
    let block: Option<i64> = row.try_get(1).map_err(errors::statement)?;
    let system: Option<String> = row.try_get(2).map_err(errors::statement)?;
    let timeline: Option<i32> = row.try_get(3).map_err(errors::statement)?;
    Ok(LogPlace {
        system: system.and_then(|system| system.parse().ok()).unwrap_or(0),
        timeline: timeline.and_then(|timeline| u32::try_from(timeline).ok()).unwrap_or(0),
        position: end_of_record(unsigned(position), unsigned(block)),
    })
}

/// Asks; see [`Connection::log_forks`](crate::backend::Connection::log_forks).
pub(crate) fn log_forks(
    connection: &mut PostgresConnection,
    timeline: u32,
    deadline: Instant,
) -> Result<Option<Vec<Fork>>> {
    if timeline <= 1 {
        return Ok(Some(Vec::new()));
    }
    let limit = connection.limit.take();
    let alarm = watchdog::sever_at(deadline, &connection.wire);
    let file = format!(
        "SELECT pg_catalog.pg_read_file('pg_wal/{timeline:08X}.history', 0, 1000000, true)"
    );
    let asked = connection.with_client(|client, _| {
        if !client.query_typed_one(MAY_READ, &[])?.try_get::<_, bool>(0)? {
            return Ok(None);
        }
        client.query_typed_one(&file, &[])?.try_get::<_, Option<String>>(0)
    });
    drop(alarm);
    connection.limit = limit;
    match asked {
        // It is allowed to call it, and something else is in the way.
        Err(error) if !error.is_transient() => Ok(None),
        text => Ok(text?.and_then(|text| forks_of(&text))),
    }
}

/// One line for each fork: the timeline that was left, where, and why. `None` if it is no such file.
fn forks_of(text: &str) -> Option<Vec<Fork>> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let fork = |line: &str| {
        let mut words = line.split_whitespace();
        Some(Fork { timeline: words.next()?.parse().ok()?, at: words.next()?.parse().ok()? })
    };
    lines.map(fork).collect()
}

/// The longest head of a block of the log: that of the first one in a file.
const HEAD: u64 = 40;

/// Where the last record ends. The place where the next one is going to begin is behind the head of
/// a block, where that is new; a standby has replayed up to the end of the one before, and would
/// lag by that head for as long as nothing is written.
///
/// A record that begins behind the head is longer than it, so that what ends within the length of
/// a head has begun in the block before: nothing ends between that and the beginning of the block.
fn end_of_record(position: Option<u64>, block: Option<u64>) -> LogPosition {
    let position = position.unwrap_or(0);
    let within = block.and_then(|block| position.checked_rem(block)).unwrap_or(0);
    LogPosition(if within <= HEAD { position - within } else { position })
}

/// The clocks of two servers may differ, so that a time can be less than nothing.
fn unsigned(number: Option<i64>) -> Option<u64> {
    number.map(|number| u64::try_from(number).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_of_a_timeline_says_where_it_left_those_before() {
        let text = "1\t0/5000148\tno recovery target specified\n\n# by hand\n2\t0/60000A0\tx y\n";
        let fork = |timeline, at| Fork { timeline, at: LogPosition(at) };
        assert_eq!(forks_of(text), Some(vec![fork(1, 0x500_0148), fork(2, 0x600_00A0)]));
        assert_eq!(forks_of("1 nowhere"), None);
    }

    #[test]
    fn the_head_of_a_block_is_not_waited_for() {
        let end = |position| end_of_record(Some(position), Some(8192)).0;
        assert_eq!(
            [end(0x0800_0028), end(0x0800_2018), end(0x0800_2000)],
            [0x0800_0000, 0x0800_2000, 0x0800_2000]
        );
        assert_eq!(end(0x0800_2030), 0x0800_2030);
        assert_eq!(end_of_record(Some(77), None).0, 77);
    }
}
