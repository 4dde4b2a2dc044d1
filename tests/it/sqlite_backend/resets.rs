//! A connection is made what it was when it was opened.

use super::*;
use rowmill::backend::leftovers::Leftovers;

const SESSION: Leftovers = Leftovers { transaction: false, session: true };
const NOTHING: Leftovers = Leftovers { transaction: false, session: false };

/// Runs `test` on a database in memory and on a file.
fn on_each(test: impl Fn(&mut dyn Connection)) {
    let database = Database::new();
    for backend in [memory(), database.backend()] {
        test(&mut *connect(&backend));
    }
}

#[test]
fn an_open_transaction_is_rolled_back() {
    on_each(|connection| {
        connection.run("create table t (a)").unwrap();
        connection.run("begin; insert into t values (1)").unwrap();
        let left = connection.reset(soon()).unwrap();
        assert_eq!(left, Leftovers { transaction: true, session: false });
        assert!(!connection.in_transaction());
        assert_eq!(one(connection, "select count(*) from t"), "0");
        assert_eq!(connection.reset(soon()).unwrap(), NOTHING);
    });
}

#[test]
fn temporary_tables_views_and_triggers_go() {
    on_each(|connection| {
        connection.run("create table t (a)").unwrap();
        let store = one(connection, "pragma temp_store");
        connection.reset(soon()).unwrap();
        for sql in [
            "create temp table x (a primary key)",
            "CREATE TEMPORARY VIEW x AS SELECT 1",
            "create temp trigger x after insert on t begin delete from t; end",
            "create table temp.p (id integer primary key); insert into p values (1); \
             create table temp.c (p references p (id)); insert into c values (1)",
        ] {
            connection.run(sql).unwrap();
            assert_eq!(connection.reset(soon()).unwrap(), SESSION, "{sql}");
            assert_eq!(one(connection, "select count(*) from temp.sqlite_schema"), "0", "{sql}");
            assert_eq!(one(connection, "pragma temp_store"), store, "{sql}");
            connection.reset(soon()).unwrap();
        }
        connection.run("insert into t values (1)").unwrap();
        assert_eq!(one(connection, "select count(*) from t"), "1");
        assert_eq!(connection.reset(soon()).unwrap(), NOTHING);
    });
}

#[test]
fn settings_are_set_back() {
    on_each(|connection| {
        connection.run("create table p (id integer primary key)").unwrap();
        for (name, changed) in [
            ("foreign_keys", "off"),
            ("query_only", "on"),
            ("recursive_triggers", "on"),
            ("ignore_check_constraints", "on"),
            ("reverse_unordered_selects", "on"),
            ("writable_schema", "on"),
            ("legacy_alter_table", "on"),
            ("read_uncommitted", "on"),
            ("trusted_schema", "off"),
            ("cache_size", "77"),
            ("synchronous", "off"),
            ("temp_store", "memory"),
        ] {
            let ask = format!("pragma {name}");
            let was = one(connection, &ask);
            connection.run(&format!("PRAGMA {name} = {changed}")).unwrap();
            assert_ne!(one(connection, &ask), was, "{name}");
            assert_eq!(connection.reset(soon()).unwrap(), SESSION, "{name}");
            assert_eq!(one(connection, &ask), was, "{name}");
        }
        connection.run("pragma case_sensitive_like = on").unwrap();
        assert_eq!(connection.reset(soon()).unwrap(), SESSION);
        assert_eq!(one(connection, "select 'a' like 'A'"), "1");
    });
}

#[test]
fn a_question_is_no_leftover() {
    on_each(|connection| {
        connection.run("create table temperature (attempt)").unwrap();
        one(connection, "pragma foreign_keys");
        one(connection, "pragma table_info('temperature')");
        one(connection, "select 'attach database'");
        assert_eq!(connection.reset(soon()).unwrap(), NOTHING);
    });
}

#[test]
fn attached_databases_are_let_go() {
    let other = Database::new();
    let path = other.path();
    drop(connect(&other.backend()));
    on_each(|connection| {
        let sql = format!("attach '{}' as \"an \"\"other\"", path.display());
        connection.run(&sql).unwrap();
        connection.run("begin; create table if not exists \"an \"\"other\".t (a)").unwrap();
        let left = connection.reset(soon()).unwrap();
        assert_eq!(left, Leftovers { transaction: true, session: true });
        assert_eq!(one(connection, "select name from pragma_database_list"), "'main'");
    });
}

#[test]
fn what_cannot_be_set_back_asks_for_the_connection_to_be_closed() {
    let database = Database::new();
    let mut connection = connect(&database.backend());
    connection.run("pragma busy_timeout = 1").unwrap();
    assert_eq!(connection.reset(soon()).unwrap_err().kind(), ErrorKind::Database);
}

#[test]
fn a_database_in_memory_outlives_a_borrower_that_was_not_reset() {
    let backend = memory();
    let mut connection = connect(&backend);
    connection.run("create table t (a); create temp table x (a)").unwrap();
    connection.run("pragma query_only = on; pragma busy_timeout = 1").unwrap();
    drop(connection);
    let mut connection = connect(&backend);
    connection.run("pragma query_only = on; create temp table y (a)").unwrap_err();
    drop(connection);
    let mut connection = connect(&backend);
    assert_eq!(one(&mut *connection, "select count(*) from t"), "0");
    connection.run("insert into t values (1)").unwrap();
}

#[test]
fn the_check_of_deferred_foreign_keys_leaves_nothing_that_counts() {
    let mut connection = connect(&memory());
    connection.run("create table p (id integer primary key)").unwrap();
    connection.run("create table t (p references p (id) deferrable initially deferred)").unwrap();
    connection.begin().unwrap();
    connection.run("create temp table x (a)").unwrap();
    connection.check_constraints().unwrap();
    connection.commit().unwrap();
    assert_eq!(connection.reset(soon()).unwrap(), SESSION);
    for _ in 0..2 {
        connection.begin().unwrap();
        connection.run("select 'temp'").unwrap();
        connection.check_constraints().unwrap();
        connection.commit().unwrap();
        assert_eq!(connection.reset(soon()).unwrap(), NOTHING);
    }
}

/// Another reads the file in a journal mode in which nobody can write then.
#[test]
fn a_reset_that_has_to_wait_ends_at_its_deadline() {
    let database = Database::new();
    let mut connection = connect(&database.backend());
    connection.run("create table t (a); insert into t values (1)").unwrap();
    connection.run("pragma journal_mode = delete").unwrap();
    let other = rusqlite::Connection::open(database.path()).unwrap();
    other.execute_batch("begin; select * from t").unwrap();
    let started = Instant::now();
    let error = connection.reset(started + Duration::from_millis(200)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database, "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
