//! Batches whose keys are all new go straight into the table: the rows, the counts and what is left
//! are as if they had been staged.

use crate::support::both::Home;
use crate::support::{Counted, Gate};
use rowmill::{
    BatchDone, Entity, Iter, Job, Mirror, Observer, Pipeline, Report, Status, StopToken, Upsert,
};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Debug, Entity)]
#[entity(table = "t")]
struct Row {
    #[entity(key)]
    id: i64,
    value: i64,
}

const TABLE: &str = "create table t (id bigint primary key, value bigint not null)";

/// A batch has so many rows.
const BATCH: usize = 10;

fn job(name: &str, rows: Vec<(i64, i64)>) -> Pipeline<Row> {
    let rows = Iter::new("rows", move || rows.clone().into_iter());
    Job::named(name).read(rows).map(|(id, value)| Ok(Row { id, value }))
}

fn upsert(pipeline: Pipeline<Row>) -> Job {
    pipeline.write(Upsert::<Row>::new()).batch_rows(BATCH as u64)
}

fn counts(report: &Report) -> [u64; 6] {
    let Report { read, inserted, updated, unchanged, duplicates, rejected, .. } = report;
    [*read, *inserted, *updated, *unchanged, *duplicates, *rejected]
}

/// How many batches went straight into the table.
fn direct_batches(home: &Home) -> String {
    let sql = "select count(*)::text from rowmill.batch where phase = 0 and inserted > 0";
    home.rows(sql).remove(0)
}

#[test]
fn rows_with_new_keys_are_written_once() {
    let home = Home::postgres();
    home.sql(TABLE);
    let counted = Counted::on(&home);
    let rows = (0..50).map(|id| (id, id)).collect();
    let report = upsert(job("new", rows)).run(&counted.engine).unwrap();
    assert_eq!(counts(&report), [50, 50, 0, 0, 0, 0]);
    assert_eq!(direct_batches(&home), "5");
    let statements = counted.take();
    let merges =
        |sql: &&String| sql.starts_with("INSERT INTO \"t\"") || sql.starts_with("UPDATE \"t\"");
    assert_eq!(statements.iter().find(merges), None);
    assert_eq!(home.rows("select count(*), sum(value) from t"), ["50|1225"]);
}

#[test]
fn a_table_that_has_the_keys_is_merged_into_and_its_rows_are_counted() {
    let home = Home::postgres();
    home.sql(TABLE);
    home.sql("insert into t select n, n % 2 from generate_series(0, 99) n");
    let rows = (50..150).map(|id| (id, 0)).collect();
    let report = upsert(job("known", rows)).workers(2).run(home.engine()).unwrap();
    assert_eq!(counts(&report), [100, 50, 25, 25, 0, 0]);
    assert_eq!(home.rows("select count(*), sum(value) from t where id >= 50"), ["100|0"]);
}

/// Has the batch with the row `id` wait until another one is in.
struct OneIn(Gate);

impl Observer for OneIn {
    fn batch_done(&self, _: &BatchDone) {
        self.0.open();
    }
}

/// Two batches that have key 1, of which the one with the value `later` is loaded second.
fn meet(home: &Home, name: &str, later: i64) -> Report {
    let mut rows = vec![(1, 10), (2, 10)];
    rows.extend((100..108).map(|id| (id, 10)));
    rows.extend([(1, 20), (3, 20)]);
    let gate = Gate::closed();
    let (held, observer) = (gate.clone(), Arc::new(OneIn(gate)));
    let rows = Iter::new("rows", move || rows.clone().into_iter());
    let rows = Job::named(name).read(rows).map(move |(id, value)| {
        if value == later {
            held.pass();
        }
        Ok(Row { id, value })
    });
    upsert(rows).workers(2).observer(observer).run(home.engine()).unwrap()
}

#[test]
fn the_last_of_the_input_counts_whichever_batch_comes_first() {
    for (name, later) in [("in order", 20), ("the other way", 10)] {
        let home = Home::postgres();
        home.sql(TABLE);
        let report = meet(&home, name, later);
        assert_eq!(counts(&report), [12, 11, 0, 0, 1, 0], "{name}");
        assert_eq!(direct_batches(&home), "1", "{name}");
        assert_eq!(home.rows("select value from t where id = 1"), ["20"], "{name}");
        assert_eq!(home.rows("select count(*) from t"), ["11"], "{name}");
    }
}

/// Rows with many repeats, the same for the same seed.
fn repeating(seed: u64) -> Vec<(i64, i64)> {
    let mut state = seed;
    let mut next = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i64
    };
    (0..400).map(|row| (next() % (200 + seed as i64 * 400), row)).collect()
}

/// The last row of each key, and what is counted, by a plain map.
fn expected(rows: &[(i64, i64)], before: &BTreeMap<i64, i64>) -> (BTreeMap<i64, i64>, [u64; 6]) {
    let mine: BTreeMap<i64, i64> = rows.iter().copied().collect();
    let (mut all, mut counts) = (before.clone(), [rows.len() as u64, 0, 0, 0, 0, 0]);
    for (id, value) in &mine {
        match all.insert(*id, *value) {
            None => counts[1] += 1,
            Some(old) if old != *value => counts[2] += 1,
            Some(_) => counts[3] += 1,
        }
    }
    counts[4] = (rows.len() - mine.len()) as u64;
    (all, counts)
}

#[test]
fn rows_and_counts_are_those_of_a_plain_map_whatever_the_workers_do() {
    for seed in 0..12 {
        let home = Home::postgres();
        home.sql(TABLE);
        let mut before = BTreeMap::new();
        if seed % 3 == 2 {
            home.sql("insert into t select n, n from generate_series(300, 309) n");
            before.extend((300..310).map(|id| (id, id)));
        }
        let rows = repeating(seed);
        let (all, counted) = expected(&rows, &before);
        let job = job("random", rows);
        let job = match seed % 2 {
            0 => upsert(job).workers(4),
            _ => job.write(Mirror::<Row>::new()).batch_rows(BATCH as u64).workers(4),
        };
        let report = job.run(home.engine()).unwrap();
        assert_eq!(counts(&report), counted, "{seed}");
        let is_mirror = seed % 2 == 1;
        let named = |id: &i64| !is_mirror || !before.contains_key(id) || report.deleted == 0;
        let left: BTreeMap<i64, i64> = home
            .rows("select id, value from t")
            .iter()
            .map(|row| {
                let (id, value) = row.split_once('|').unwrap();
                (id.parse().unwrap(), value.parse().unwrap())
            })
            .collect();
        if is_mirror {
            assert!(left.iter().all(|(id, value)| all[id] == *value), "{seed}");
            assert_eq!(left.len() as u64 + report.deleted, all.len() as u64, "{seed}");
        } else {
            assert!(all.keys().all(named));
            assert_eq!(left, all, "{seed}");
        }
    }
}

struct StopAfterOne(StopToken);

impl Observer for StopAfterOne {
    fn batch_done(&self, _: &BatchDone) {
        self.0.ask();
    }
}

/// What was loaded directly by one run is known to the next.
#[test]
fn a_run_that_carries_on_knows_what_is_in_the_table() {
    let home = Home::postgres();
    home.sql(TABLE);
    let rows: Vec<_> = (0..40).map(|row| (row % 25, row)).collect();
    let stop = StopToken::new();
    let first = upsert(job("two", rows.clone())).workers(1).stop(stop.clone());
    let first = first.observer(Arc::new(StopAfterOne(stop)));
    first.run(home.engine()).unwrap_err();
    assert_eq!(home.rows("select count(*) from t"), ["10"]);
    // The second run must not try: who carries on may find another table.
    home.sql("alter table t add constraint any_value check (value >= 0)");
    let report = upsert(job("two", rows)).workers(1).run(home.engine()).unwrap();
    assert_eq!((report.status, direct_batches(&home).as_str()), (Status::Complete, "1"));
    assert_eq!(counts(&report), [40, 25, 0, 0, 15, 0]);
    assert_eq!(home.rows("select count(*), min(value), max(value) from t"), ["25|15|39"]);
}

/// Where anything else than the key may refuse a row, a row that was superseded could stay.
#[test]
fn a_table_with_other_constraints_is_staged() {
    for (name, extra) in [
        ("check", "alter table t add check (value >= 0)"),
        ("unique", "create unique index on t (value)"),
        (
            "parent",
            "create table p (id bigint primary key); insert into p select generate_series(0, 99); \
                    alter table t add foreign key (value) references p",
        ),
        (
            "trigger",
            "create function f() returns trigger language plpgsql as 'begin return null; end'; \
                     create trigger g after insert on t for each row execute function f()",
        ),
    ] {
        let home = Home::postgres();
        home.sql(TABLE);
        home.sql(extra);
        let rows = (0..30).map(|id| (id, id)).collect();
        let report = upsert(job(name, rows)).run(home.engine()).unwrap();
        assert_eq!(counts(&report), [30, 30, 0, 0, 0, 0], "{name}");
        assert_eq!(direct_batches(&home), "0", "{name}");
    }
}

/// A bucket is one of many here, so that the stage has its indexes.
#[test]
fn many_buckets_are_settled_like_one() {
    let home = Home::postgres();
    home.sql(TABLE);
    let count = 110_000;
    let rows = Iter::new("rows", move || (0..count).chain(7..9));
    let rows = Job::named("many").read(rows).map(|id| Ok(Row { id, value: id }));
    let job = rows.write(Upsert::<Row>::new()).batch_rows(10_000).workers(2);
    let report = job.run(home.engine()).unwrap();
    assert_eq!(counts(&report), [110_002, 110_000, 0, 0, 2, 0]);
    assert_eq!(home.rows("select count(*) from t"), ["110000"]);
}
