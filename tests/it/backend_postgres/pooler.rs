use super::{backend, in_time, text};
use crate::support::pgbouncer::PgBouncer;
use crate::support::{TestDb, shared};
use rowmill::backend::Backend;
use rowmill::{
    Append, Column, ColumnType, Engine, Entity, Ident, Iter, Job, Param, Rows, TableName, Upsert,
};

fn url(pooler: &PgBouncer, db: &TestDb<'_>) -> String {
    format!("{}?prepared_statements=false", pooler.url_of(db.name()))
}

#[derive(Clone, Debug, Entity)]
#[entity(table = "things")]
struct Thing {
    #[entity(key)]
    id: i64,
    name: Option<String>,
    size: f64,
}

fn things(name: &'static str) -> impl Fn() -> std::vec::IntoIter<Thing> {
    move || {
        let thing = |id| Thing { id, name: Some(format!("{name} {id}")), size: 0.5 };
        (0..500).map(thing).collect::<Vec<_>>().into_iter()
    }
}

/// batch 3.10.11
#[test]
fn whole_jobs_run_behind_a_pooler_in_transaction_mode() {
    let db = shared().database("pooled");
    let pooler = PgBouncer::before(shared());
    let engine = Engine::open(&url(&pooler, &db)).unwrap();
    let append = Job::named("append").read(Iter::new("things", things("old")));
    let append = append.write(Append::<Thing>::new().create(true)).batch_rows(50);
    assert_eq!(append.run(&engine).unwrap().inserted, 500);
    let upsert = Job::named("upsert").read(Iter::new("things", things("new")));
    let upsert = upsert.write(Upsert::<Thing>::new()).batch_rows(50);
    assert_eq!(upsert.run(&engine).unwrap().updated, 500);
    assert_eq!(db.value("select count(*) from things where name like 'new %'"), "500");
    // Two engines of one process give their statements the same names; what one left on a session
    // would be in the way of the other.
    let again = Engine::open(&url(&pooler, &db)).unwrap();
    let mirror = Job::named("again").read(Iter::new("things", things("third")));
    let mirror = mirror.write(Upsert::<Thing>::new()).batch_rows(50);
    assert_eq!(mirror.run(&again).unwrap().updated, 500);
}

#[test]
fn no_statement_and_no_setting_stays_in_a_session_of_the_pooler() {
    let db = shared().database("guest");
    db.sql("create table t (id bigint, name text, address inet)");
    let pooler = PgBouncer::before(shared());
    let mut connection = backend(&url(&pooler, &db)).connect(in_time()).unwrap();
    let mut rows = Rows::new(2);
    let mut row = rows.begin();
    row.field(&7_i64.to_be_bytes()).unwrap();
    row.field(b"seven").unwrap();
    row.finish().unwrap();
    let column = |name, kind| Column::new(Ident::new(name).unwrap(), kind);
    let table = TableName::parse("t").unwrap();
    let by_copy = [column("id", ColumnType::Int8), column("name", ColumnType::Text)];
    let by_insert =
        [column("id", ColumnType::Int8), column("address", ColumnType::Other("inet".into()))];
    let mut addresses = Rows::new(2);
    let mut row = addresses.begin();
    row.field(&8_i64.to_be_bytes()).unwrap();
    row.field(b"10.0.0.8").unwrap();
    row.finish().unwrap();
    for _ in 0..4 {
        connection.load(&table, &by_copy, &rows, 0..1).unwrap();
        connection.load(&table, &by_insert, &addresses, 0..1).unwrap();
        connection
            .execute("update t set name = $1 where id = $2", &["x".into(), Param::Int(7)])
            .unwrap();
        connection.begin().unwrap();
        let zone = "select current_setting('TimeZone') || current_setting('IntervalStyle')";
        assert_eq!(text(&mut *connection, zone, &[]), "UTCpostgres");
        connection.commit().unwrap();
        assert!(connection.reset(in_time()).unwrap().is_empty());
    }
    let left = "select (select count(*) from pg_prepared_statements)::text";
    for _ in 0..6 {
        assert_eq!(text(&mut *connection, left, &[]), "0");
    }
    assert_eq!(db.value("select count(*) from t where name = 'x' or address is not null"), "8");
    connection.run("set work_mem = '1MB'").unwrap();
    connection.reset(in_time()).unwrap_err();
    assert!(connection.is_broken());
}

#[test]
fn parameters_behind_a_pooler_mean_what_they_mean_before_a_server() {
    let db = shared().database("typed");
    let pooler = PgBouncer::before(shared());
    let mut connection = backend(&url(&pooler, &db)).connect(in_time()).unwrap();
    let int = 7_i32.to_be_bytes().to_vec();
    for (cast, param, expected) in [
        ("bigint", Param::Int(i64::MIN), "-9223372036854775808"),
        ("numeric", Param::Float(0.1), "0.1"),
        ("boolean", Param::Bool(true), "true"),
        ("text", "a".into(), "a"),
        ("inet", "10.0.0.1".into(), "10.0.0.1/32"),
        ("bytea", vec![0, 255].into(), "\\x00ff"),
        ("numeric", Param::Packed(&ColumnType::Int4, int.clone().into()), "7"),
        ("date", Param::Packed(&ColumnType::Date, int.into()), "2000-01-08"),
        ("json", Param::Packed(&ColumnType::Text, b"[1]".to_vec().into()), "[1]"),
    ] {
        let sql = format!("select $1::{cast}::text");
        assert_eq!(text(&mut *connection, &sql, &[param]), expected, "{cast}");
    }
}

#[test]
fn one_holds_the_lock_of_a_job_behind_a_pooler_too() {
    let db = shared().database("locked");
    let pooler = PgBouncer::before(shared());
    let behind = backend(&url(&pooler, &db));
    let mut lock = behind.lock_job(4711, in_time()).unwrap().unwrap();
    assert!(lock.is_held());
    let direct = backend(&db.url());
    for other in [&behind, &direct] {
        assert!(other.lock_job(4711, in_time()).unwrap().is_none());
    }
    assert!(lock.is_held());
    db.sql("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'");
    assert!(!lock.is_held());
    let lock = behind.lock_job(4711, in_time()).unwrap().unwrap();
    drop(lock);
    assert!(direct.lock_job(4711, in_time()).unwrap().is_some());
}
