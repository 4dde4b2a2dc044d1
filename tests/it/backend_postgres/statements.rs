use super::{backend, connect, in_time, pid, text, texts, wait_until};
use crate::support::{Cluster, shared};
use rowmill::backend::{Backend, Connection, RowRef};
use rowmill::{CellRef, ColumnType, Error, ErrorKind, Param, SqlState};
use std::time::{Duration, Instant};

#[test]
fn a_parameter_becomes_the_type_of_its_placeholder() {
    let db = shared().database("params");
    db.sql("create type mood as enum ('calm'); create domain small as int2");
    let mut connection = connect(&db);
    let packed = 7_i32.to_be_bytes().to_vec();
    for (cast, param, expected) in [
        ("smallint", Param::Int(7), "7"),
        ("bigint", Param::Int(i64::MIN), "-9223372036854775808"),
        ("numeric", Param::Int(7), "7"),
        ("double precision", Param::Int(7), "7"),
        ("text", Param::Int(7), "7"),
        ("small", Param::Int(7), "7"),
        ("oid", Param::Int(4_000_000_000), "4000000000"),
        ("real", Param::Float(0.5), "0.5"),
        ("numeric", Param::Float(0.1), "0.1"),
        ("boolean", Param::Bool(true), "true"),
        ("text", Param::Bool(false), "false"),
        ("text", "a\u{e9}".into(), "a\u{e9}"),
        ("varchar", "a".into(), "a"),
        ("json", "[1]".into(), "[1]"),
        ("jsonb", "[1]".into(), "[1]"),
        ("mood", "calm".into(), "calm"),
        ("date", "2026-08-22".into(), "2026-08-22"),
        ("inet", "10.0.0.1".into(), "10.0.0.1/32"),
        ("int[]", "{1,2}".into(), "{1,2}"),
        ("bytea", vec![0, 255].into(), "\\x00ff"),
        ("integer", Param::Packed(&ColumnType::Int4, packed.clone().into()), "7"),
        ("bigint", Param::Packed(&ColumnType::Int4, packed.clone().into()), "7"),
        ("numeric", Param::Packed(&ColumnType::Int4, packed.clone().into()), "7"),
        ("date", Param::Packed(&ColumnType::Date, packed.into()), "2000-01-08"),
    ] {
        let sql = format!("select $1::{cast}::text");
        assert_eq!(text(&mut *connection, &sql, &[param]), expected, "{cast}");
    }
    assert_eq!(texts(&mut *connection, "select $1::int", &[Param::Null]).unwrap(), [None]);
}

#[test]
fn a_parameter_that_does_not_fit_fails_before_it_is_sent() {
    let db = shared().database("misfits");
    let mut connection = connect(&db);
    let error = connection.execute("select $1::smallint", &[Param::Int(40_000)]).unwrap_err();
    assert_eq!(error.sqlstate(), Some(SqlState::NUMERIC_OUT_OF_RANGE));
    let error = connection.execute("select $1::text", &[vec![1].into()]).unwrap_err();
    assert!(error.hint().unwrap().contains("$1::bytea"));
    let error = connection.execute("select $1::text", &[]).unwrap_err();
    assert!(error.message().contains("1 placeholders"), "{error}");
    assert!(!connection.is_broken());
    assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
}

#[test]
fn a_row_names_its_cells_and_knows_their_types() {
    let db = shared().database("cells");
    db.sql("create type mood as enum ('calm')");
    let mut connection = connect(&db);
    let sql = "select 7 as n, null::numeric(5,2) as p, 'calm'::mood as m, array['a'::varchar] as v";
    let mut seen = 0;
    connection
        .query(sql, &[], &mut |row| {
            seen += 1;
            assert_eq!((row.len(), row.name(0), row.name(2)), (4, "n", "m"));
            assert_eq!(row.cell(0)?, CellRef::Packed(&ColumnType::Int4, &[0, 0, 0, 7]));
            assert_eq!(row.cell(1)?, CellRef::Null);
            let mood = ColumnType::Enum("public.mood".into());
            assert_eq!(row.cell(2)?, CellRef::Packed(&mood, b"calm"));
            let array = ColumnType::Array(Box::new(ColumnType::Varchar(None)));
            assert!(matches!(row.cell(3)?, CellRef::Packed(found, _) if *found == array));
            assert_eq!(row.cell(4).unwrap_err().kind(), ErrorKind::Decode);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn execute_counts_the_rows_it_changed() {
    let db = shared().database("counts");
    let mut connection = connect(&db);
    connection.run("create table t (n int); insert into t select generate_series(1, 5)").unwrap();
    assert_eq!(connection.execute("update t set n = n where n > $1", &[2.into()]).unwrap(), 3);
    let sql = "delete from t where n < $1 returning n";
    assert_eq!(connection.execute(sql, &[3.into()]).unwrap(), 2);
}

fn stop(_: &dyn RowRef) -> rowmill::Result<()> {
    Err(Error::new(ErrorKind::Stopped, "enough"))
}

#[test]
fn after_an_error_of_the_caller_the_rest_of_a_result_is_thrown_away() {
    let db = shared().database("drain");
    let mut connection = connect(&db);
    let sql = "select generate_series(1, 10000)";
    assert_eq!(connection.query(sql, &[], &mut stop).unwrap_err().kind(), ErrorKind::Stopped);
    assert!(!connection.is_broken());
    assert_eq!(text(&mut *connection, "select 'clean'", &[]), "clean");
}

#[test]
fn a_result_without_end_is_given_up_and_cancelled() {
    let db = shared().database("endless");
    let mut connection = connect(&db);
    let pid = pid(&mut *connection);
    let started = Instant::now();
    let sql = "select generate_series(1, 1000000000000)";
    assert_eq!(connection.query(sql, &[], &mut stop).unwrap_err().kind(), ErrorKind::Stopped);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(connection.is_broken());
    assert!(connection.run("select 1").unwrap_err().is_disconnect());
    drop(connection);
    wait_until(&db, &format!("select not exists (select from pg_stat_activity where pid = {pid})"));
}

#[test]
fn a_panic_of_the_caller_leaves_a_connection_that_says_so() {
    let db = shared().database("panic");
    let mut connection = connect(&db);
    let query = std::panic::AssertUnwindSafe(|| {
        let _ = connection.query("select 1", &[], &mut |_| panic!("on purpose"));
    });
    assert!(std::panic::catch_unwind(query).is_err());
    assert!(connection.is_broken());
}

#[test]
fn a_kept_statement_heals_after_a_change_of_the_table() {
    let db = shared().database("stale");
    db.sql("create table t (a int); insert into t values (1)");
    let mut connection = connect(&db);
    let rows = |connection: &mut dyn Connection| -> rowmill::Result<Vec<usize>> {
        let mut lengths = Vec::new();
        connection.query("select * from t", &[], &mut |row| {
            lengths.push(row.len());
            Ok(())
        })?;
        Ok(lengths)
    };
    assert_eq!(rows(&mut *connection).unwrap(), [1]);
    db.sql("alter table t add b int");
    assert_eq!(rows(&mut *connection).unwrap(), [2]);
    connection.begin().unwrap();
    db.sql("alter table t add c int");
    let error = rows(&mut *connection).unwrap_err();
    assert_eq!(error.sqlstate().unwrap().code(), "0A000", "nothing is tried again in {error}");
    connection.rollback().unwrap();
    assert_eq!(rows(&mut *connection).unwrap(), [3]);
    connection.run("deallocate all").unwrap();
    assert_eq!(rows(&mut *connection).unwrap(), [3]);
}

#[test]
fn only_so_many_statements_are_kept() {
    let db = shared().database("kept");
    let mut connection = connect(&db);
    for n in 0..150 {
        connection.execute(&format!("select {n}"), &[]).unwrap();
    }
    let sql = "select count(*)::text from pg_prepared_statements";
    let kept: u32 = text(&mut *connection, sql, &[]).parse().unwrap();
    assert!((90..=110).contains(&kept), "{kept}");
}

#[test]
fn a_terminated_connection_is_a_disconnect_however_it_is_noticed() {
    let db = shared().database("terminated");
    for sleeping in [false, true] {
        let mut connection = connect(&db);
        let pid = pid(&mut *connection);
        let error = if sleeping {
            std::thread::scope(|scope| {
                let sleeping = scope.spawn(|| connection.run("select pg_sleep(60)").unwrap_err());
                let activity = format!("from pg_stat_activity where pid = {pid}");
                let asleep =
                    format!("select exists (select {activity} and wait_event = 'PgSleep')");
                wait_until(&db, &asleep);
                db.sql(&format!("select pg_terminate_backend({pid})"));
                sleeping.join().unwrap()
            })
        } else {
            db.sql(&format!("select pg_terminate_backend({pid}, 10000)"));
            connection.run("select 1").unwrap_err()
        };
        assert_eq!(error.kind(), ErrorKind::Disconnect);
        assert!(connection.is_broken());
        assert!(connection.ping(in_time()).unwrap_err().is_disconnect());
    }
}

#[test]
fn a_ping_ends_at_its_deadline_and_dropping_the_connection_waits_for_nobody() {
    let cluster = Cluster::start();
    let mut connection = backend(&cluster.url()).connect(in_time()).unwrap();
    connection.ping(in_time()).unwrap();
    let _frozen = cluster.freeze();
    let started = Instant::now();
    let error = connection.ping(started + Duration::from_millis(100)).unwrap_err();
    assert!(error.is_disconnect() && connection.is_broken());
    drop(connection);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[test]
fn a_pool_of_connections_is_closed_when_it_is_dropped() {
    let db = shared().database("closed");
    drop((0..20).map(|_| connect(&db)).collect::<Vec<_>>());
    let sql = "select count(*) = 1 from pg_stat_activity where datname = current_database()";
    wait_until(&db, sql);
}

/// The driver sends a second final request for a COPY that the server refused to start, and takes
/// the answer to it for that of the next statement.
#[test]
fn after_a_copy_that_could_not_start_no_answer_is_taken_for_another() {
    let db = shared().database("refused");
    db.sql("create table t (id bigint)");
    let mut connection = connect(&db);
    let mut rows = rowmill::Rows::new(1);
    let mut row = rows.begin();
    row.field(&7_i64.to_be_bytes()).unwrap();
    row.finish().unwrap();
    let id = rowmill::Ident::new("id").unwrap();
    let columns = [rowmill::Column::new(id, ColumnType::Int8)];
    let table = rowmill::TableName::parse("t").unwrap();
    let mut blocker = db.connect();
    blocker.batch_execute("begin; lock table t in access exclusive mode").unwrap();
    connection.begin().unwrap();
    connection.run("set local lock_timeout = '50ms'").unwrap();
    // Prepared while nothing is locked, refused when it is run.
    let error = connection.load(&table, &columns, &rows, 0..1).unwrap_err();
    assert_eq!(error.sqlstate().unwrap().code(), "55P03");
    assert_eq!(connection.commit().unwrap_err().sqlstate(), Some(SqlState::IN_FAILED_TRANSACTION));
    assert!(!connection.is_broken() && !connection.in_transaction());
    assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
    blocker.batch_execute("rollback").unwrap();
    assert_eq!(connection.load(&table, &columns, &rows, 0..1).unwrap(), 1);
    assert_eq!(text(&mut *connection, "select id::text from t", &[]), "7");
}

/// F35
#[test]
fn a_table_that_changes_never_puts_a_value_into_the_wrong_column() {
    let db = shared().database("drift");
    db.sql("create type mood as enum ('calm', 'glad')");
    db.sql("create table t (a int, b text, m mood); insert into t values (1, 'one', 'calm')");
    let mut connection = connect(&db);
    let everything = |connection: &mut dyn Connection| {
        let mut cells = Vec::new();
        connection.query("select * from t", &[], &mut |row| {
            cells.clear();
            for index in 0..row.len() {
                let shown = match row.cell(index)? {
                    CellRef::Packed(ColumnType::Int4, bytes) => {
                        i32::from_be_bytes(bytes.try_into().unwrap()).to_string()
                    }
                    CellRef::Packed(ColumnType::Int8, bytes) => {
                        i64::from_be_bytes(bytes.try_into().unwrap()).to_string()
                    }
                    CellRef::Packed(_, bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                    _ => "NULL".to_owned(),
                };
                cells.push(format!("{}={shown}", row.name(index)));
            }
            Ok(())
        })?;
        Ok::<_, Error>(cells.join(" "))
    };
    for (change, expected) in [
        ("select 1", "a=1 b=one m=calm"),
        ("alter table t add c int default 3", "a=1 b=one m=calm c=3"),
        ("alter table t drop b", "a=1 m=calm c=3"),
        ("alter table t alter a type bigint", "a=1 m=calm c=3"),
        ("alter table t rename a to z", "z=1 m=calm c=3"),
        (
            "alter table t drop m; drop type mood; create type mood as enum ('bad', 'calm'); \
             alter table t add m mood default 'bad'",
            "z=1 c=3 m=bad",
        ),
        ("drop table t; create table t as select 9 as c, 'x'::text as z", "c=9 z=x"),
    ] {
        db.sql(change);
        assert_eq!(everything(&mut *connection).unwrap(), expected, "{change}");
        assert!(!connection.is_broken());
    }
    // A parameter of a type that was made again.
    let sql = "select ($1::mood)::text";
    assert_eq!(text(&mut *connection, sql, &["bad".into()]), "bad");
    db.sql("drop type mood; create type mood as enum ('new')");
    let mut again = || texts(&mut *connection, sql, &["new".into()]);
    let healed = again().or_else(|_| again()).unwrap();
    assert_eq!(healed, [Some("new".to_owned())]);
}
