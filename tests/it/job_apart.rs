//! Batches that are ranges of a key go straight into the table where their rows keep to the range, whether
//! their keys are new or there; what is left is as if all of them had been staged and merged.

use crate::support::both::Home;
use crate::support::{Counted, Gate};
use rowmill::{
    BatchDone, Consistency, Entity, Error, ErrorKind, Job, Mirror, Observer, Pipeline, Report,
    StopToken, Table, Upsert,
};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Debug, Entity)]
#[entity(table = "a")]
struct Item {
    #[entity(key)]
    id: i64,
    value: i64,
}

#[derive(Clone, Debug, Entity)]
#[entity(table = "t")]
struct Row {
    #[entity(key)]
    id: i32,
    value: i64,
    note: Option<String>,
}

impl Row {
    fn new(id: i64, value: i64) -> Self {
        let note = (value % 3 == 0).then(|| format!("note {value}"));
        Self { id: id as i32, value, note }
    }
}

const BATCH: u64 = 10;

/// Tables `a`, with the numbers up to `rows` and their doubles, and `t`, which is empty.
fn home(rows: i64) -> Home {
    let home = Home::postgres();
    home.sql("create table t (id integer primary key, value bigint not null, note text)");
    home.sql("create table a (id bigint primary key, value bigint not null)");
    home.sql(&format!("insert into a select n, 2 * n from generate_series(1, {rows}) n"));
    home.sql("analyze a");
    home
}

/// Puts rows into `t` as the jobs make them.
fn fill(home: &Home, rows: impl IntoIterator<Item = (i64, i64)>) {
    for (id, value) in rows {
        let note = Row::new(id, value).note.map_or("null".to_owned(), |note| format!("'{note}'"));
        home.sql(&format!("insert into t values ({id}, {value}, {note})"));
    }
}

fn read(home: &Home, change: impl Fn(Item) -> (i64, i64) + Send + Sync + 'static) -> Pipeline<Row> {
    let items = Table::<Item>::all().consistency(Consistency::PerBatch);
    Job::named(home.job_name()).read(items).map(move |item| {
        let (id, value) = change(item);
        Ok(Row::new(id, value))
    })
}

fn upsert(pipeline: Pipeline<Row>) -> Job {
    pipeline.write(Upsert::<Row>::new()).batch_rows(BATCH).workers(3)
}

fn counts(report: &Report) -> [u64; 6] {
    let Report { read, inserted, updated, unchanged, duplicates, rejected, .. } = report;
    [*read, *inserted, *updated, *unchanged, *duplicates, *rejected]
}

fn stored(home: &Home) -> BTreeMap<i64, i64> {
    let pair = |row: &String| {
        let (id, value) = row.split_once('|').unwrap();
        (id.parse().unwrap(), value.parse().unwrap())
    };
    home.rows("select id, value from t").iter().map(pair).collect()
}

/// How many batches of the last job went straight into the table.
fn direct_batches(home: &Home) -> String {
    let sql = "select count(*)::text from rowmill.batch where phase = 0 \
               and inserted + updated + unchanged > 0";
    home.rows(sql).remove(0)
}

#[test]
fn rows_that_keep_their_keys_are_written_once_whether_they_are_there_or_not() {
    let home = home(100);
    // Twenty as they will be, twenty that will be others, sixty that are missing.
    fill(&home, (1..=20).map(|id| (id, 2 * id)).chain((21..=40).map(|id| (id, 0))));
    let counted = Counted::on(&home);
    let report = upsert(read(&home, |item| (item.id, item.value))).run(&counted.engine).unwrap();
    assert_eq!(counts(&report), [100, 60, 20, 20, 0, 0]);
    assert_eq!(direct_batches(&home), report.batches.to_string());
    let from_stage = |sql: &&String| {
        sql.starts_with("UPDATE \"t\" AS t SET") && sql.contains("stage_")
            || sql.starts_with("INSERT INTO \"t\"") && sql.contains("stage_")
    };
    assert_eq!(counted.take().iter().find(from_stage), None);
    assert_eq!(stored(&home), (1..=100).map(|id| (id, 2 * id)).collect());
    assert_eq!(home.rows("select count(*) from t where note = 'note ' || value"), ["33"]);
}

/// Keys of every hundredth row, and those of whole ranges, become others.
fn moved(seed: i64, item: &Item) -> (i64, i64) {
    let Item { id, value } = *item;
    let mixed = (id * 7_919 + seed * 104_729) % 1_009;
    match mixed {
        0..=40 => ((id + mixed * 7) % 130 + 1, value + seed % 2),
        41..=60 => (id + 1, value),
        _ if seed % 3 == 0 && id > 90 => (id - 20, value),
        _ => (id, value + seed % 2 * (id % 2)),
    }
}

/// The last row of each key in the order of the input.
fn last_of_each(rows: i64, seed: i64) -> BTreeMap<i64, i64> {
    (1..=rows).map(|id| moved(seed, &Item { id, value: 2 * id })).collect()
}

#[test]
fn the_last_of_the_input_counts_where_a_closure_moves_rows_to_keys_of_other_batches() {
    let mut both = [false, false];
    for seed in 0..10 {
        let tables: Vec<_> = [true, false]
            .into_iter()
            .map(|parallel| {
                let home = home(120);
                let before: BTreeMap<i64, i64> =
                    (1..=60).map(|id| (id, if id % 4 == 0 { 2 * id } else { 1 })).collect();
                fill(&home, before.clone());
                let job = upsert(read(&home, move |item| moved(seed, &item)));
                let run = if parallel { Job::run } else { Job::run_serial };
                let report = run(&job, home.engine()).unwrap();
                let mut expected = before;
                expected.extend(last_of_each(120, seed));
                assert_eq!(stored(&home), expected, "{seed} {parallel}");
                let direct: u64 = direct_batches(&home).parse().unwrap();
                both[0] |= direct > 0;
                both[1] |= direct < report.batches;
                counts(&report)
            })
            .collect();
        assert_eq!(tables[0], tables[1], "{seed}");
        let [read, inserted, updated, unchanged, duplicates, rejected] = tables[0];
        assert_eq!((read, rejected), (120, 0));
        assert_eq!(inserted + updated + unchanged + duplicates, read, "{seed}");
        let new = last_of_each(120, seed).keys().filter(|id| **id > 60).count() as u64;
        assert_eq!(inserted, new, "{seed}");
    }
    assert_eq!(both, [true, true], "some batches are to be direct, and some staged");
}

/// Has the batch with the row 1 wait until another one is in.
struct OneIn(Gate);

impl Observer for OneIn {
    fn batch_done(&self, _: &BatchDone) {
        self.0.open();
    }
}

#[test]
fn a_row_of_a_later_batch_counts_although_its_batch_is_stored_first() {
    let home = home(20);
    let gate = Gate::closed();
    let (held, observer) = (gate.clone(), Arc::new(OneIn(gate)));
    let rows = read(&home, move |item| {
        if item.id == 1 {
            held.pass();
        }
        if item.id == 15 { (5, 999) } else { (item.id, item.value) }
    });
    let report = upsert(rows).observer(observer).run(home.engine()).unwrap();
    assert_eq!(counts(&report), [20, 19, 0, 0, 1, 0]);
    assert_eq!(direct_batches(&home), "1");
    assert_eq!(home.rows("select value from t where id = 5"), ["999"]);
}

struct StopAfterOne(StopToken);

impl Observer for StopAfterOne {
    fn batch_done(&self, _: &BatchDone) {
        self.0.ask();
    }
}

/// Each run does one unit, and the next goes on: what is noted of a batch outlives who stored it.
#[test]
fn runs_that_carry_on_know_which_rows_are_in_the_table() {
    for seed in [1, 3] {
        let home = home(120);
        fill(&home, (1..=60).map(|id| (id, 1)));
        let job = |stop: Option<StopToken>| {
            let job = upsert(read(&home, move |item| moved(seed, &item))).workers(1);
            match stop {
                None => job,
                Some(stop) => job.stop(stop.clone()).observer(Arc::new(StopAfterOne(stop))),
            }
        };
        for _ in 0..6 {
            job(Some(StopToken::new())).run(home.engine()).unwrap_err();
        }
        assert_eq!(home.rows("select count(*) from rowmill.batch where done"), ["6"]);
        let report = job(None).run(home.engine()).unwrap();
        let mut expected: BTreeMap<i64, i64> = (1..=60).map(|id| (id, 1)).collect();
        expected.extend(last_of_each(120, seed));
        assert_eq!(stored(&home), expected, "{seed}");
        let [read, inserted, updated, unchanged, duplicates, _] = counts(&report);
        assert_eq!(inserted + updated + unchanged + duplicates, read, "{seed}");
    }
}

#[test]
fn a_mirror_keeps_the_rows_of_batches_that_were_stored_directly() {
    let home = home(60);
    fill(&home, (41..=90).map(|id| (id, 1)));
    let rows = read(&home, |item| (item.id, item.value));
    let job = rows.write(Mirror::<Row>::new()).batch_rows(BATCH).workers(3);
    let report = job.run(home.engine()).unwrap();
    assert_eq!((counts(&report), report.deleted), ([60, 40, 20, 0, 0, 0], 30));
    assert_eq!(direct_batches(&home), report.batches.to_string());
    assert_eq!(stored(&home), (1..=60).map(|id| (id, 2 * id)).collect());
}

#[test]
fn a_mirror_deletes_what_no_batch_has_named() {
    for seed in [0, 1, 2] {
        let home = home(120);
        fill(&home, (100..=160).map(|id| (id, 1)));
        let rows = read(&home, move |item| moved(seed, &item));
        let job = rows.write(Mirror::<Row>::new()).batch_rows(BATCH).workers(3);
        let report = job.run(home.engine()).unwrap();
        assert_eq!(stored(&home), last_of_each(120, seed), "{seed}");
        assert!(report.deleted > 0);
    }
}

/// A row that is refused costs no other, and the rest of its batch is upserted as it would be.
#[test]
fn rejects_are_no_reason_to_stage_a_batch() {
    let home = home(50);
    let items = Table::<Item>::all();
    let rows = Job::named(home.job_name()).read(items).map(|item| match item.id % 10 {
        7 => Err(Error::new(ErrorKind::Decode, "not this one")),
        _ => Ok(Row::new(item.id, item.value)),
    });
    let report = upsert(rows).run(home.engine()).unwrap();
    assert_eq!(counts(&report), [50, 45, 0, 0, 0, 5]);
    assert_eq!(direct_batches(&home), report.batches.to_string());
}

/// Where anything but the key may refuse a row, its order in the input may have to be looked at.
#[test]
fn a_table_with_other_constraints_is_staged() {
    let home = home(50);
    home.sql("alter table t add check (value <> 14)");
    let report = upsert(read(&home, |item| (item.id, item.value))).run(home.engine()).unwrap();
    assert_eq!(counts(&report), [50, 49, 0, 0, 0, 1]);
    assert_eq!(direct_batches(&home), "0");
}

/// Rows of one instant: who writes into the table that is read, could not be carried on after a crash.
#[test]
fn a_table_that_is_read_as_of_one_instant_is_staged() {
    let home = home(50);
    fill(&home, (1..=50).map(|id| (id, 1)));
    let items = Table::<Item>::all().consistency(Consistency::Snapshot);
    let rows = Job::named(home.job_name()).read(items);
    let rows = rows.map(|item| Ok(Row::new(item.id, item.value)));
    let report = upsert(rows).run(home.engine()).unwrap();
    assert_eq!(counts(&report), [50, 0, 50, 0, 0, 0]);
    assert_eq!(direct_batches(&home), "0");
}

/// A plan that was made for the empty table would read all of it for each batch: plans are kept.
#[test]
fn rows_are_looked_up_by_their_key_however_small_the_table_was_at_first() {
    let home = home(3_000);
    let items = Table::<Item>::all();
    let rows = Job::named(home.job_name()).read(items);
    let rows = rows.map(|item| Ok(Row::new(item.id, item.value)));
    let job = rows.write(Upsert::<Row>::new()).batch_rows(20).workers(1);
    // Sessions tell what they have read when they end.
    let engine = Counted::on(&home).engine;
    let report = job.run(&engine).unwrap();
    drop(engine);
    assert_eq!(counts(&report), [3_000, 3_000, 0, 0, 0, 0]);
    let scans = home.rows("select seq_tup_read from pg_stat_user_tables where relname = 't'");
    // One batch is a part of the whole: reading all of it for each would be some hundred thousand.
    assert!(scans[0].parse::<u64>().unwrap() < 30_000, "{scans:?}");
}

/// The table that is read is the one that is written.
#[test]
fn a_table_can_be_upserted_into_itself() {
    let home = home(200);
    let items = Table::<Item>::all();
    let job = Job::named(home.job_name()).read(items);
    let job = job.map(|item| Ok(Item { value: item.value + 1, ..item }));
    let job = job.write(Upsert::<Item>::new()).batch_rows(BATCH).workers(3);
    let report = job.run(home.engine()).unwrap();
    assert_eq!(counts(&report), [200, 0, 200, 0, 0, 0]);
    assert_eq!(home.rows("select count(*) from a where value = 2 * id + 1"), ["200"]);
}
