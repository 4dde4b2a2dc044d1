use super::{backend, connect, in_time, pid, text};
use crate::support::cluster::PASSWORD;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Cluster, TestDb, shared};
use rowmill::backend::Backend;
use rowmill::{Append, Engine, Entity, ErrorKind, Iter, Job};
use std::time::{Duration, Instant};

/// All of a session that a borrower can change, as far as the server shows it. The query itself
/// holds a lock, but no advisory one, and its own statement was not prepared by SQL.
const SESSION: &str = "select concat_ws('|', current_user, session_user, \
    current_setting('search_path'), current_setting('work_mem'), current_setting('TimeZone'), \
    current_setting('statement_timeout'), coalesce(nullif(current_setting('app.secret', true), ''), '-'), \
    (select count(*) from pg_class where relpersistence = 't'), \
    (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), \
    (select count(*) from pg_listening_channels()), (select count(*) from pg_cursors), \
    (select count(*) from pg_prepared_statements where from_sql))";

/// What can be left, and whether a transaction is.
const DIRT: [(&str, bool); 20] = [
    ("begin; insert into t values (1)", true),
    ("begin; select 1/0", true),
    ("set work_mem = '1MB'", false),
    ("begin; set work_mem = '1MB'", true),
    ("set role reset_reader", false),
    ("set session authorization reset_reader", false),
    ("set search_path = nowhere", false),
    ("select set_config('app.secret', 'x', false)", false),
    ("create temp table left_over (n int)", false),
    ("select 1 as n into temp left_over", false),
    ("select pg_advisory_lock(7)", false),
    ("begin; select pg_advisory_lock(7); rollback", false),
    ("select 1; select pg_try_advisory_lock_shared(7, 8)", false),
    ("listen somewhere", false),
    ("begin; declare c cursor with hold for select 1; commit", false),
    ("prepare \"left over\" as select 1", false),
    ("do $$ begin perform set_config('work_mem', '1MB', false); end $$", false),
    ("select dirty()", false),
    ("/* x */ set /* y */ TimeZone = 'CET'", false),
    ("insert into watched values (1)", false),
];

fn dirty_database() -> TestDb<'static> {
    let db = shared().database("dirt");
    db.sql(
        "create table t (n int); create table watched (n int); grant all on t, watched to public; \
         do $$ begin create role reset_reader; exception when duplicate_object then null; end $$; \
         create function dirty() returns void language plpgsql as \
             $$ begin perform pg_advisory_lock(9); create temp table left_over (n int); end $$; \
         create function zone() returns trigger language plpgsql as \
             $$ begin perform set_config('TimeZone', 'CET', false); return new; end $$; \
         create trigger zone before insert on watched for each row execute function zone()",
    );
    db
}

/// pool-contract C5, F11
#[test]
fn whatever_a_borrower_leaves_the_next_one_never_sees() {
    let db = dirty_database();
    for url in [db.tcp_url(), db.socket_url()] {
        let mut connection = backend(&url).connect(in_time()).unwrap();
        let (fresh, process) = (text(&mut *connection, SESSION, &[]), pid(&mut *connection));
        for (dirt, transaction) in DIRT {
            let failed = connection.run(dirt).is_err();
            assert_eq!(failed, dirt.contains("1/0"), "{dirt}");
            let left =
                connection.reset(in_time()).unwrap_or_else(|error| panic!("{dirt}: {error}"));
            assert_eq!(left.transaction, transaction, "{dirt}: {left}");
            assert!(!left.is_empty() && !connection.in_transaction(), "{dirt}");
            // Locks are gone already, before anybody uses the connection again.
            let locks = "select count(*) from pg_locks where locktype = 'advisory' and \
                database = (select oid from pg_database where datname = current_database())";
            assert_eq!(db.value(locks), "0", "{dirt}");
            assert_eq!(text(&mut *connection, SESSION, &[]), fresh, "{dirt}");
            assert_eq!(pid(&mut *connection), process);
            assert!(connection.reset(in_time()).unwrap().is_empty(), "{dirt}");
        }
    }
}

#[test]
fn what_cannot_have_left_anything_costs_no_round_trip() {
    let cluster = Cluster::start();
    cluster.sql("create table t (n int)");
    let mut connection = backend(&cluster.url()).connect(in_time()).unwrap();
    // The first that comes back reads the catalog.
    connection.run("select 1").unwrap();
    connection.reset(in_time()).unwrap();
    connection.begin().unwrap();
    connection.run("set local work_mem = '1MB'; select pg_advisory_xact_lock(1)").unwrap();
    connection.run("create temp table x (n int) on commit drop").unwrap();
    connection.execute("insert into t select n from generate_series(1, 3) n", &[]).unwrap();
    connection.commit().unwrap();
    text(&mut *connection, "select count(*)::text from t where n in (1, 2)", &[]);
    let frozen = cluster.freeze();
    assert!(connection.reset(Instant::now() + Duration::from_secs(5)).unwrap().is_empty());
    drop(frozen);
    assert!(!connection.is_broken());
}

#[test]
fn what_the_driver_prepared_survives_a_reset() {
    let db = shared().database("kept");
    db.sql("create type mood as enum ('calm')");
    let mut connection = connect(&db);
    let count = "select count(*)::text from pg_prepared_statements";
    for _ in 0..3 {
        assert_eq!(text(&mut *connection, "select 'calm'::mood::text", &[]), "calm");
        let before = text(&mut *connection, count, &[]);
        connection.run("set work_mem = '1MB'; prepare x as select 1").unwrap();
        assert!(connection.reset(in_time()).unwrap().session);
        assert_eq!(text(&mut *connection, count, &[]), before);
    }
}

#[test]
fn settings_that_a_pooler_made_us_set_by_statement_are_set_again() {
    let db = shared().database("restored");
    let name = db.name();
    db.sql(&format!("alter database {name} set TimeZone = 'CET'"));
    let proxy = Proxy::to(shared().port());
    proxy.set(Fault::RefuseOptions);
    let url = format!(
        "postgresql://postgres:{PASSWORD}@127.0.0.1:{}/{name}?statement_timeout=7000",
        proxy.port()
    );
    let mut connection = backend(&url).connect(in_time()).unwrap();
    assert!(connection.reset(in_time()).unwrap().is_empty());
    connection.run("set TimeZone = 'Asia/Tokyo'").unwrap();
    assert!(connection.reset(in_time()).unwrap().session);
    let settings = "select current_setting('TimeZone') || current_setting('statement_timeout')";
    assert_eq!(text(&mut *connection, settings, &[]), "UTC7s");
}

/// pool-contract C6
#[test]
fn a_session_within_a_copy_is_not_given_to_anybody() {
    let db = shared().database("copying");
    db.sql("create table t (n int)");
    let mut connection = connect(&db);
    connection.run("copy t from stdin").unwrap_err();
    let error = connection.reset(in_time()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnect);
    assert!(connection.is_broken());
}

/// pool-contract C7
#[test]
fn a_reset_ends_at_its_deadline_where_the_server_is_silent() {
    let cluster = Cluster::start();
    for dirt in ["begin", "set work_mem = '1MB'"] {
        for url in [cluster.tcp_url(), cluster.socket_url()] {
            let mut connection = backend(&url).connect(in_time()).unwrap();
            connection.run(dirt).unwrap();
            let frozen = cluster.freeze();
            let started = Instant::now();
            let error = connection.reset(started + Duration::from_millis(200)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Disconnect);
            assert!(connection.is_broken());
            drop(connection);
            assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
            drop(frozen);
        }
    }
}

#[derive(Clone, Copy, Debug, Entity)]
#[entity(table = "numbers")]
struct Number {
    #[entity(key)]
    id: i64,
}

#[test]
fn a_job_pays_for_no_reset() {
    let cluster = Cluster::start();
    cluster.sql("alter system set log_statement = 'all'");
    cluster.sql("select pg_reload_conf()");
    let engine = Engine::open(&cluster.url()).unwrap();
    let numbers = || (0..1_000).map(|id| Number { id });
    let append = Job::named("append").read(Iter::new("numbers", numbers));
    let append = append.write(Append::<Number>::new().create(true)).batch_rows(100);
    assert_eq!(append.run(&engine).unwrap().inserted, 1_000);
    let upsert = Job::named("upsert").read(Iter::new("numbers", numbers));
    let upsert = upsert.write(rowmill::Upsert::<Number>::new()).batch_rows(100);
    assert_eq!(upsert.run(&engine).unwrap().unchanged, 1_000);
    engine.run("set work_mem = '1MB'").unwrap();
    let log = cluster.log();
    let resets: Vec<_> = log.lines().filter(|line| line.contains("UNLISTEN")).collect();
    assert_eq!(resets.len(), 1, "{resets:#?}");
    assert!(log.contains("INSERT INTO"));
}
