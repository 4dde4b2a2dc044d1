use super::{backend, in_time};
use crate::support::cluster::{PASSWORD, USER};
use crate::support::pgbouncer::PgBouncer;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Cluster, TestDb, shared};
use rowmill::backend::{Backend, Connection, RowRef};
use rowmill::{BinaryType, Cell, CellRef, ColumnType, Param};

/// One of each kind, and arrays of them.
const TYPES: &str = "create type mood as enum ('calm', 'cross'); create domain small as int2;
    create domain moods as mood[]; create type pair as (a int, b mood); create table t (id int)";

const QUERY: &str = "select 'calm'::mood, 7::small, array['calm', 'cross']::mood[],
    array['calm']::moods, '(1,calm)'::pair, '10.0.0.1'::inet, null::t, $1::mood";

fn expected() -> Vec<ColumnType> {
    let mood = || ColumnType::Enum("public.mood".into());
    let moods = || ColumnType::Array(Box::new(mood()));
    let fields = vec![("a".into(), ColumnType::Int4), ("b".into(), mood())];
    let pair = ColumnType::Binary(Box::new(BinaryType::Composite("public.pair".into(), fields)));
    let inet = ColumnType::Binary(Box::new(BinaryType::Inet("inet".into())));
    let t = ColumnType::Other("public.t".into());
    vec![mood(), ColumnType::Int2, moods(), moods(), pair, inet, t, mood()]
}

/// The types of the cells of one row; `None` where one is NULL.
fn types(connection: &mut dyn Connection, sql: &str, params: &[Param<'_>]) -> Vec<ColumnType> {
    let mut types = Vec::new();
    connection
        .query(sql, params, &mut |row| {
            for index in 0..row.len() {
                match row.cell(index)? {
                    CellRef::Packed(column_type, _) => types.push(column_type.clone()),
                    _ => types.push(ColumnType::Other("public.t".into())),
                }
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    types
}

/// How often a server was asked for types.
fn questions(cluster: &Cluster) -> usize {
    cluster.log().matches("FROM pg_catalog.pg_type t").count()
}

#[test]
fn the_connections_of_an_engine_ask_the_catalog_once_for_a_type() {
    let cluster = Cluster::start_with(&["log_statement=all"]);
    cluster.sql(TYPES);
    let backend = backend(&cluster.url());
    let mut open: Vec<_> = (0..8).map(|_| backend.connect(in_time()).unwrap()).collect();
    std::thread::scope(|scope| {
        for connection in &mut open {
            scope.spawn(|| {
                assert_eq!(types(&mut **connection, QUERY, &["calm".into()]), expected());
            });
        }
    });
    for _ in 0..4 {
        let mut connection = backend.connect(in_time()).unwrap();
        assert_eq!(types(&mut *connection, QUERY, &["calm".into()]), expected());
    }
    assert_eq!(questions(&cluster), 1, "{}", cluster.log());
    // Another type is asked for, once as well.
    let late = [ColumnType::Enum("public.late".into())];
    cluster.sql("create type late as enum ('soon')");
    assert_eq!(types(&mut *open[0], "select 'soon'::late", &[]), late);
    assert_eq!(types(&mut *open[1], "select 'soon'::late", &[]), late);
    assert_eq!(questions(&cluster), 2);
}

/// Messages of a client until the answer to its first query on a new connection is there.
fn messages(backend: &dyn Backend, proxy: &Proxy, sql: &str) -> u64 {
    let mut connection = backend.connect(in_time()).unwrap();
    proxy.set(Fault::Pass);
    connection.query(sql, &[], &mut |_| Ok(())).unwrap();
    proxy.client_messages()
}

#[test]
fn a_first_query_takes_no_more_round_trips_for_types_that_are_known() {
    let db = shared().database("trips");
    db.sql(TYPES);
    let proxy = Proxy::to(shared().port());
    let backend = backend(&proxy.instead_of(&db.url()));
    let custom = "select 'calm'::mood, 7::small, array['calm']::moods, '(1,calm)'::pair";
    let plain = messages(&backend, &proxy, "select 'calm', 7, array['calm']");
    // One question, and not one for each type.
    assert_eq!(messages(&backend, &proxy, custom), plain + 1);
    assert_eq!(messages(&backend, &proxy, custom), plain);
}

fn pooled(pooler: &PgBouncer, db: &TestDb<'_>) -> String {
    format!("{}?prepared_statements=false", pooler.url_of(db.name()))
}

#[test]
fn no_question_for_a_type_stays_prepared_in_a_session_of_a_pooler() {
    let db = shared().database("guests");
    db.sql(TYPES);
    let pooler = PgBouncer::before(shared());
    let backend = backend(&pooled(&pooler, &db));
    let left = "select count(*)::int4 from pg_prepared_statements";
    let all = "select 'calm'::mood, 7::small, array['calm', 'cross']::mood[],
        array['calm']::moods, '(1,calm)'::pair, '10.0.0.1'::inet";
    for round in 0..4 {
        let mut connection = backend.connect(in_time()).unwrap();
        for _ in 0..3 {
            assert_eq!(types(&mut *connection, all, &[]), expected()[..6]);
            connection.begin().unwrap();
            assert_eq!(types(&mut *connection, all, &[]), expected()[..6]);
            connection.commit().unwrap();
        }
        // The sessions of the pooler take turns.
        for _ in 0..6 {
            let mut count = None;
            let read = &mut |row: &dyn RowRef| {
                count = i32::unpack(row.cell(0)?).map(Some)?;
                Ok(())
            };
            connection.query(left, &[], read).unwrap();
            assert_eq!(count, Some(0), "{round}");
        }
    }
}

#[test]
fn without_prepared_statements_the_first_statement_of_a_transaction_is_the_users() {
    let db = shared().database("first");
    db.sql(TYPES);
    let backend = backend(&format!("{}?prepared_statements=false", db.url()));
    for is_begun_by_text in [true, false] {
        let mut connection = backend.connect(in_time()).unwrap();
        if is_begun_by_text {
            connection.run("begin").unwrap();
        } else {
            connection.begin().unwrap();
        }
        connection.execute("set transaction isolation level serializable", &[]).unwrap();
        assert_eq!(types(&mut *connection, "select 7::small", &[]), [ColumnType::Int2]);
        connection.execute("select 1/0", &[]).unwrap_err();
        connection.execute("rollback", &[]).unwrap();
        assert_eq!(types(&mut *connection, "select 7::small", &[]), [ColumnType::Int2]);
    }
}

#[test]
fn without_prepared_statements_a_type_that_came_later_is_known_too() {
    let cluster = Cluster::start_with(&["log_statement=all"]);
    cluster.sql(TYPES);
    let backend = backend(&format!("{}?prepared_statements=false", cluster.url()));
    let mut first = backend.connect(in_time()).unwrap();
    assert_eq!(types(&mut *first, QUERY, &["calm".into()]), expected());
    cluster.sql("create type late as enum ('soon')");
    let late = [ColumnType::Enum("public.late".into())];
    // The driver asks, and the next statement asks for all.
    assert_eq!(types(&mut *first, "select 'soon'::late", &[]), late);
    let mut second = backend.connect(in_time()).unwrap();
    assert_eq!(types(&mut *second, "select 1", &[]), [ColumnType::Int4]);
    let asked = questions(&cluster);
    let mut third = backend.connect(in_time()).unwrap();
    assert_eq!(types(&mut *third, "select 'soon'::late", &[]), late);
    assert_eq!(questions(&cluster), asked, "{}", cluster.log());
}

#[test]
fn a_type_that_was_dropped_and_made_anew_is_the_new_one() {
    let db = shared().database("anew");
    db.sql("create type kind as enum ('a'); create table t (id int, k kind); insert into t values (1, 'a')");
    let backend = backend(&db.url());
    let mut connection = backend.connect(in_time()).unwrap();
    let kind = || ColumnType::Enum("public.kind".into());
    assert_eq!(types(&mut *connection, "select k from t", &[]), [kind()]);
    let fields = vec![("a".into(), ColumnType::Int4)];
    let anew = [ColumnType::Binary(Box::new(BinaryType::Composite("public.kind".into(), fields)))];
    db.sql("alter table t drop k; drop type kind; create type kind as (a int); alter table t add k kind default '(9)'");
    assert_eq!(types(&mut *connection, "select k from t", &[]), anew);
    let mut connection = backend.connect(in_time()).unwrap();
    assert_eq!(types(&mut *connection, "select k from t", &[]), anew);
}

#[test]
fn a_label_that_is_added_to_an_enum_can_be_sent_and_read() {
    let db = shared().database("labels");
    db.sql(TYPES);
    let mut connection = backend(&db.url()).connect(in_time()).unwrap();
    let echo = "select $1::mood";
    assert_eq!(types(&mut *connection, echo, &["calm".into()]), expected()[..1]);
    db.sql("alter type mood add value 'keen'");
    let sent = connection.query(echo, &["keen".into()], &mut |row| {
        assert!(matches!(row.cell(0)?, CellRef::Packed(_, b"keen")));
        Ok(())
    });
    sent.unwrap();
}

/// Two servers that give the same number to different types, the second one to `sort`.
fn namesakes() -> [Cluster; 2] {
    let create = |kind: &str| {
        let cluster = Cluster::start();
        cluster.sql(&format!("create type {kind} as enum ('a'); create table t (k {kind})"));
        cluster.sql("insert into t values ('a')");
        cluster
    };
    let clusters = [create("kind"), create("sort")];
    let number = "select oid::text from pg_type where typname in ('kind', 'sort')";
    let [first, second] = clusters.each_ref().map(|cluster| {
        let answer = cluster.connect("postgres").query_one(number, &[]).unwrap();
        answer.get::<_, String>(0)
    });
    assert_eq!(first, second);
    clusters
}

fn kind(name: &str) -> [ColumnType; 1] {
    [ColumnType::Enum(format!("public.{name}"))]
}

#[test]
fn hosts_of_one_url_have_each_their_own_types() {
    let [first, second] = namesakes();
    let [here, there] = [&first, &second].map(|cluster| format!("127.0.0.1:{}", cluster.port()));
    let both = first.url().replace(&here, &format!("{here},{there}"));
    let backend = backend(&both);
    let mut connection = backend.connect(in_time()).unwrap();
    assert_eq!(types(&mut *connection, "select k from t", &[]), kind("kind"));
    first.stop_fast();
    let mut connection = backend.connect(in_time()).unwrap();
    assert_eq!(types(&mut *connection, "select k from t", &[]), kind("sort"));
}

#[test]
fn another_server_at_the_same_address_is_asked_anew_once_a_connection_was_lost() {
    let [first, second] = namesakes();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join(".s.PGSQL.5432");
    let put = |cluster: &Cluster| {
        let _ = std::fs::remove_file(&socket);
        let there = cluster.folder().join(format!(".s.PGSQL.{}", cluster.port()));
        std::os::unix::fs::symlink(there, &socket).unwrap();
    };
    put(&first);
    let at = format!("host={}", folder.path().display());
    let backend = backend(&format!("postgresql://{USER}:{PASSWORD}@/{USER}?{at}"));
    let mut lost = backend.connect(in_time()).unwrap();
    assert_eq!(types(&mut *lost, "select k from t", &[]), kind("kind"));
    put(&second);
    first.stop_fast();
    assert!(lost.run("select 1").unwrap_err().is_disconnect());
    let mut connection = backend.connect(in_time()).unwrap();
    assert_eq!(types(&mut *connection, "select k from t", &[]), kind("sort"));
}

#[test]
fn ranges_of_types_that_the_database_made_are_known_by_their_elements() {
    let db = shared().database("spans");
    db.sql(TYPES);
    db.sql("create type spans as range (subtype = mood)");
    let sql = "select '[calm,cross]'::spans, '{[calm,cross]}'::spans_multirange";
    let mood = || ColumnType::Enum("public.mood".into());
    let kinds = [BinaryType::Range(mood()), BinaryType::Multirange(mood())];
    let expected = kinds.map(|kind| ColumnType::Binary(Box::new(kind)));
    for mode in ["", "?prepared_statements=false"] {
        let mut connection = backend(&format!("{}{mode}", db.url())).connect(in_time()).unwrap();
        assert_eq!(types(&mut *connection, sql, &[]), expected, "{mode}");
    }
}
