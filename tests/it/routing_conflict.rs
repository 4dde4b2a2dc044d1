//! A replica cancels a read for the sake of what it replays.

use crate::support::conflict::impatient;
use crate::support::trio::{Trio, one, settled};
use rowmill::backend::Connection;
use rowmill::{Cell, Engine, Executor, Result, SqlState};
use std::time::Duration;

/// Rows that do not fit into what lies between a server and its reader: the statement is not over
/// while the first one is looked at.
const FAT: &str = "drop table if exists conflict_rows;
    create table conflict_rows (id bigint primary key, v text);
    alter table conflict_rows alter v set storage external;
    insert into conflict_rows select n, repeat('x', 100000) from generate_series(1, 600) n";
const FAT_ROWS: usize = 600;

/// An engine that takes none of the servers for gone because the machine has much to do.
fn engine(trio: &Trio) -> Engine {
    trio.primary.sql(FAT);
    trio.catch_up();
    let patient = |options: rowmill::RoutingOptions| options.probe_timeout(Duration::from_secs(20));
    let engine = trio.builder().routing(patient).build().unwrap();
    settled(&engine);
    engine
}

fn port(connection: &mut dyn Connection) -> Result<u16> {
    let mut port = 0_i32;
    let sql = "select cast(current_setting('port') as int4)";
    connection.query(sql, &[], &mut |row| {
        port = Cell::unpack(row.cell(0)?)?;
        Ok(())
    })?;
    Ok(u16::try_from(port).expect("a port"))
}

/// Reads all rows, and has `act` done with the server of the first attempt once its first row is
/// there; how each attempt has ended, and where.
fn attempts(trio: &Trio, act: impl Fn(usize)) -> Vec<(usize, Option<String>)> {
    let engine = engine(trio);
    let mut attempts = Vec::new();
    let found = engine.read(|connection| {
        let server = trio.number_of(port(connection)?);
        let is_first = attempts.is_empty();
        let mut rows = 0;
        let done = connection.query("select id, v from conflict_rows", &[], &mut |_| {
            rows += 1;
            if is_first && rows == 1 {
                act(server);
            }
            Ok(())
        });
        let code = done.as_ref().err().and_then(rowmill::Error::sqlstate);
        attempts.push((server, code.map(|state| state.code().to_owned())));
        done.map(|()| rows)
    });
    assert_eq!(found.unwrap(), FAT_ROWS);
    attempts
}

fn assert_moved(attempts: &[(usize, Option<String>)]) {
    let [(first, Some(code)), (second, None)] = attempts else { panic!("{attempts:?}") };
    assert_eq!(Some(code.as_str()), SqlState::parse("40001").as_ref().map(SqlState::code));
    assert!(*first > 0 && second != first, "{attempts:?}");
}

#[test]
fn a_read_whose_rows_are_cleaned_away_under_it_is_cancelled_and_done_elsewhere() {
    let trio = impatient();
    assert_moved(&attempts(&trio, |server| {
        trio.clean_away("conflict_rows");
        trio.until_readers_are_told(server);
    }));
}

#[test]
fn a_read_in_the_way_of_a_lock_that_is_replayed_is_cancelled_and_done_elsewhere() {
    let trio = impatient();
    assert_moved(&attempts(&trio, |server| {
        trio.primary.sql("alter table conflict_rows add column note int");
        trio.primary.sql("select pg_switch_wal()");
        trio.until_readers_are_told(server);
    }));
}

/// A snapshot that nobody reads by at the moment: the server ends the session.
#[test]
fn a_session_that_is_ended_for_what_is_replayed_is_read_for_elsewhere() {
    let trio = impatient();
    let engine = engine(&trio);
    let mut servers = Vec::new();
    let count = |connection: &mut dyn Connection| {
        let mut rows = 0_i64;
        connection.query("select count(*) from conflict_rows", &[], &mut |row| {
            rows = Cell::unpack(row.cell(0)?)?;
            Ok(())
        })?;
        Ok(rows)
    };
    let found: Result<i64> = engine.read(|connection| {
        servers.push(trio.number_of(port(connection)?));
        connection.begin()?;
        connection.run("set transaction isolation level repeatable read")?;
        count(connection)?;
        if servers.len() == 1 {
            trio.clean_away("conflict_rows");
            trio.catch_up();
        }
        count(connection)
    });
    assert_eq!(found.unwrap(), FAT_ROWS as i64);
    assert!(servers.len() == 2 && servers[0] != servers[1], "{servers:?}");
    assert_eq!(one(&trio.primary, "select count(*) from conflict_rows"), FAT_ROWS.to_string());
}
