use super::{backend, connect, in_time, pid, text};
use crate::support::cluster::PASSWORD;
use crate::support::{Cluster, TestDb, shared};
use rowmill::backend::{Backend, Connection};
use rowmill::{Column, ColumnType, Ident, Rows, TableName};
use std::time::{Duration, Instant};

/// All of a session that code can change, as far as the server shows it.
const SESSION: &str = "select concat_ws('|', current_user, \
    current_setting('search_path'), current_setting('work_mem'), current_setting('TimeZone'), \
    (select count(*) from pg_class where relpersistence = 't'), \
    (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), \
    (select count(*) from pg_listening_channels()), \
    (select count(*) from pg_prepared_statements where from_sql))";

/// What every case begins with: two functions that change a session, and a table.
const BASE: &str = "create table t (id int primary key, n int);
    create function sets() returns bool language plpgsql as
        $$ begin perform set_config('work_mem', '64MB', false); return true; end $$;
    create function locks(int) returns int language plpgsql as
        $$ begin perform pg_advisory_lock(7); return $1; end $$;
    create function fires() returns trigger language plpgsql as
        $$ begin perform set_config('work_mem', '64MB', false); return new; end $$;";

/// How a session is changed without a word of it in the statement: what is in the database, and what
/// is run.
const CASES: [(&str, &str); 27] = [
    // Triggers.
    ("create trigger x before insert on t for each row execute function fires()", "insert into t values (1)"),
    (
        "create function held() returns trigger language plpgsql as
            $$ begin perform pg_advisory_lock(7); return null; end $$;
         create trigger x after insert on t execute function held()",
        "insert into t values (1)",
    ),
    (
        "create constraint trigger x after insert on t deferrable initially deferred
            for each row execute function fires()",
        "begin; insert into t values (1); commit",
    ),
    ("create trigger x before truncate on t execute function fires()", "truncate t"),
    (
        "create function nested() returns trigger language plpgsql as
            $$ begin perform deeper(); return new; end $$;
         create function deeper() returns void language sql as 'select sets()';
         create trigger x before insert on t for each row execute function nested()",
        "insert into t values (1)",
    ),
    (
        "create function dynamic() returns trigger language plpgsql as
            $$ begin execute 'se' || 't work_mem = 123456'; return new; end $$;
         create trigger x before insert on t for each row execute function dynamic()",
        "insert into t values (1)",
    ),
    (
        "create function temporary() returns trigger language plpgsql as
            $$ begin create temp table left_over (n int); listen left_over; return new; end $$;
         create trigger x before insert on t for each row execute function temporary()",
        "insert into t values (1)",
    ),
    (
        "create table child (id int references t on delete cascade);
         create function old() returns trigger language plpgsql as
            $$ begin perform sets(); return null; end $$;
         create trigger x after delete on child execute function old();
         insert into t values (1)",
        "delete from t",
    ),
    (
        "create table whole (id int) partition by range (id);
         create table part partition of whole for values from (0) to (10);
         create trigger x before insert on part for each row execute function fires()",
        "insert into whole values (1)",
    ),
    (
        "create table other (id int);
         create trigger x before insert on other for each row execute function fires();
         create function writes() returns trigger language plpgsql as
            $$ begin insert into other values (1); return new; end $$;
         create trigger x before insert on t for each row execute function writes()",
        "insert into t values (1)",
    ),
    (
        "create trigger x before insert on t for each row
            when (pg_try_advisory_lock(7) and new.id < 0) execute function suppress_redundant_updates_trigger()",
        "insert into t values (1)",
    ),
    // Rules, views, defaults, policies, constraints, indexes.
    ("create rule x as on insert to t do also select locks(1)", "insert into t values (1)"),
    ("create view v as select sets()", "select * from v"),
    ("create view v as select set_config('work_mem', '64MB', false)", "table v"),
    (
        "create trigger x before insert on t for each row execute function fires();
         create view w as select * from t; create view v as select * from w",
        "insert into v values (1)",
    ),
    ("alter table t alter n set default locks(3)", "insert into t (id) values (1)"),
    ("alter table t alter n set default (pg_advisory_lock(7)::text = '')::int", "insert into t (id) values (1)"),
    (
        "create policy x on t using (sets()); alter table t enable row level security,
            force row level security; grant all on t to public; insert into t values (1);
         do $$ begin create role code_reader; exception when duplicate_object then null; end $$",
        "begin; set local role code_reader; select * from t; commit",
    ),
    ("alter table t add check (sets())", "insert into t values (1)"),
    ("create domain d as int check (locks(value) > 0); create table u (n d)", "insert into u values (1)"),
    // What can stand anywhere.
    ("create operator ### (function = locks, rightarg = int)", "select ### 5"),
    ("create operator ### (function = pg_advisory_lock, rightarg = bigint)", "select ### 5::bigint"),
    (
        "create function as_row(int) returns t language sql as 'select locks(1), $1';
         create cast (int as t) with function as_row(int)",
        "select 1::t",
    ),
    ("create function col(t) returns bool language sql as 'select sets()'; insert into t values (1)", "select t.col from t"),
    ("create function lower(t) returns bool language sql as 'select sets()'; insert into t values (1)", "select lower(t) from t"),
    (
        "create function on_ddl() returns event_trigger language plpgsql as
            $$ begin perform sets(); end $$;
         create event trigger x on ddl_command_start execute function on_ddl()",
        "comment on table t is 'x'",
    ),
    (
        "create function body() returns bool begin atomic select set_config('work_mem', '64MB', false) = ''; end;
         create view v as select body()",
        "select * from v",
    ),
];

fn numbers() -> Rows {
    let mut rows = Rows::new(1);
    for id in 0..3_i32 {
        let mut row = rows.begin();
        row.field(&id.to_be_bytes()).unwrap();
        row.finish().unwrap();
    }
    rows
}

/// Puts the table back to what a statement of a case needs.
const AGAIN: &str = "begin; alter table t disable trigger user; delete from t where id = 1; \
    commit; alter table t enable trigger user";

/// Whether the statement changes a session that nobody resets.
fn changes(db: &TestDb<'_>, statement: &str) -> bool {
    let mut client = db.connect();
    let mut look = || client.query_one(SESSION, &[]).unwrap().get::<_, String>(0);
    let fresh = look();
    client.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    let mut look = || client.query_one(SESSION, &[]).unwrap().get::<_, String>(0);
    look() != fresh
}

/// pool-contract C5, F11
#[test]
fn what_code_in_the_database_does_to_a_session_is_taken_back() {
    let mut seen = Vec::new();
    for (code, statement) in CASES {
        let db = shared().database("code");
        db.sql(BASE);
        db.sql(code);
        assert!(changes(&db, statement), "{code}: {statement} changes nothing");
        // Before the catalog was read for the first time, and after it.
        for (url, is_known) in
            [(db.tcp_url(), false), (db.tcp_url(), true), (db.socket_url(), true)]
        {
            db.sql(AGAIN);
            if code.contains("insert into t values (1)") {
                db.sql("insert into t values (1)");
            }
            if is_seen_by_the_next(&db, &url, statement, is_known) {
                seen.push(format!("{code}: {statement}, known: {is_known}"));
            }
        }
    }
    assert!(seen.is_empty(), "{seen:#?}");
}

fn is_seen_by_the_next(db: &TestDb<'_>, url: &str, statement: &str, is_known: bool) -> bool {
    let mut connection = backend(url).connect(in_time()).unwrap();
    let (fresh, process) = (text(&mut *connection, SESSION, &[]), pid(&mut *connection));
    connection.reset(in_time()).unwrap();
    let mut connection = if is_known { connection } else { connect(db) };
    connection.run(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    connection.reset(in_time()).unwrap();
    // Locks are gone before anybody uses the connection.
    let locks = "select count(*) from pg_locks where locktype = 'advisory' and \
        database = (select oid from pg_database where datname = current_database())";
    let is_seen = db.value(locks) != "0" || text(&mut *connection, SESSION, &[]) != fresh;
    assert_eq!(pid(&mut *connection) == process, is_known, "{statement}");
    is_seen
}

/// What is not named in a statement, and is loaded into.
#[test]
fn a_load_into_a_table_with_such_a_trigger_is_taken_back() {
    let db = shared().database("code");
    db.sql(BASE);
    db.sql("create trigger x before insert on t for each row execute function fires()");
    let backend = backend(&db.url());
    let mut connection = backend.connect(in_time()).unwrap();
    connection.reset(in_time()).unwrap();
    let fresh = text(&mut *connection, SESSION, &[]);
    connection.reset(in_time()).unwrap();
    let columns = vec![Column::new(Ident::new("id").unwrap(), ColumnType::Int4)];
    let rows = numbers();
    let table = TableName::parse("t").unwrap();
    connection.load(&table, &columns, &rows, 0..rows.len()).unwrap();
    assert!(connection.reset(in_time()).unwrap().is_empty(), "nobody saw it");
    assert_eq!(text(&mut *connection, SESSION, &[]), fresh);
}

/// Whether a reset asks the server.
fn asks(cluster: &Cluster, connection: &mut dyn Connection) -> bool {
    let frozen = cluster.freeze();
    let reset = connection.reset(Instant::now() + Duration::from_millis(300));
    drop(frozen);
    reset.is_err()
}

#[test]
fn only_what_can_reach_such_code_costs_a_round_trip() {
    let cluster = Cluster::start();
    cluster.sql(BASE);
    cluster.sql(
        "create table plain (id int, changed timestamptz); create table watched (id int);
         create function changed() returns trigger language plpgsql as
            $$ begin new.changed := now(); return new; end $$;
         create trigger x before insert on plain for each row execute function changed();
         create trigger x before insert on watched for each row execute function fires();
         create view over as select * from watched; create extension pg_trgm",
    );
    let backend = backend(&cluster.url());
    for (statement, expected) in [
        ("insert into plain values (1)", false),
        ("begin; update plain set id = 2; select count(*) from plain; commit", false),
        ("insert into watched values (1)", true),
        ("select * from over", true),
    ] {
        let mut connection = backend.connect(in_time()).unwrap();
        connection.run("select 1").unwrap();
        connection.reset(in_time()).unwrap();
        connection.run(statement).unwrap();
        assert_eq!(asks(&cluster, &mut *connection), expected, "{statement}");
    }
}

#[test]
fn what_is_created_through_us_is_known_at_once() {
    let db = shared().database("code");
    db.sql(BASE);
    let backend = backend(&db.url());
    let mut user = backend.connect(in_time()).unwrap();
    let fresh = text(&mut *user, SESSION, &[]);
    user.reset(in_time()).unwrap();
    user.run("insert into t values (1)").unwrap();
    user.reset(in_time()).unwrap();
    let mut owner = backend.connect(in_time()).unwrap();
    owner.begin().unwrap();
    owner.run("create trigger x before insert on t for each row execute function fires()").unwrap();
    // What another reads now does not see it yet.
    user.run("select 1").unwrap();
    user.reset(in_time()).unwrap();
    owner.commit().unwrap();
    user.run("insert into t values (2)").unwrap();
    user.reset(in_time()).unwrap();
    assert_eq!(text(&mut *user, SESSION, &[]), fresh);
}

/// Two backends: what the one creates, the other does not learn for ten seconds.
#[test]
fn a_thorough_reset_does_not_rely_on_what_is_known() {
    let db = shared().database("code");
    db.sql(BASE);
    let mut user = connect(&db);
    user.run("select 1").unwrap();
    user.reset(in_time()).unwrap();
    user.distrust();
    let fresh = text(&mut *user, SESSION, &[]);
    user.reset(in_time()).unwrap();
    db.sql("create trigger x before insert on t for each row execute function fires()");
    user.run("insert into t values (1)").unwrap();
    user.distrust();
    assert!(user.reset(in_time()).unwrap().is_empty(), "a precaution is no finding");
    assert_eq!(text(&mut *user, SESSION, &[]), fresh);
}

/// A catalog that cannot be read is one in which everything is possible.
#[test]
fn where_the_catalog_cannot_be_read_every_session_is_reset() {
    let db = shared().database("code");
    db.sql(BASE);
    db.sql(
        "create trigger x before insert on t for each row execute function fires();
         do $$ begin create role code_blind login password 'blind'; exception when duplicate_object then null; end $$;
         grant insert on t to code_blind; revoke select on pg_proc from public",
    );
    let backend =
        backend(&db.url().replacen("postgres:", "code_blind:", 1).replacen(PASSWORD, "blind", 1));
    let mut connection = backend.connect(in_time()).unwrap();
    for id in 1..3 {
        connection.execute(&format!("insert into t values ({id})"), &[]).unwrap();
        connection.reset(in_time()).unwrap();
        assert_ne!(text(&mut *connection, "select current_setting('work_mem')", &[]), "64MB");
    }
}
