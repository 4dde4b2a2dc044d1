//! Who reads the table while it is replaced, and whose lock is waited for.

use super::*;
use parking_lot::Mutex;
use postgres::Client;
use rowmill::{Error, ErrorKind, RetryPolicy, SqlState};
use std::thread;

/// A transaction that has read the table; when the run waits for it, another reader looks, and then it ends.
struct Reader {
    url: String,
    reading: Mutex<Option<Client>>,
    told: Mutex<Vec<String>>,
}

impl Reader {
    /// Has it read; the number of its process.
    fn new(database: &TestDb<'_>) -> (Arc<Self>, i32) {
        let mut reading = database.connect();
        reading.batch_execute("begin; declare c cursor for select id from items; fetch c").unwrap();
        let process = reading.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
        let (url, told) = (database.url(), Mutex::default());
        (Arc::new(Self { url, reading: Mutex::new(Some(reading)), told }), process)
    }
}

/// One who would fail if it had to wait for as long as the others here wait for it.
fn impatient(url: &str) -> Client {
    let mut client = Client::connect(url, postgres::NoTls).unwrap();
    client.batch_execute("set lock_timeout = '20s'").unwrap();
    client
}

fn old_rows(client: &mut Client) -> i64 {
    client.query_one("select count(*) from items where id < 0", &[]).unwrap().get(0)
}

impl Observer for Reader {
    fn waiting(&self, why: &Error) {
        self.told.lock().push(format!("{} {why}", why.sqlstate().unwrap()));
        let Some(mut reading) = self.reading.lock().take() else { return };
        // Nobody stands in the way of others, who have not waited long.
        assert_eq!(old_rows(&mut impatient(&self.url)), OLD_ROWS as i64);
        assert_eq!(old_rows(&mut reading), OLD_ROWS as i64);
        reading.batch_execute("commit").unwrap();
    }
}

#[test]
fn who_reads_the_table_is_named_and_waited_for_and_holds_nobody_else_up() {
    let database = database();
    let (reader, process) = Reader::new(&database);
    let report = run(&database, &watched(job(Indexes::Rebuild), &reader));
    assert_eq!((report.inserted, report.deleted), (ROWS as u64, OLD_ROWS));
    assert_new(&database, "behind the reader");
    let told = reader.told.lock();
    let first = told.first().expect("it had to wait");
    assert!(first.starts_with("55P03") && first.contains(&format!("process {process}")), "{first}");
    assert!(report.retries >= 1);
}

#[test]
fn a_reader_that_does_not_end_ends_the_run_and_it_is_carried_on_with_the_indexes_kept() {
    let database = database();
    let (reader, process) = Reader::new(&database);
    let mut once = RetryPolicy::default();
    once.attempts = 1;
    let engine = Engine::open(&database.url()).unwrap();
    let error = job(Indexes::Rebuild).retry(once).run(&engine).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database);
    assert_eq!(error.sqlstate(), Some(SqlState::LOCK_NOT_AVAILABLE));
    let said = format!("could not be locked to rebuild its indexes: held by process {process}");
    assert!(error.message().contains(&said), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("indexes = \"keep\"")), "{error}");
    assert_old(&database, "nothing was changed");
    // It is the same job, and all its batches are staged.
    let report = run(&database, &job(Indexes::Keep));
    assert_eq!((report.inserted, report.batches_reused), (ROWS as u64, report.batches));
    assert_new(&database, "behind it");
    let mut reading = reader.reading.lock().take().unwrap();
    reading.batch_execute("commit").unwrap();
}

/// A trigger of the table that waits while somebody holds a lock.
fn held(database: &TestDb<'_>) -> Client {
    database.sql(
        "create function gate() returns trigger language plpgsql as $$ begin \
         perform pg_advisory_xact_lock_shared(7); return null; end $$; \
         create trigger gate after insert on items for each statement execute function gate()",
    );
    let mut holder = database.connect();
    holder.batch_execute("select pg_advisory_lock(7)").unwrap();
    holder
}

#[test]
fn who_comes_while_the_table_is_filled_waits_and_sees_the_new_rows() {
    let database = database();
    let mut holder = held(&database);
    let waits = |what: &str| {
        let sql = "select exists (select from pg_locks l join pg_database d on d.oid = l.database \
                   where d.datname = current_database() and not l.granted and l.locktype = ";
        database.wait_until(&format!("{sql}'{what}')"));
    };
    thread::scope(|scope| {
        let load = scope.spawn(|| run(&database, &job(Indexes::Rebuild)));
        waits("advisory");
        let reader = scope.spawn(|| database.value("select count(*) || ' ' || min(id) from items"));
        waits("relation");
        holder.batch_execute("select pg_advisory_unlock(7)").unwrap();
        assert_eq!(reader.join().unwrap(), format!("{ROWS} 0"));
        assert_eq!(load.join().unwrap().deleted, OLD_ROWS);
    });
}

#[test]
fn where_indexes_are_kept_nobody_waits() {
    let database = database();
    let mut holder = held(&database);
    thread::scope(|scope| {
        let load = scope.spawn(|| run(&database, &job(Indexes::Keep)));
        database.wait_until(
            "select exists (select from pg_locks l join pg_database d on d.oid = l.database \
             where d.datname = current_database() and not l.granted and l.locktype = 'advisory')",
        );
        assert_eq!(old_rows(&mut impatient(&database.url())), OLD_ROWS as i64);
        holder.batch_execute("select pg_advisory_unlock(7)").unwrap();
        assert_eq!(load.join().unwrap().deleted, OLD_ROWS);
    });
}

#[test]
fn what_is_waited_for_once_the_table_is_locked_has_the_time_that_it_always_has() {
    let database = database();
    database.sql(
        "create table seen (lock_timeout text); \
         create function note() returns trigger language plpgsql as $$ begin \
         insert into seen values (current_setting('lock_timeout')); return null; end $$; \
         create trigger note after insert on items for each statement execute function note()",
    );
    run(&database, &job(Indexes::Rebuild));
    assert_eq!(database.value("select string_agg(distinct lock_timeout, ' ') from seen"), "0");
}

#[test]
fn another_lock_that_is_waited_for_in_vain_is_not_said_to_be_that_of_the_table() {
    let database = database();
    database.sql(
        "create function busy() returns trigger language plpgsql as $$ begin \
         perform 1 from other for update nowait; return null; end $$; \
         create trigger busy after insert on items for each statement execute function busy(); \
         create table other (id bigint); insert into other values (1)",
    );
    let mut holder = database.connect();
    holder.batch_execute("begin; select from other for update").unwrap();
    let mut once = RetryPolicy::default();
    once.attempts = 1;
    let engine = Engine::open(&database.url()).unwrap();
    let error = job(Indexes::Rebuild).retry(once).run(&engine).unwrap_err();
    assert_eq!(error.sqlstate(), Some(SqlState::LOCK_NOT_AVAILABLE), "{error}");
    assert!(!error.to_string().contains("rebuild"), "{error}");
    assert_old(&database, "nothing was changed");
    holder.batch_execute("rollback").unwrap();
    run(&database, &job(Indexes::Rebuild));
    assert_new(&database, "behind it");
}
