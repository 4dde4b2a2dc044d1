//! Statements that are ended before they are through.

use super::*;

const ENDLESS: &str =
    "with recursive c (n) as (select 1 union all select n + 1 from c) select n from c";

/// Runs a query without an end, and `end` at its first row.
fn endless(connection: &mut dyn Connection, mut end: impl FnMut()) -> Error {
    let mut first = true;
    let ended = connection.query(ENDLESS, &[], &mut |_| {
        if std::mem::take(&mut first) {
            end();
        }
        Ok(())
    });
    ended.unwrap_err()
}

#[test]
fn a_cancelled_statement_ends_and_the_connection_stays_usable() {
    for backend in [memory(), Database::new().backend()] {
        let mut connection = connect(&backend);
        let interrupt = connection.interrupt().unwrap();
        let error = endless(&mut *connection, || interrupt.cancel());
        assert_eq!(code(&error), "57014", "{error}");
        assert!(!connection.is_broken());
        assert_eq!(one(&mut *connection, "select 1"), "1");
    }
}

#[test]
fn a_cancel_between_statements_does_nothing() {
    let mut connection = connect(&memory());
    let interrupt = connection.interrupt().unwrap();
    interrupt.cancel();
    assert_eq!(one(&mut *connection, "select 1"), "1");
}

#[test]
fn a_severed_connection_is_broken_at_once_and_for_good() {
    for backend in [memory(), Database::new().backend()] {
        let mut connection = connect(&backend);
        connection.run("create table t (a)").unwrap();
        let interrupt = connection.interrupt().unwrap();
        let error = endless(&mut *connection, || interrupt.sever());
        assert_eq!(error.kind(), ErrorKind::Disconnect, "{error}");
        assert!(connection.is_broken());
        assert_eq!(connection.run("select 1").unwrap_err().kind(), ErrorKind::Disconnect);
        assert_eq!(connection.ping(soon()).unwrap_err().kind(), ErrorKind::Disconnect);
        drop(connection);
        // The database in memory is still there.
        assert_eq!(one(&mut *connect(&backend), "select count(*) from t"), "0");
    }
}

#[test]
fn an_interrupt_has_no_power_over_the_next_borrower_of_a_database_in_memory() {
    let backend = memory();
    let old = connect(&backend).interrupt().unwrap();
    let mut connection = connect(&backend);
    let mut rows = 0;
    let sql = format!("{ENDLESS} limit 100000");
    let each = &mut |_: &dyn rowmill::RowRef| {
        rows += 1;
        old.cancel();
        old.sever();
        Ok(())
    };
    connection.query(&sql, &[], each).unwrap();
    assert_eq!(rows, 100_000);
    assert!(!connection.is_broken());
}

#[test]
fn one_who_waits_for_its_turn_to_write_can_be_cancelled() {
    let database = Database::new();
    let backend = database.backend();
    let mut writer = connect(&backend);
    writer.begin().unwrap();
    let mut waiting = connect(&backend);
    let interrupt = waiting.interrupt().unwrap();
    let error = thread::scope(|scope| {
        let waiter = scope.spawn(|| waiting.begin().unwrap_err());
        while !waiter.is_finished() {
            interrupt.cancel();
            thread::yield_now();
        }
        waiter.join().unwrap()
    });
    assert_eq!(code(&error), "57014", "{error}");
    writer.commit().unwrap();
    waiting.begin().unwrap();
}

#[test]
fn a_statement_that_takes_longer_than_its_limit_is_ended() {
    let mut connection = connect(&memory());
    connection.set_statement_timeout(Some(Duration::from_millis(200))).unwrap();
    let error = endless(&mut *connection, || {});
    assert_eq!(code(&error), "57014", "{error}");
    assert!(error.message().contains("time limit"), "{error}");
    assert_eq!(one(&mut *connection, "select 1"), "1");
    connection.set_statement_timeout(None).unwrap();
    assert_eq!(
        one(&mut *connection, &format!("select max(n) from ({ENDLESS} limit 9999)")),
        "9999"
    );
}

#[test]
fn a_wait_for_other_writers_counts_as_time_of_the_statement() {
    let database = Database::new();
    let (here, elsewhere) = (database.backend(), database.backend());
    let mut writer = connect(&here);
    writer.begin().unwrap();
    // In the line of the same backend, and for the lock of the file.
    for backend in [&here, &elsewhere] {
        let mut late = connect(backend);
        late.set_statement_timeout(Some(Duration::from_millis(20))).unwrap();
        let started = Instant::now();
        assert_eq!(code(&late.begin().unwrap_err()), "57014");
        assert!(started.elapsed() < Duration::from_secs(4), "not the time of the backend");
    }
}

#[test]
fn a_reset_takes_the_limit_back() {
    let mut connection = connect(&memory());
    connection.set_statement_timeout(Some(Duration::ZERO)).unwrap();
    connection.reset(soon()).unwrap();
    let rows = one(&mut *connection, &format!("select max(n) from ({ENDLESS} limit 9999)"));
    assert_eq!(rows, "9999");
}
