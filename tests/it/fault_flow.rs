//! Faults 3.9: slow sources, slow sinks, sinks that fail while everybody is busy, and memory.

use crate::support::alone::{Alone, Census, forget_memory_peak, memory_peak};
use crate::support::subject::{Kind, Setup, engine, naive_pool, timed};
use crate::support::trial::{Sheet, in_time, measure, seed, sized};
use crate::support::{LIMIT, shared};
use rowmill::{Append, Engine, Entity, ErrorKind, Iter, Job, Report, Result};
use std::thread;
use std::time::Duration;

const ROWS: i64 = 4_000;
const POOL: u32 = 3;

#[derive(Entity)]
#[entity(table = "numbers")]
struct Number {
    id: i64,
}

/// A load by more workers than the pool has connections.
fn run(name: &str, engine: &Engine, pause: Duration) -> Result<Report> {
    Job::named(name)
        .read(Iter::new("numbers", move || {
            (0..ROWS).inspect(move |id| {
                if id % 100 == 0 {
                    thread::sleep(pause);
                }
            })
        }))
        .map(|id| Ok(Number { id }))
        .write(Append::<Number>::new())
        .batch_rows(100)
        .workers(8)
        .run(engine)
}

/// A trigger that does something for every statement.
fn on_every_statement(client: &mut postgres::Client, what: &str) {
    let sql = format!(
        "create or replace function act() returns trigger language plpgsql as \
             $$ begin {what}; return null; end $$; \
         create or replace trigger act after insert on numbers \
             for each statement execute function act(); truncate numbers"
    );
    client.batch_execute(&sql).unwrap();
}

fn sessions(client: &mut postgres::Client, which: &str) -> i64 {
    let sql = format!(
        "select count(*) from pg_stat_activity where datname = current_database() \
         and pid <> pg_backend_pid() and {which}"
    );
    client.query_one(&sql, &[]).unwrap().get(0)
}

fn flows(url: &str, sheet: &mut Sheet) {
    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
    client.batch_execute("drop schema if exists rowmill cascade; drop table if exists numbers; create table numbers (id bigint)").unwrap();
    // What starts once and stays.
    on_every_statement(&mut client, "perform 1");
    run("first", &engine(&Setup::new(url, POOL)), Duration::ZERO).unwrap();
    thread::sleep(Duration::from_secs(1));
    let before = Census::take();

    let pool = engine(&Setup::new(url, POOL));
    on_every_statement(&mut client, "perform pg_sleep(0.02)");
    let report = run("slow sink", &pool, Duration::ZERO).unwrap();
    sheet.set("slow_sink_peak_in_use", pool.stats().peak_in_use);
    sheet.expect(pool.stats().peak_in_use <= POOL, "more in flight than there are connections");
    sheet.expect(report.balances(), "the books do not balance");

    on_every_statement(&mut client, "perform 1");
    let report = run("slow source", &pool, Duration::from_millis(10)).unwrap();
    sheet.expect(report.inserted == ROWS as u64, "a slow source lost rows");

    // All workers are busy and the source is held up when the table cannot be written any more.
    on_every_statement(&mut client, "perform pg_sleep(0.02); perform nextval('not_there')");
    let (outcome, time) = timed(|| run("failing sink", &pool, Duration::ZERO));
    sheet.set_ms("failing_sink_exit_ms", time);
    sheet.expect(time < Duration::from_secs(2), "it took longer than 2 s to stop");
    let error = outcome.expect_err("the table cannot be written");
    sheet.expect(error.kind() == ErrorKind::Database, format!("another error: {error}"));
    let idle = sessions(&mut client, "state like 'idle in transaction%'");
    sheet.set("idle_in_transaction_afterwards", idle);
    sheet.expect(idle == 0, "a transaction is still open");
    sheet.expect(pool.stats().in_use == 0, "a connection is still in use");
    drop(pool);
    let (threads, descriptors) = before.leaked(Duration::from_secs(2));
    sheet.set("leaked_threads", threads);
    sheet.set("leaked_fds", descriptors);
    sheet.set("leaked_conns", sessions(&mut client, "true"));
    sheet.expect((threads, descriptors) == (0, 0), "threads or descriptors are left");
}

/// F62: whatever is slow or fails, no more is in flight than there are connections, everybody
/// stops within two seconds, and nothing is left.
#[test]
fn slow_and_failing_ends_of_a_load_hold_nobody() {
    let prepare = || {
        let db = shared().database("flow");
        (db.url(), db)
    };
    Alone::named("fault_flow::slow_and_failing_ends_of_a_load_hold_nobody").run(prepare, |url| {
        let url = url.to_owned();
        let flows = move |sheet: &mut Sheet| flows(&url, sheet);
        let work = move |sheet: &mut Sheet| in_time(Kind::Rowmill, sheet, flows);
        measure("F62", Kind::Rowmill, seed(), 3 * LIMIT, work).must_pass();
    });
}

/// Reads rows of a kilobyte, in whole.
fn read(kind: Kind, url: &str, rows: u64) -> u64 {
    let sql = format!("select n, repeat('x', 1000) from generate_series(1, {rows}) n");
    let mut seen = 0;
    if kind == Kind::Rowmill {
        let pool = engine(&Setup::new(url, 1));
        let count = |_: &dyn rowmill::RowRef| {
            seen += 1;
            Ok(())
        };
        pool.query(&sql, &[], count).unwrap();
    } else {
        let pool = naive_pool(&Setup::new(url, 1)).unwrap();
        seen = pool.get().unwrap().query(&sql, &[]).unwrap().len() as u64;
    }
    seen
}

/// Floods of warnings and of notifications, a thousand of each, with a statement after each.
fn listen(kind: Kind, url: &str, floods: u64) {
    const WARN: &str = "do $$ begin for i in 1..1000 loop \
        raise warning '%', repeat('x', 500); end loop; end $$";
    const NOTIFY: &str = "do $$ begin for i in 1..1000 loop \
        perform pg_notify('flood', i || repeat('x', 500)); end loop; end $$";
    let pool = Setup::new(url, 1).open(kind).unwrap();
    let mut lent = pool.get().unwrap();
    lent.run("listen flood").unwrap();
    let mut other = postgres::Client::connect(url, postgres::NoTls).unwrap();
    for _ in 0..floods {
        other.batch_execute(NOTIFY).unwrap();
        lent.run(WARN).unwrap();
        lent.run("select 1").unwrap();
    }
}

fn peak_of(work: impl FnOnce()) -> u64 {
    forget_memory_peak();
    work();
    memory_peak()
}

fn remembered(kind: Kind, url: &str, sheet: &mut Sheet) {
    let once = sized(20_000, 100_000);
    let mut ratio = |name: &str, work: &dyn Fn(u64)| {
        work(once);
        let (small, large) = (peak_of(|| work(once)), peak_of(|| work(10 * once)));
        let ratio = (large as f64 / small as f64 * 100.0).round() / 100.0;
        sheet.set(&format!("{name}_peak_kb"), large);
        sheet.set(&format!("{name}_ratio_10x"), ratio);
        sheet.expect(
            ratio <= sized(1.5, 1.1),
            format!("{name}: ten times the rows, {ratio} of the memory"),
        );
    };
    ratio("rows", &|rows| assert_eq!(read(kind, url, rows), rows));
    ratio("messages", &|rows| listen(kind, url, 4 * rows / once));
}

/// F66: ten times the rows, notices and notifications take the same memory.
#[test]
fn what_a_server_says_is_not_hoarded() {
    let prepare = || {
        let db = shared().database("memory");
        (db.url(), db)
    };
    Alone::named("fault_flow::what_a_server_says_is_not_hoarded").run(prepare, |url| {
        let run = |kind: Kind| {
            let url = url.to_owned();
            measure("F66", kind, seed(), 5 * LIMIT, move |sheet| remembered(kind, &url, sheet))
        };
        run(Kind::Rowmill).must_pass();
        run(Kind::Naive).must_fail();
    });
}
