//! Faults 3.1 and 3.2: a batch is cut at every place that there is, and done again exactly once.

use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::subject::{Kind, Setup, naive_pool, timed};
use crate::support::trial::{Random, Sheet, in_time, is_full, sized, tell_apart};
use crate::support::{LIMIT, TestDb, shared};
use rowmill::backend::Connection;
use rowmill::{
    Append, Column, ColumnType, Engine, Entity, Ident, Iter, Job, Report, Result, Rows, TableName,
};
use std::time::Duration;

const ROWS: i64 = 60;
const BATCH_ROWS: u64 = 20;

#[derive(Entity)]
#[entity(table = "numbers")]
struct Number {
    id: i64,
    filler: String,
}

/// Loads the rows through `url`, as one who starts the same command.
fn load(name: &str, url: &str) -> Result<Report> {
    let job = Job::named(name)
        .read(Iter::new("numbers", || 0..ROWS))
        .map(|id| Ok(Number { id, filler: "x".repeat(50) }))
        .write(Append::<Number>::new())
        .batch_rows(BATCH_ROWS)
        .workers(2);
    job.run(&Engine::open(url)?)
}

/// The same with the naive pool: a transaction for a batch, a statement for a row.
fn load_naively(url: &str) -> std::result::Result<(), crate::support::subject::Failure> {
    let pool = naive_pool(&Setup::new(url, 1).timeout(Duration::from_secs(5)))?;
    let ids: Vec<i64> = (0..ROWS).collect();
    for batch in ids.chunks(BATCH_ROWS as usize) {
        let mut client = pool.get()?;
        let mut transaction = client.transaction()?;
        let insert = transaction.prepare("insert into numbers values ($1, $2)")?;
        for id in batch {
            transaction.execute(&insert, &[id, &"x".repeat(50)])?;
        }
        transaction.commit()?;
    }
    Ok(())
}

/// Loads until it works, at most three times; how often it did not.
fn load_until_done(kind: Kind, name: &str, url: &str) -> usize {
    let failed = |_: &usize| match kind {
        Kind::Rowmill => load(name, url).inspect_err(|error| eprintln!("{name}: {error}")).is_err(),
        Kind::Naive => load_naively(url).is_err(),
    };
    (0..3).take_while(failed).count()
}

/// Rows that are missing and rows that are there too often.
fn difference(db: &TestDb<'_>) -> (i64, i64) {
    let count = |sql: &str| db.watch(sql).parse::<i64>().expect("a count");
    let there = count("select count(distinct id) from numbers");
    (ROWS - there, count("select count(*) from numbers") - there)
}

/// What became of many loads that were cut.
#[derive(Default)]
struct Tally {
    cuts: usize,
    /// Cuts that found nothing to cut.
    missed: usize,
    errors: usize,
    lost: i64,
    duplicated: i64,
}

impl Tally {
    fn note(&self, kind: Kind, sheet: &mut Sheet) {
        sheet.set("cuts", self.cuts - self.missed);
        sheet.expect(self.missed <= self.cuts / 10, "the cuts found nothing to cut");
        sheet.set("errors_to_user", self.errors);
        sheet.set("lost", self.lost);
        sheet.set("dup", self.duplicated);
        sheet.expect((self.lost, self.duplicated) == (0, 0), "lost or doubled rows");
        sheet.expect(self.errors == 0 || kind == Kind::Naive, "an error to the user");
    }
}

/// A database with an empty table, and a proxy before it.
fn scene(label: &str) -> (TestDb<'static>, Proxy) {
    let db = shared().database(label);
    db.sql("create table numbers (id bigint, filler text)");
    (db, Proxy::to(shared().port()))
}

/// One load that is cut where `fault` says.
fn cut_once(
    kind: Kind,
    db: &TestDb<'_>,
    proxy: &Proxy,
    (spared, fault): (u64, Fault),
    tally: &mut Tally,
) {
    db.watch("with gone as (delete from numbers) select 1");
    proxy.set_after_commits(spared, fault);
    let name = format!("load {}", tally.cuts);
    tally.errors += load_until_done(kind, &name, &proxy.instead_of(&db.url()));
    // Loads differ by a few messages; what lies behind the end of this one is not in it.
    tally.missed += usize::from(proxy.fault() != Fault::Pass);
    let (lost, duplicated) = difference(db);
    if (lost, duplicated) != (0, 0) {
        eprintln!("{fault:?}: {lost} lost, {duplicated} doubled");
    }
    tally.cuts += 1;
    tally.lost += lost;
    tally.duplicated += duplicated;
}

/// How many messages and bytes an undisturbed load sends, where an earlier one has made the ledger;
/// less on some runs, so a margin is left.
fn undisturbed(kind: Kind, db: &TestDb<'_>, proxy: &Proxy) -> (u64, u64) {
    for name in ["first", "undisturbed"] {
        proxy.set(Fault::Pass);
        assert_eq!(load_until_done(kind, name, &proxy.instead_of(&db.url())), 0);
    }
    (proxy.client_messages() * 9 / 10, proxy.client_bytes() * 9 / 10)
}

/// So many numbers below `end`, one in each equal part: some of them lie behind the first batch, where
/// a load that is begun again doubles rows.
fn spread(count: u64, end: u64, random: &mut Random) -> impl Iterator<Item = u64> {
    (0..count).map(move |part| {
        let (from, to) = (part * end / count, (part + 1) * end / count);
        from + random.below((to - from).max(1))
    })
}

fn ends(number: usize) -> End {
    if number.is_multiple_of(2) { End::Fin } else { End::Rst }
}

fn cut_at_messages(kind: Kind, seed: u64, sheet: &mut Sheet) {
    let (db, proxy) = scene("messages");
    let (messages, _) = undisturbed(kind, &db, &proxy);
    let mut random = Random(seed);
    let chosen: Vec<u64> = match is_full() {
        true => (1..=messages).collect(),
        false => spread(12, messages, &mut random).map(|message| 1 + message).collect(),
    };
    let mut tally = Tally::default();
    for (number, message) in chosen.into_iter().enumerate() {
        let fault = Fault::Cut { at: Moment::ClientMessage(message), end: ends(number) };
        cut_once(kind, &db, &proxy, (0, fault), &mut tally);
    }
    sheet.set("messages", messages);
    tally.note(kind, sheet);
}

/// F3 and F4: cut before every message of a load (every statement, and each step of it).
#[test]
fn a_load_that_is_cut_before_any_message_is_done_exactly_once() {
    tell_apart("F3", sized(2 * LIMIT, 20 * LIMIT), cut_at_messages);
}

fn cut_at_bytes(kind: Kind, seed: u64, sheet: &mut Sheet) {
    let (db, proxy) = scene("bytes");
    let (_, bytes) = undisturbed(kind, &db, &proxy);
    let mut random = Random(seed);
    let mut tally = Tally::default();
    for (number, byte) in spread(sized(8, 300), bytes, &mut random).enumerate() {
        let at = Moment::ClientByte(byte);
        cut_once(kind, &db, &proxy, (0, Fault::Cut { at, end: ends(number) }), &mut tally);
    }
    sheet.set("bytes", bytes);
    tally.note(kind, sheet);
}

/// F5: cut at any byte: in the middle of a row, of a COPY, of its end.
#[test]
fn a_load_that_is_cut_at_any_byte_is_done_exactly_once() {
    tell_apart("F5", sized(2 * LIMIT, 20 * LIMIT), cut_at_bytes);
}

fn cut_around_commit(kind: Kind, seed: u64, sheet: &mut Sheet) {
    let (db, proxy) = scene("commit");
    let mut random = Random(seed);
    let mut tally = Tally::default();
    undisturbed(kind, &db, &proxy);
    let commits = proxy.commits();
    let moments = [Moment::BeforeCommit, Moment::AfterCommit, Moment::InReplyToCommit];
    for number in 0..sized(9, 1000) {
        let at = if number < 3 { moments[number] } else { moments[random.below(3) as usize] };
        let spared = random.below(commits);
        let fault = Fault::Cut { at, end: ends(number) };
        cut_once(kind, &db, &proxy, (spared, fault), &mut tally);
    }
    tally.note(kind, sheet);
}

/// F12 and F13: cut before COMMIT is passed on, after it was done, and inside of the answer, in a
/// random order: what held is not repeated, what did not is.
#[test]
fn a_load_whose_commits_are_cut_is_done_exactly_once() {
    tell_apart("F12-F13", sized(2 * LIMIT, 20 * LIMIT), cut_around_commit);
}

/// Ends the session at a row, once: a sequence forgets nothing.
const KILLER: &str = "create sequence shots;
    create function kill_me() returns trigger language plpgsql as $$ begin
        if new.id = tg_argv[0]::bigint and nextval('shots') = 1 then
            perform pg_terminate_backend(pg_backend_pid());
            perform pg_sleep(10);
        end if;
        return new;
    end $$";

fn killed_at_a_row(kind: Kind, _: u64, sheet: &mut Sheet) {
    let mut tally = Tally::default();
    for row in [0, ROWS / 2, ROWS - 1] {
        let (db, _proxy) = scene("row");
        db.sql(KILLER);
        db.sql(&format!(
            "create trigger kill before insert on numbers for each row execute function kill_me({row})"
        ));
        tally.errors += load_until_done(kind, "killed", &db.url());
        assert_ne!(db.value("select last_value::text || is_called from shots"), "1false");
        let (lost, duplicated) = difference(&db);
        tally.cuts += 1;
        tally.lost += lost;
        tally.duplicated += duplicated;
    }
    tally.note(kind, sheet);
}

/// F4: the server's session dies at the first, a middle and the last row.
#[test]
fn a_load_whose_session_dies_at_a_row_is_done_exactly_once() {
    tell_apart("F4", LIMIT, killed_at_a_row);
}

const LARGE: usize = 24_000;

/// Some 24 MB for one COPY.
fn large_rows() -> (Vec<Column>, Rows) {
    let column = |name, of| Column::new(Ident::new(name).unwrap(), of);
    let columns = vec![column("id", ColumnType::Int8), column("filler", ColumnType::Text)];
    let mut rows = Rows::new(2);
    let filler = "x".repeat(1000);
    for id in 0..LARGE as i64 {
        let mut row = rows.begin();
        row.field(&id.to_be_bytes()).unwrap();
        row.field(filler.as_bytes()).unwrap();
        row.finish().unwrap();
    }
    (columns, rows)
}

fn copy_large(kind: Kind, url: &str, (columns, rows): &(Vec<Column>, Rows)) -> bool {
    if kind == Kind::Rowmill {
        let engine = Engine::open(url).unwrap();
        let mut connection = engine.get().unwrap();
        let table = TableName::parse("numbers").unwrap();
        let loaded = Connection::load(&mut *connection, &table, columns, rows, 0..rows.len());
        return loaded.is_err();
    }
    let pool = naive_pool(&Setup::new(url, 1)).unwrap();
    let mut client = pool.get().unwrap();
    let copied = client.copy_in("copy numbers from stdin").and_then(|mut copy| {
        for id in 0..LARGE {
            let line = format!("{id}\t{}\n", "x".repeat(1000));
            if std::io::Write::write_all(&mut copy, line.as_bytes()).is_err() {
                break;
            }
        }
        copy.finish()
    });
    copied.is_err()
}

/// One COPY of 24 MB that ends at its tenth row, as `how` says.
fn ended_copy(kind: Kind, how: &str, ends: &str, sheet: &mut Sheet) {
    let (db, proxy) = scene("copy");
    db.sql(KILLER);
    db.sql(ends);
    // All of it would take four seconds; what lies in the buffers of two sockets has to go.
    proxy.set(Fault::Throttle { bytes_per_second: 6_000_000 });
    let (url, rows) = (proxy.instead_of(&db.url()), large_rows());
    let (is_error, time) = timed(|| copy_large(kind, &url, &rows));
    sheet.set_ms(&format!("{how}_error_after_ms"), time);
    sheet.set(&format!("{how}_bytes_sent"), proxy.client_bytes());
    sheet.set(&format!("{how}_rows_visible"), db.count("numbers"));
    sheet.expect(is_error, format!("{how}: no error"));
    sheet.expect(time < Duration::from_secs(2), format!("{how}: the error came late"));
    let sent = proxy.client_bytes();
    sheet.expect(sent < 12_000_000, format!("{how}: the rest was sent all the same"));
    sheet.expect(db.count("numbers") == 0, format!("{how}: rows of a COPY that failed"));
}

fn ended_in_a_copy(kind: Kind, _: u64, sheet: &mut Sheet) {
    let kill = "create trigger kill before insert on numbers \
                for each row execute function kill_me(9)";
    in_time(kind, sheet, |sheet| {
        ended_copy(kind, "killed", kill, sheet);
        ended_copy(kind, "refused", "alter table numbers add check (id <> 9)", sheet);
    });
}

/// F5: a COPY whose session dies at its start, or which the server refuses there, fails within two
/// seconds, not after the rest was sent. D20.
#[test]
fn a_copy_that_ends_at_its_start_fails_at_once() {
    tell_apart("F5-end", 3 * LIMIT, ended_in_a_copy);
}
