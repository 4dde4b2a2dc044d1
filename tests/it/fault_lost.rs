//! Faults 3.1: a connection is lost while it is idle or while it works.

use crate::support::crowd::{fill, time_to_fill, together};
use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::subject::{Failure, Kind, Setup, Subject, ask, naive_pool, pid, timed};
use crate::support::trial::{Random, Sheet, sized, tell_apart, tell_apart_at_length};
use crate::support::{LIMIT, TestDb, shared};
use postgres::fallible_iterator::FallibleIterator;
use rowmill::{Append, Engine, Entity, Job, Table};
use std::thread;
use std::time::Duration;

const SIZE: usize = 8;

/// How many asked in vain before all of a pool's connections, killed while idle, were replaced:
/// by eight threads at once, each once.
fn errors_at_once(pool: &dyn Subject, db: &TestDb<'_>) -> usize {
    fill(pool, SIZE);
    db.terminate_all();
    together(SIZE, |_| ask(pool).is_err()).into_iter().filter(|failed| *failed).count()
}

/// The same, by one who asks until it works.
fn errors_in_sequence(pool: &dyn Subject, db: &TestDb<'_>) -> usize {
    fill(pool, SIZE);
    db.terminate_all();
    (0..=SIZE).take_while(|_| ask(pool).is_err()).count()
}

fn idle_killed(kind: Kind, _: u64, sheet: &mut Sheet) {
    let db = shared().database("idle_killed");
    let rounds = sized(3, 100);
    for pre_ping in [true, false] {
        let setup = Setup::new(db.url(), SIZE as u32).pre_ping(pre_ping);
        let pool = setup.open(kind).unwrap();
        let (mut at_once, mut in_sequence, mut slowest) = (0, 0, Duration::ZERO);
        for _ in 0..rounds {
            at_once += errors_at_once(&*pool, &db);
            let full = time_to_fill(&*pool, SIZE, LIMIT).expect("it never was full again");
            slowest = slowest.max(full);
            in_sequence += errors_in_sequence(&*pool, &db);
        }
        let on = if pre_ping { "ping" } else { "no_ping" };
        sheet.set(&format!("{on}_errors_8_threads"), at_once);
        sheet.set(&format!("{on}_errors_in_sequence"), in_sequence);
        sheet.set_ms(&format!("{on}_slowest_to_full_ms"), slowest);
        let (most_at_once, most_in_sequence) = if pre_ping { (0, 0) } else { (SIZE, 1) };
        sheet.expect(at_once <= most_at_once * rounds, format!("{on}: errors at once"));
        sheet.expect(in_sequence <= most_in_sequence * rounds, format!("{on}: errors in sequence"));
    }
    sheet.set("rounds", rounds);
    sheet.set("leaked_conns", db.sessions().saturating_sub(2 * SIZE as u64));
}

/// F1: with a ping nobody notices; without, the first error stamps all older idle connections.
/// pool-contract R1.
#[test]
fn idle_connections_that_are_killed_cost_one_error_at_most() {
    tell_apart("F1", sized(LIMIT, 20 * LIMIT), idle_killed);
}

/// One statement that sleeps, killed; the SQLSTATE that its caller sees, if it sees a disconnect.
fn kill_asleep(pool: &dyn Subject, db: &TestDb<'_>) -> Result<Option<String>, String> {
    let mut lent = pool.get().map_err(|failure| failure.text)?;
    let pid = pid(&mut *lent).map_err(|failure| failure.text)?;
    let failure = thread::scope(|scope| {
        let killer = scope.spawn(|| {
            db.wait_until_asleep(pid);
            db.terminate(pid);
        });
        let failure = lent.run("select pg_sleep(60)").expect_err("it was killed");
        killer.join().expect("the killer failed");
        failure
    });
    if failure.is_disconnect { Ok(failure.state) } else { Err(failure.text) }
}

fn killed_asleep(kind: Kind, seed: u64, sheet: &mut Sheet) {
    let db = shared().database("killed_asleep");
    let proxy = Proxy::to(shared().port());
    let setup = Setup::new(proxy.instead_of(&db.url()), 2).pre_ping(true);
    let pool = setup.timeout(Duration::from_secs(3)).open(kind).unwrap();
    let mut random = Random(seed);
    let rounds = sized(20, 1000);
    let (mut told, mut bare, mut misclassified, mut dead_again) = (0, 0, 0, 0);
    for _ in 0..rounds {
        // The end of the stream comes with the message, or not at all.
        proxy.set(if random.below(2) == 0 { Fault::Pass } else { Fault::KeepOpen });
        match kill_asleep(&*pool, &db) {
            Ok(state) if state.as_deref() == Some("57P01") => told += 1,
            Ok(_) => bare += 1,
            Err(_) => misclassified += 1,
        }
        dead_again += usize::from(ask(&*pool).is_err());
        proxy.set(Fault::Pass);
    }
    sheet.set("rounds", rounds);
    sheet.set("seen_57P01", told);
    sheet.set("seen_bare_closed", bare);
    sheet.set("misclassified", misclassified);
    sheet.set("dead_re_pooled", dead_again);
    sheet.expect(misclassified == 0, "an error that is no disconnect");
    sheet.expect(dead_again == 0, "a dead connection was lent again");
}

/// F2: whether the client sees 57P01 or a bare end of the stream, it is a disconnect, and the
/// connection is never lent again.
#[test]
fn a_session_that_is_killed_inside_a_statement_is_a_disconnect_however_it_shows() {
    tell_apart_at_length("F2", sized(LIMIT, 20 * LIMIT), killed_asleep);
}

const COPIED: i64 = 8_000;

#[derive(Entity)]
#[entity(table = "numbers")]
struct Number {
    #[entity(key)]
    id: i64,
    filler: String,
}

/// Copies the table at `from` into the one at `to`, as one who starts the same command.
fn copy(name: &str, from: &str, to: &str) -> rowmill::Result<()> {
    let source = Table::<Number>::all().on(&Engine::open(from)?);
    let job = Job::named(name).read(source).write(Append::<Number>::new()).batch_rows(1_000);
    job.workers(2).run(&Engine::open(to)?).map(drop)
}

/// The same with the naive pool: rows are written as they come, a thousand in a transaction.
fn copy_naively(from: &str, to: &str) -> Result<(), Failure> {
    let (from, to) = (naive_pool(&Setup::new(from, 1))?, naive_pool(&Setup::new(to, 1))?);
    let (mut source, mut target) = (from.get()?, to.get()?);
    let mut rows = source.query_raw("select id, filler from numbers", [0_i64; 0])?;
    let mut ended = false;
    while !ended {
        let mut transaction = target.transaction()?;
        let insert = transaction.prepare("insert into numbers values ($1, $2)")?;
        for _ in 0..1_000 {
            let Some(row) = rows.next()? else {
                ended = true;
                break;
            };
            transaction.execute(&insert, &[&row.get::<_, i64>(0), &row.get::<_, &str>(1)])?;
        }
        transaction.commit()?;
    }
    Ok(())
}

fn cut_reading(kind: Kind, seed: u64, sheet: &mut Sheet) {
    let (source, target) = (shared().database("cut_source"), shared().database("cut_target"));
    source.sql(&format!(
        "create table numbers (id bigint primary key, filler text not null); \
         insert into numbers select n, repeat('x', 20) from generate_series(1, {COPIED}) n; \
         analyze numbers"
    ));
    target.sql("create table numbers (id bigint, filler text not null)");
    let proxy = Proxy::to(shared().port());
    let (from, to) = (proxy.instead_of(&source.url()), target.url());
    let mut random = Random(seed);
    let (mut missed, mut errors, mut lost, mut doubled) = (0, 0, 0, 0);
    let rounds = sized(6, 100);
    for round in 0..rounds {
        target.watch("with gone as (delete from numbers) select 1");
        let end = if round % 2 == 0 { End::Fin } else { End::Rst };
        // Past the start-up and before the end of some 300 kB.
        proxy.set(Fault::Cut { at: Moment::ServerByte(20_000 + random.below(220_000)), end });
        let name = format!("copy {round}");
        let failed = |_: &usize| match kind {
            Kind::Rowmill => copy(&name, &from, &to).is_err(),
            Kind::Naive => copy_naively(&from, &to).is_err(),
        };
        errors += (0..3).take_while(failed).count();
        missed += usize::from(proxy.fault() != Fault::Pass);
        let count = |sql: &str| target.watch(sql).parse::<i64>().expect("a count");
        let there = count("select count(distinct id) from numbers");
        lost += COPIED - there;
        doubled += count("select count(*) from numbers") - there;
    }
    sheet.set("cuts", rounds - missed);
    sheet.set("errors_to_user", errors);
    sheet.set("lost", lost);
    sheet.set("dup", doubled);
    sheet.expect(missed <= rounds / 10, "the cuts found nothing to cut");
    sheet.expect((lost, doubled) == (0, 0), "lost or doubled rows");
}

/// F6: the stream of a table that is being copied is cut: what is there of it is never taken for
/// the whole, and what was written of it is not written again.
#[test]
fn a_table_whose_reading_is_cut_is_copied_exactly_once() {
    tell_apart("F6", sized(LIMIT, 20 * LIMIT), cut_reading);
}

fn impatient_server(kind: Kind, _: u64, sheet: &mut Sheet) {
    let db = shared().database("impatient");
    db.sql(&format!(
        "alter database {0} set idle_session_timeout = '1s'; \
         alter database {0} set idle_in_transaction_session_timeout = '1s'",
        db.name()
    ));
    let proxy = Proxy::to(shared().port());
    let setup = Setup::new(proxy.instead_of(&db.url()), 2).pre_ping(true);
    let pool = setup.timeout(Duration::from_secs(5)).open(kind).unwrap();
    let (mut idle_errors, mut dead_again, mut misclassified) = (0, 0, 0);
    let rounds = sized(3, 30);
    for round in 0..rounds {
        proxy.set(Fault::Pass);
        ask(&*pool).expect("a live connection");
        let mut lent = pool.get().expect("a live connection");
        let idle = pid(&mut *lent).unwrap();
        drop(lent);
        db.wait_until_gone(idle);
        idle_errors += usize::from(ask(&*pool).is_err());
        // The message that it is over comes alone, or with the end of the stream.
        proxy.set(if round % 2 == 0 { Fault::KeepOpen } else { Fault::Pass });
        let mut lent = pool.get().expect("a live connection");
        lent.run("begin; create temp table t (n int)").unwrap();
        let pid = pid(&mut *lent).unwrap();
        db.wait_until_gone(pid);
        let failure = lent.run("insert into t values (1)").expect_err("its session is gone");
        misclassified += usize::from(!failure.is_disconnect);
        drop(lent);
        dead_again += usize::from(ask(&*pool).is_err());
    }
    sheet.set("rounds", rounds);
    sheet.set("user_errors_after_57P05", idle_errors);
    sheet.set("misclassified_25P03", misclassified);
    sheet.set("dead_re_pooled", dead_again);
    sheet.expect(idle_errors == 0, "the server's idle limit reached the user");
    sheet.expect(misclassified == 0, "25P03 is no disconnect");
    sheet.expect(dead_again == 0, "a dead connection was lent again");
}

/// F9: 57P05 is not seen behind a ping; 25P03 is a lost transaction, to be done again.
#[test]
fn a_server_that_ends_idle_sessions_is_not_noticed_and_one_that_ends_transactions_is() {
    tell_apart_at_length("F9", LIMIT, impatient_server);
}

fn torn(kind: Kind, _: u64, sheet: &mut Sheet) {
    let db = shared().database("torn");
    let proxy = Proxy::to(shared().port());
    let pool = Setup::new(proxy.instead_of(&db.url()), 1).open(kind).unwrap();
    let mut slowest = Duration::ZERO;
    for _ in 0..sized(3, 100) {
        for (what, at, end) in [
            ("reset in mid-query", Moment::BeforeMessage, End::Rst),
            ("end in mid-message", Moment::InReply, End::Fin),
            ("reset in mid-message", Moment::InReply, End::Rst),
        ] {
            let mut lent = pool.get().expect("a live connection");
            lent.run("select 1").expect("a live connection");
            proxy.set(Fault::Cut { at, end });
            let (outcome, time) = timed(|| lent.run("select 1"));
            let failure = outcome.expect_err("it was cut");
            sheet.expect(failure.is_disconnect, format!("{what}: no disconnect"));
            slowest = slowest.max(time);
            drop(lent);
            sheet.expect(ask(&*pool).is_ok(), format!("{what}: lent again"));
        }
        // The other side forgot the connection while it was idle.
        let mut lent = pool.get().expect("a live connection");
        proxy.cut(End::Rst);
        let (outcome, time) = timed(|| lent.run("select 1"));
        let failure = outcome.expect_err("it was reset");
        sheet.expect(failure.is_disconnect, "a peer that forgot: no disconnect");
        slowest = slowest.max(time);
        drop(lent);
        sheet.expect(ask(&*pool).is_ok(), "a peer that forgot: lent again");
    }
    sheet.set_ms("slowest_to_error_ms", slowest);
    sheet.expect(slowest < Duration::from_millis(sized(5_000, 100)), "slow to notice");
}

/// F24: a reset, and an end in the middle of a message, are disconnects within 100 ms.
#[test]
fn a_torn_connection_is_a_disconnect_at_once() {
    tell_apart("F24", LIMIT, torn);
}
