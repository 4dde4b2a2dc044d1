//! Statements without the driver, beside the same ones through it.

use super::{backend, in_time, text, texts, with};
use crate::support::proxy::Proxy;
use crate::support::tls::{self, Authority};
use crate::support::{Cluster, TestDb, shared};
use rowmill::backend::{Backend, Connection};
use rowmill::{CellRef, Column, ColumnType, Error, ErrorKind, Ident, Param, Rows, TableName};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Without the driver, over TCP and over a Unix socket, and with it.
fn every_way(db: &TestDb<'_>) -> Vec<(String, bool)> {
    let tcp = db.tcp_url();
    vec![(tcp.clone(), true), (db.socket_url(), true), (with(&tcp, "direct=false"), false)]
}

/// The same through TLS.
fn every_secure_way(db: &TestDb<'_>) -> Vec<(String, bool)> {
    let url = with(&db.url(), "sslmode=require");
    vec![(url.clone(), true), (with(&url, "direct=false"), false)]
}

fn open(url: &str) -> Box<dyn Connection> {
    backend(url).connect(in_time()).unwrap()
}

#[test]
fn statements_go_without_the_driver_unless_the_url_says_otherwise() {
    let db = shared().database("direct");
    for (url, direct) in every_way(&db) {
        let mut connection = open(&url);
        let sql = "select (count(*) filter (where name like 'rowmill%'))::text \
                   from pg_prepared_statements";
        assert_eq!(text(&mut *connection, sql, &[]) == "1", direct, "{url}");
    }
}

#[test]
fn the_driver_and_what_goes_without_it_take_turns() {
    let db = shared().database("turns");
    take_turns(&db, every_way(&db));
}

fn take_turns(db: &TestDb<'_>, ways: Vec<(String, bool)>) {
    db.sql("create table t (n int)");
    for (url, _) in ways {
        let mut connection = open(&url);
        connection.run("listen c").unwrap();
        for round in 0..20 {
            db.sql(&format!("notify c, '{round}'"));
            let number = text(&mut *connection, "select $1::text", &[Param::Int(round)]);
            assert_eq!(number, round.to_string());
            connection
                .run("do $$ begin raise notice 'n'; perform pg_notify('c', 'own'); end $$")
                .unwrap();
            connection.run("set application_name to 'turns'; reset application_name").unwrap();
            assert!(connection.table_info(&TableName::parse("t").unwrap()).unwrap().is_some());
            connection.begin().unwrap();
            assert_eq!(connection.execute("insert into t values (1), (2)", &[]).unwrap(), 2);
            assert!(connection.in_transaction());
            db.sql("notify c, 'between'");
            connection.server_limit().unwrap();
            connection.rollback().unwrap();
            connection.ping(in_time()).unwrap();
        }
        assert!(connection.reset(in_time()).unwrap().session);
        assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
    }
}

#[test]
fn rows_of_any_size_come_whole_and_in_their_order() {
    let db = shared().database("sizes");
    stream_rows(every_way(&db));
}

fn stream_rows(ways: Vec<(String, bool)>) {
    for (url, _) in ways {
        let mut connection = open(&url);
        let (mut next, mut sum) = (0, 0);
        let sql = "select n, repeat('x', n % 7000) from generate_series(0, 30000) n";
        connection
            .query(sql, &[], &mut |row| {
                let (CellRef::Packed(_, n), CellRef::Packed(_, x)) = (row.cell(0)?, row.cell(1)?)
                else {
                    panic!("a NULL")
                };
                assert_eq!(*n, i32::to_be_bytes(next));
                assert_eq!((row.name(0), row.len()), ("n", 2));
                (next, sum) = (next + 1, sum + x.len());
                Ok(())
            })
            .unwrap();
        assert_eq!((next, sum), (30_001, (0..=30_000).map(|n| n % 7000).sum()));
        let large = text(&mut *connection, "select repeat('x', 50000000)", &[]);
        assert_eq!(large.len(), 50_000_000);
        let sent = Param::Text(large.into());
        assert_eq!(text(&mut *connection, "select length($1::text)::text", &[sent]), "50000000");
    }
}

#[test]
fn an_error_in_the_middle_of_a_result_comes_behind_its_rows() {
    let db = shared().database("middle");
    for (url, _) in every_way(&db) {
        let mut connection = open(&url);
        let mut seen = 0;
        let sql = "select 1 / (20000 - n) from generate_series(1, 50000) n";
        let error = connection
            .query(sql, &[], &mut |_| {
                seen += 1;
                Ok(())
            })
            .unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "22012");
        assert_eq!((error.kind(), seen), (ErrorKind::Database, 19_999));
        assert!(!connection.is_broken());
        assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
    }
}

#[test]
fn what_the_caller_does_not_want_is_read_away_or_the_connection_given_up() {
    let db = shared().database("unwanted");
    let stop = || Error::new(ErrorKind::Decode, "enough");
    for (url, _) in every_way(&db) {
        let mut connection = open(&url);
        let some = "select n from generate_series(1, 20000) n";
        let error = connection.query(some, &[], &mut |_| Err(stop())).unwrap_err();
        assert_eq!(error.message(), "enough");
        assert!(!connection.is_broken());
        assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");

        let started = Instant::now();
        let endless = "select n, pg_sleep(0.01) from generate_series(1, 100000) n";
        let error = connection.query(endless, &[], &mut |_| Err(stop())).unwrap_err();
        assert_eq!(error.message(), "enough");
        assert!(connection.is_broken() && started.elapsed() < Duration::from_secs(10));
        drop(connection);
        db.wait_until_alone();
    }
}

#[test]
fn a_wait_is_severed_from_another_thread() {
    let db = shared().database("severed");
    sever(&db, every_way(&db));
}

fn sever(db: &TestDb<'_>, ways: Vec<(String, bool)>) {
    for (url, _) in ways {
        let mut connection = open(&url);
        let pid = text(&mut *connection, "select pg_backend_pid()::text", &[]).parse().unwrap();
        let interrupt = connection.interrupt().unwrap();
        let started = Instant::now();
        let error = thread::scope(|scope| {
            let waiting = scope.spawn(|| connection.execute("select pg_sleep(60)", &[]));
            db.wait_until_asleep(pid);
            interrupt.sever();
            waiting.join().unwrap().unwrap_err()
        });
        assert_eq!(error.kind(), ErrorKind::Disconnect);
        assert!(connection.is_broken() && started.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_wait_in_the_middle_of_a_long_answer_is_severed_too() {
    let db = shared().database("stalled");
    for (url, _) in every_way(&db) {
        let mut connection = open(&url);
        let pid = text(&mut *connection, "select pg_backend_pid()::text", &[]).parse().unwrap();
        let interrupt = connection.interrupt().unwrap();
        // The server keeps less than 8 KiB until it has more.
        let (all, come) = mpsc::channel();
        let mut rows = 0;
        let sql = "select repeat('x', 1000) from generate_series(1, 5000) \
            union all select pg_sleep(60)::text";
        let error = thread::scope(|scope| {
            let reading = scope.spawn(|| {
                connection.query(sql, &[], &mut |_| {
                    rows += 1;
                    if rows == 4_900 {
                        all.send(()).unwrap();
                    }
                    Ok(())
                })
            });
            come.recv_timeout(Duration::from_mins(1)).unwrap();
            db.wait_until_asleep(pid);
            interrupt.sever();
            reading.join().unwrap().unwrap_err()
        });
        assert_eq!(error.kind(), ErrorKind::Disconnect);
        assert!(connection.is_broken() && rows <= 5_000);
    }
}

#[test]
fn a_text_that_cannot_be_sent_and_wrong_parameters_cost_nothing() {
    let db = shared().database("unsent");
    for (url, direct) in every_way(&db) {
        let mut connection = open(&url);
        let error = connection.execute("select $1::int", &[]).unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "42601");
        let error = connection.execute("select $1::int2", &[Param::Int(1 << 20)]).unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "22003");
        assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
        if direct {
            for error in [
                connection.run("select '\0'").unwrap_err(),
                connection.execute("select '\0'", &[]).unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Encode, "{error}");
            }
            assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
        }
    }
}

fn rows(count: usize, bytes: usize) -> (TableName, Vec<Column>, Rows) {
    let mut rows = Rows::new(1);
    for _ in 0..count {
        let mut row = rows.begin();
        row.field(&vec![b'x'; bytes]).unwrap();
        row.finish().unwrap();
    }
    let name = Column::new(Ident::new("name").unwrap(), ColumnType::Text);
    (TableName::parse("t").unwrap(), vec![name], rows)
}

#[test]
fn a_server_that_talks_while_it_is_loaded_is_listened_to() {
    let db = shared().database("talks");
    load(&db, every_way(&db));
}

fn load(db: &TestDb<'_>, ways: Vec<(String, bool)>) {
    db.sql(
        "create table t (name text);
         create function f() returns trigger language plpgsql as
         $$ begin raise notice '%', new.name; return new; end $$;
         create trigger f before insert on t for each row execute function f()",
    );
    let (table, columns, rows) = rows(20_000, 1_000);
    for (url, _) in ways {
        let mut connection = open(&url);
        let count = connection.load(&table, &columns, &rows, 0..rows.len()).unwrap();
        assert_eq!(count, 20_000);
        assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
    }
}

#[test]
fn no_more_rows_are_sent_once_the_server_has_refused_them() {
    let db = shared().database("refused");
    db.sql("create table t (name text check (name <> repeat('x', 1000)))");
    let (table, columns, rows) = rows(100_000, 1_000);
    let proxy = Proxy::to(shared().port());
    for option in ["direct=true", "direct=false"] {
        let mut connection = open(&with(&proxy.instead_of(&db.url()), option));
        let before = proxy.client_bytes();
        let error = connection.load(&table, &columns, &rows, 0..rows.len()).unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "23514");
        assert_eq!(error.place().row, Some(1));
        if option == "direct=true" {
            let sent = proxy.client_bytes() - before;
            assert!(sent < 50_000_000, "{sent} bytes");
        }
        assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
    }
}

/// A server that lets everybody in, answers a request with each of these, and goes.
fn server_that_says(answers: Vec<Vec<u8>>, stays: bool) -> String {
    server_that_greets(b"", answers, stays)
}

/// The same, that says something more right behind letting somebody in.
fn server_that_greets(more: &[u8], answers: Vec<Vec<u8>>, stays: bool) -> String {
    let welcome = b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x07\0\0\0\x08Z\0\0\0\x05I";
    let welcome = [welcome, more].concat();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut heard = [0; 4096];
        let _ = client.read(&mut heard);
        client.write_all(&welcome).unwrap();
        for answer in answers {
            let _ = client.read(&mut heard);
            client.write_all(&answer).unwrap();
        }
        // Until the client goes.
        while stays && client.read(&mut heard).is_ok_and(|count| count > 0) {}
    });
    format!("postgresql://u@127.0.0.1:{port}/d?sslmode=disable")
}

#[test]
fn a_server_that_goes_or_talks_nonsense_is_a_lost_connection() {
    const FATAL: &[u8] = b"E\0\0\0\x26SFATAL\0VFATAL\0C57P01\0Mgoing down\0\0";
    for (answer, code) in [
        (FATAL, "57P01"),
        (b"", "08006"),
        (b"T", "08006"),
        (&FATAL[..20], "08006"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "08006"),
        (b"Z\0\0\0\x01I", "08006"),
        (b"D\xff\xff\xff\xff\0\0", "08006"),
        (b"T\0\0\0\x06\0\x01", "08006"),
    ] {
        for way in ["direct=true", "direct=false"] {
            let mut connection = open(&with(&server_that_says(vec![answer.to_vec()], false), way));
            let error = connection.execute("select 1", &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Disconnect, "{way} {answer:?}: {error}");
            // The driver may lose what came together with the end.
            if way == "direct=true" {
                assert_eq!(error.sqlstate().unwrap().code(), code, "{answer:?}: {error}");
            }
            assert!(connection.is_broken());
        }
    }
}

/// What a server says to a statement that it prepares, and to running it.
const PREPARED: &[u8] = b"1\0\0\0\x04t\0\0\0\x06\0\0T\0\0\0\x1b\0\x01id\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0\
    Z\0\0\0\x05I";
const RAN: &[u8] =
    b"2\0\0\0\x04D\0\0\0\x0e\0\x01\0\0\0\x04\0\0\0\x07C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";

#[test]
fn half_a_message_behind_an_answer_belongs_to_what_comes_next() {
    let said = b"A\0\0\0\x0c\0\0\0\x07c\0x\0";
    for cut in 0..said.len() {
        let answers = vec![[PREPARED, &said[..cut]].concat(), [&said[cut..], RAN].concat()];
        let mut connection = open(&server_that_says(answers, false));
        assert_eq!(connection.execute("select 7", &[]).unwrap(), 1, "{cut}");
    }
}

/// What the driver read of a message it alone can finish: nobody else speaks before it has.
#[test]
fn half_a_message_that_the_driver_has_read_is_finished_by_the_driver() {
    let said = b"A\0\0\0\x0c\0\0\0\x07c\0x\0";
    for cut in 0..said.len() {
        let answers = vec![[&said[cut..], b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I"].concat()];
        let mut connection = open(&server_that_greets(&said[..cut], answers, true));
        assert!(connection.run("select 7").is_ok(), "{cut}");
    }
}

#[test]
fn an_answer_that_ends_anywhere_is_a_lost_connection_and_never_a_result() {
    let (prepared, ran) = (PREPARED, RAN);
    let whole = prepared.len() + ran.len();
    for cut in 0..=whole {
        let first = prepared[..cut.min(prepared.len())].to_vec();
        let mut answers = vec![first];
        if cut > prepared.len() {
            answers.push(ran[..cut - prepared.len()].to_vec());
        }
        let mut connection = open(&server_that_says(answers, false));
        let outcome = connection.execute("select 7", &[]);
        if cut == whole {
            assert_eq!(outcome.unwrap(), 1);
            continue;
        }
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), connection.is_broken()), (ErrorKind::Disconnect, true), "{cut}");
    }
}

#[test]
fn a_server_that_announces_much_and_falls_silent_is_cut_off_at_the_limit() {
    for way in ["direct=true", "direct=false"] {
        let url = server_that_says(vec![b"D\x3f\xff\xff\xff\0\0".to_vec()], true);
        let mut connection = open(&with(&with(&url, way), "statement_timeout=300"));
        let started = Instant::now();
        let error = connection.execute("select 1", &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disconnect);
        assert!(error.message().contains("cut off"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

#[test]
fn a_statement_that_was_forgotten_for_others_is_prepared_anew() {
    let db = shared().database("forgotten");
    for (url, _) in every_way(&db) {
        let mut connection = open(&url);
        for n in (0..250).chain(0..250) {
            let sql = format!("select '{n}'");
            assert_eq!(texts(&mut *connection, &sql, &[]).unwrap(), [Some(n.to_string())]);
        }
        connection.run("deallocate all").unwrap();
        assert_eq!(text(&mut *connection, "select '249'", &[]), "249");
    }
}

#[test]
fn all_of_it_goes_through_tls_too() {
    let (authority, clients) = (Authority::new("the root"), Authority::new("the clients"));
    let cluster = Cluster::start();
    tls::serve(&cluster, &authority.server(&["127.0.0.1"]), &clients);
    let db = cluster.database("secure");
    for (url, direct) in every_secure_way(&db) {
        let mut connection = open(&url);
        let sql = "select (select ssl from pg_stat_ssl where pid = pg_backend_pid())::text || \
                   (select count(*) from pg_prepared_statements where name like 'rowmill%')";
        assert_eq!(text(&mut *connection, sql, &[]), format!("true{}", i32::from(direct)));
    }
    stream_rows(every_secure_way(&db));
    take_turns(&db, every_secure_way(&db));
    sever(&db, every_secure_way(&db));
    db.sql("drop table t");
    load(&db, every_secure_way(&db));
}
