//! Lines of the pool's contract that need a real server and faults between it and the pool.

use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::subject::{Setup, ask, engine, pid};
use crate::support::{TestDb, shared};
use rowmill::backend::Connection;
use rowmill::{Column, ColumnType, Engine, ErrorKind, Ident, Pooled, Rows, TableName};

/// A pool of one connection behind a proxy.
struct Scene {
    db: TestDb<'static>,
    proxy: Proxy,
    pool: Engine,
}

impl Scene {
    fn new() -> Self {
        let db = shared().database("contract");
        db.sql("create table t (n int)");
        let proxy = Proxy::to(shared().port());
        let pool = engine(&Setup::new(proxy.instead_of(&db.url()), 1));
        Self { db, proxy, pool }
    }

    fn cut(&self, at: Moment) {
        self.proxy.set(Fault::Cut { at, end: End::Rst });
    }

    /// A connection in a transaction that has written.
    fn writing(&self) -> Pooled {
        let mut connection = self.pool.get().unwrap();
        connection.begin().unwrap();
        run(&mut connection, "insert into t values (1)").unwrap();
        connection
    }

    /// Gives the connection back: it must not come again, and nothing it wrote may be there.
    fn give_back(&self, connection: Pooled) {
        drop(connection);
        assert_eq!((self.pool.stats().idle, self.pool.stats().total), (0, 0));
        ask(&self.pool).unwrap();
        assert_eq!(self.db.count("t"), 0);
    }
}

fn run(connection: &mut Pooled, sql: &str) -> rowmill::Result<()> {
    Connection::run(&mut **connection, sql)
}

fn assert_lost(outcome: rowmill::Result<()>) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnect, "{error}");
}

/// pool-contract R2. Here a handle does not reconnect by itself, not even after a rollback: what
/// was done in the transaction would silently be missing. The next check-out has a new one.
#[test]
fn a_disconnect_in_a_transaction_is_said_again_until_the_connection_is_given_back() {
    let scene = Scene::new();
    let mut connection = scene.writing();
    scene.cut(Moment::BeforeMessage);
    for _ in 0..3 {
        assert_lost(run(&mut connection, "insert into t values (2)"));
        assert_lost(connection.commit());
    }
    // Rolling back what is gone may be silent; it revives nothing. (R13)
    let _ = connection.rollback();
    assert_lost(run(&mut connection, "insert into t values (3)"));
    assert_lost(connection.begin());
    scene.give_back(connection);
}

/// pool-contract R3: nobody knows whether it held (08007), and the connection is of no more use.
#[test]
fn a_disconnect_in_a_commit_is_unknown_once_and_a_disconnect_afterwards() {
    let scene = Scene::new();
    let mut connection = scene.writing();
    scene.cut(Moment::BeforeCommit);
    let error = connection.commit().unwrap_err();
    assert_eq!(error.sqlstate().unwrap().code(), "08007");
    for _ in 0..2 {
        let error = connection.commit().unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "08006", "no COMMIT was sent: {error}");
        assert_lost(run(&mut connection, "insert into t values (2)"));
    }
    scene.give_back(connection);
}

/// A statement whose answer is lost, by one who sends it again after an error, or not; how often it
/// was done.
fn done_without_an_answer(sends_again: bool) -> u64 {
    let scene = Scene::new();
    let mut connection = scene.pool.get().unwrap();
    scene.cut(Moment::InReply);
    let insert = "insert into t values (1)";
    assert_lost(run(&mut connection, insert));
    drop(connection);
    if sends_again {
        run(&mut scene.pool.get().unwrap(), insert).unwrap();
    }
    ask(&scene.pool).unwrap();
    scene.db.count("t")
}

/// F19: what is no transaction of its caller's is one of the server's. Where its answer is lost,
/// nobody knows whether it held: it is an error, and never sent once more. Beside it one who does:
/// the same count convicts him.
#[test]
fn a_statement_whose_answer_is_lost_is_an_error_and_not_sent_again() {
    assert_eq!(done_without_an_answer(false), 1, "the server had done it");
    assert_eq!(done_without_an_answer(true), 2, "the control");
}

/// F19
#[test]
fn a_copy_that_is_cut_is_an_error_and_not_sent_again() {
    let scene = Scene::new();
    let column = Column::new(Ident::new("n").unwrap(), ColumnType::Int4);
    let mut rows = Rows::new(1);
    let mut row = rows.begin();
    row.field(&2_i32.to_be_bytes()).unwrap();
    row.finish().unwrap();
    let mut connection = scene.pool.get().unwrap();
    let table = TableName::parse("t").unwrap();
    let columns = [column];
    // The first COPY asks what there is to ask.
    Connection::load(&mut *connection, &table, &columns, &rows, 0..1).unwrap();
    scene.cut(Moment::BeforeMessage);
    let load = |it: &mut Pooled| Connection::load(&mut **it, &table, &columns, &rows, 0..1);
    assert!(load(&mut connection).is_err());
    drop(connection);
    ask(&scene.pool).unwrap();
    assert_eq!(scene.db.count("t"), 1, "once by the first COPY, and nothing by the second");
}

/// pool-contract R5: the handle outlives its connection, says so, and can be given back.
#[test]
fn a_handle_whose_connection_was_given_up_says_so() {
    let scene = Scene::new();
    let mut connection = scene.pool.get().unwrap();
    let first = pid(&mut connection).unwrap();
    connection.invalidate();
    connection.invalidate();
    let error = run(&mut connection, "select 1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnect);
    assert!(error.message().contains("given up"), "{error}");
    assert_lost(connection.begin());
    assert_lost(connection.commit());
    drop(connection);
    scene.db.wait_until_gone(first);
    let second = pid(&mut scene.pool.get().unwrap()).unwrap();
    assert_ne!(first, second);
}

/// pool-contract R7.
#[test]
fn a_disconnect_in_a_rollback_gives_the_connection_up() {
    let scene = Scene::new();
    let mut connection = scene.writing();
    scene.cut(Moment::BeforeMessage);
    let _ = connection.rollback();
    assert!(connection.is_broken());
    scene.give_back(connection);
}

/// pool-contract R17.
#[test]
fn a_disconnect_in_the_middle_of_a_result_gives_the_connection_up() {
    let scene = Scene::new();
    let mut connection = scene.pool.get().unwrap();
    scene.cut(Moment::ServerByte(50_000));
    let mut rows = 0;
    let sql = "select n from generate_series(1, 100000) n";
    let read = connection.query(sql, &[], &mut |_| {
        rows += 1;
        Ok(())
    });
    assert_lost(read);
    assert!((1..100_000).contains(&rows), "{rows}");
    assert!(connection.is_broken());
    scene.give_back(connection);
}

/// pool-contract R18: what was begun is not replayed in half behind the caller's back.
#[test]
fn nothing_is_tried_again_inside_of_a_transaction() {
    let scene = Scene::new();
    let mut connection = scene.writing();
    let arrivals = scene.proxy.arrivals();
    scene.cut(Moment::BeforeMessage);
    let sql = "insert into t select n from generate_series(1, $1::int) n";
    assert_lost(connection.execute(sql, &[5.into()]).map(drop));
    assert_eq!(scene.proxy.arrivals(), arrivals);
    scene.give_back(connection);
}
