//! Whatever runs in parallel has a serial form with the same result: the same table, the same
//! counts, the same rejects, for any rows, batches and workers. And both are what a model of the
//! five modes, which knows no database, says.

use crate::support::{Home, Tally};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rowmill::{
    Append, Engine, Entity, Error, ErrorKind, InsertIgnore, Iter, Job, Mirror, Mode, Replace,
    Upsert, Write,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A row of the source and of the table.
#[derive(Clone, Debug, PartialEq, Eq, Entity)]
struct Row {
    #[entity(key)]
    id: i32,
    #[entity(column_type = "varchar(3)")]
    code: String,
    n: i32,
    parent: Option<i32>,
}

/// What a row is refused for: the table, the closure, the other closure, the converter.
const CHECKED: i32 = 0;
const REFUSED: i32 = 7;
const FILTERED: i32 = 8;
const LONG: &str = "long";

#[derive(Clone, Debug)]
struct Case {
    mode: Mode,
    before: Vec<Row>,
    rows: Vec<Row>,
    batch_rows: u64,
    workers: usize,
}

/// Rows whose keys meet often; `tied` ones also meet in their codes and point to each other.
fn rows(most: usize, tied: bool) -> impl Strategy<Value = Vec<Row>> {
    let n = prop_oneof![8 => 1..4_i32, 1 => Just(CHECKED), 1 => Just(FILTERED)];
    let code = prop_oneof![12 => (0..9_u8).prop_map(|n| format!("c{n}")), 1 => Just(LONG.into())];
    let parent = prop_oneof![2 => Just(None), 3 => (0..12_i32).prop_map(Some)];
    let row = (0..12_i32, code, n, parent).prop_map(move |(id, code, n, parent)| Row {
        id,
        code,
        n,
        parent: parent.filter(|_| tied),
    });
    prop::collection::vec(row, 0..most)
}

fn cases(tied: bool) -> impl Strategy<Value = Case> {
    let modes = prop::sample::select(match tied {
        // To append, the first that comes is the one that is kept: who that is, the workers decide.
        true => &Mode::ALL[1..],
        false => &Mode::ALL[..],
    });
    // Half of the inputs have a row that a closure refuses.
    let refused = prop::option::of(0..40_usize);
    (modes, rows(8, tied), rows(40, tied), refused, 1..9_u64, 1..6_usize).prop_map(
        |(mode, before, mut rows, refused, batch_rows, workers)| {
            if mode == Mode::Mirror {
                // A row that points to one the source lacks keeps that one from being deleted, and
                // ends the run: `job_modes` has a test of it.
                for row in &mut rows {
                    row.parent = None;
                }
            }
            if let Some(row) = refused.and_then(|at| rows.get_mut(at)) {
                row.n = REFUSED;
            }
            Case { mode, before: valid(before), rows, batch_rows, workers }
        },
    )
}

/// Rows that a table can hold: no key, no code twice, and nobody points to anybody.
fn valid(rows: Vec<Row>) -> Vec<Row> {
    let (mut ids, mut codes) = (BTreeSet::new(), BTreeSet::new());
    let good = rows.into_iter().filter(|row| (1..4).contains(&row.n) && row.code != LONG);
    let good = good.filter(|row| ids.insert(row.id) && codes.insert(row.code.clone()));
    good.map(|row| Row { parent: None, ..row }).collect()
}

/// The most closures that ran at once.
#[derive(Debug, Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Crowd {
    fn pass<T>(&self, work: impl FnOnce() -> T) -> T {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::yield_now();
        let done = work();
        self.now.fetch_sub(1, Ordering::SeqCst);
        done
    }
}

fn job(home: &Home, case: &Case, table: &str, crowd: &Arc<Crowd>) -> Job {
    let (rows, crowd) = (case.rows.clone(), Arc::clone(crowd));
    let source = Iter::new("rows", move || rows.clone())
        .render(|row: &Row| format!("{},{},{},{:?}", row.id, row.code, row.n, row.parent).into());
    let pipeline = Job::named(home.job_name())
        .read(source)
        .map(move |row: Row| {
            crowd.pass(|| match row.n {
                REFUSED => Err(Error::new(ErrorKind::Decode, "not this one")),
                _ => Ok(row),
            })
        })
        .filter(|row| row.n != FILTERED);
    match case.mode {
        Mode::Append => pipeline.write(Append::new().table(table)),
        Mode::InsertIgnore => pipeline.write(InsertIgnore::new().table(table)),
        Mode::Upsert => pipeline.write(Upsert::new().table(table)),
        Mode::Mirror => pipeline.write(Mirror::new().table(table)),
        _ => pipeline.write(Write::table(Replace::new(), table)),
    }
    .batch_rows(case.batch_rows)
    .workers(case.workers)
}

/// What a run left: the table, the counts, the rejects.
#[derive(Debug, PartialEq)]
struct Left {
    table: Vec<String>,
    tally: Tally,
    rejects: Vec<String>,
}

fn run(home: &Home, engine: &Engine, case: &Case, columns: &str, parallel: bool) -> Left {
    let insert = |Row { id, code, n, .. }: &Row| {
        format!("insert into t (id, code, n) values ({id}, '{code}', {n});")
    };
    let inserts: String = case.before.iter().map(insert).collect();
    home.sql(&format!("drop table if exists t; create table t ({columns}); {inserts}"));
    let before = home.rejects_or_none().len();
    let crowd = Arc::new(Crowd::default());
    let job = job(home, case, "t", &crowd);
    let report = if parallel { job.run(engine) } else { job.run_serial(engine) }.unwrap();
    let permits = if parallel { case.workers.min(engine.capacity() as usize) } else { 1 };
    assert!(crowd.most.load(Ordering::SeqCst) <= permits, "more than {permits} in flight");
    assert!(report.pool.peak_in_use as usize <= permits, "more than {permits} connections");
    assert_eq!(engine.stats().in_use, 0);
    let batches = (case.rows.len() as u64).div_ceil(case.batch_rows);
    assert_eq!((report.batches, report.batches_reused, report.retries), (batches, 0, 0));
    let table = home.rows("select id, code, n, parent from t order by id, code, n, parent");
    let rejects = home.rejects_of("input_row, stage, sqlstate, column_name, constraint_name");
    let tally = Tally::of(&report);
    assert_eq!(tally.read, case.rows.len() as u64);
    assert_eq!(tally.rejected, (rejects.len() - before) as u64);
    Left { table, tally, rejects: rejects[before..].to_vec() }
}

/// What the five modes mean, where only a CHECK is in their way.
fn model(case: &Case) -> (Vec<Row>, Tally) {
    let mut tally = Tally { read: case.rows.len() as u64, ..Tally::default() };
    let (mut live, mut named, mut hidden) = (Vec::new(), BTreeSet::new(), false);
    for row in &case.rows {
        match (row.n, row.code.as_str()) {
            (REFUSED, _) => hidden = true,
            (FILTERED, _) => tally.filtered += 1,
            (_, LONG) => drop(named.insert(row.id)),
            _ => live.push(row.clone()),
        }
    }
    let refused = case.rows.iter().filter(|row| row.n == REFUSED).count();
    let long =
        case.rows.iter().filter(|row| row.code == LONG && row.n != REFUSED && row.n != FILTERED);
    tally.rejected = (refused + long.count()) as u64;
    let mut table: Vec<Row> = case.before.clone();
    if case.mode == Mode::Append {
        let good: Vec<_> = live.iter().filter(|row| row.n != CHECKED).cloned().collect();
        tally.inserted = good.len() as u64;
        tally.rejected += (live.len() - good.len()) as u64;
        table.extend(good);
        return (table, tally);
    }
    let mut winners = BTreeMap::new();
    for row in live {
        tally.duplicates += u64::from(winners.contains_key(&row.id));
        match case.mode {
            Mode::InsertIgnore => drop(winners.entry(row.id).or_insert(row)),
            _ => drop(winners.insert(row.id, row)),
        }
    }
    named.extend(winners.keys());
    if case.mode == Mode::Replace && !case.rows.is_empty() {
        tally.deleted = table.len() as u64;
        table.clear();
    }
    for row in winners.into_values() {
        let there = table.iter_mut().find(|there| there.id == row.id);
        match (there, case.mode) {
            (Some(there), _) if *there == row => tally.unchanged += 1,
            (_, _) if row.n == CHECKED => tally.rejected += 1,
            (Some(_), Mode::InsertIgnore) => tally.unchanged += 1,
            (Some(there), _) => {
                *there = row;
                tally.updated += 1;
            }
            (None, _) => {
                table.push(row);
                tally.inserted += 1;
            }
        }
    }
    if case.mode == Mode::Mirror && !hidden && !case.rows.is_empty() {
        let rows = table.len();
        table.retain(|row| named.contains(&row.id));
        tally.deleted = (rows - table.len()) as u64;
    }
    (table, tally)
}

fn for_cases(count: u32, tied: bool, test: impl Fn(&Case)) {
    let config = Config { cases: count, failure_persistence: None, ..Config::default() };
    let tested = TestRunner::new(config).run(&cases(tied), |case| {
        test(&case);
        Ok(())
    });
    tested.unwrap_or_else(|failure| panic!("{failure}"));
}

fn twins_follow_the_model(home: &Home, engine: &Engine) {
    for_cases(if home.is_postgres() { 15 } else { 40 }, false, |case| {
        let key = if case.mode == Mode::Append { "" } else { " primary key" };
        let columns =
            format!("id integer{key}, code varchar(3), n integer check (n > 0), parent integer");
        let parallel = run(home, engine, case, &columns, true);
        assert_eq!(parallel, run(home, engine, case, &columns, false));
        let (mut table, tally) = model(case);
        table.sort_by(|a, b| (a.id, &a.code, a.n).cmp(&(b.id, &b.code, b.n)));
        let table: Vec<_> =
            table.iter().map(|row| format!("{}|{}|{}|NULL", row.id, row.code, row.n)).collect();
        assert_eq!((parallel.table, parallel.tally), (table, tally));
    });
}

/// Unique codes and parents: what is left depends on who comes first, and must not.
fn twins_are_alike_where_rows_are_tied(home: &Home, engine: &Engine) {
    let columns = "id integer primary key, code varchar(3) unique, n integer check (n > 0), \
                   parent integer references t (id)";
    for_cases(if home.is_postgres() { 15 } else { 40 }, true, |case| {
        let parallel = run(home, engine, case, columns, true);
        assert_eq!(parallel, run(home, engine, case, columns, false));
    });
}

fn small(home: &Home) -> Engine {
    Engine::builder(home.url()).pool_size(3).max_overflow(0).build().unwrap()
}

#[test]
fn in_an_sqlite_file_both_follow_the_model() {
    let home = Home::sqlite();
    twins_follow_the_model(&home, &small(&home));
}

#[test]
fn in_memory_both_follow_the_model() {
    let home = Home::memory();
    twins_follow_the_model(&home, home.engine());
}

/// batch 3.8.3
#[test]
fn on_postgres_both_follow_the_model() {
    let home = Home::postgres();
    twins_follow_the_model(&home, &small(&home));
}

#[test]
fn in_an_sqlite_file_tied_rows_end_alike() {
    let home = Home::sqlite();
    twins_are_alike_where_rows_are_tied(&home, &small(&home));
}

#[test]
fn on_postgres_tied_rows_end_alike() {
    let home = Home::postgres();
    twins_are_alike_where_rows_are_tied(&home, &small(&home));
}
