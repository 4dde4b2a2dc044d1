//! Rows of the input with one key, by the policy that a job states: which of them counts is decided by
//! the order of the input, however far apart they are, however many workers there are, and whatever
//! dies on the way.

use crate::support::loading::Place;
use crate::support::{Home, Tally, on_both, rowmill, shared};
use rowmill::{ErrorKind, Job, MaxRejects, Mode, OnDuplicate, Target};
use std::collections::HashMap;
use std::fmt::Write as _;

const COLUMNS: [&str; 2] = ["id bigint", "note text"];

/// The key of each row of the input: by turns one that comes once, and one of a few that come again
/// and again, near and far.
fn keys(rows: u64) -> Vec<u64> {
    let key = |row: u64| if row.is_multiple_of(3) { row % 7 } else { 1_000_000 + row * 7 % rows };
    (1..=rows).map(key).collect()
}

fn csv(keys: &[u64]) -> String {
    let mut csv = String::from("id,note\n");
    for (row, key) in (1..).zip(keys) {
        writeln!(csv, "{key},row {row}").unwrap();
    }
    csv
}

/// What is to be left: the table, and of each reject its row and that of the first.
#[derive(Debug, PartialEq)]
struct Left {
    table: Vec<String>,
    rejects: Vec<String>,
}

impl Left {
    fn expected(keys: &[u64], policy: OnDuplicate) -> Self {
        let mut counts: HashMap<u64, u64> = HashMap::new();
        let mut rejects = Vec::new();
        for (row, &key) in (1..).zip(keys) {
            match counts.get(&key) {
                Some(first) if policy == OnDuplicate::Reject => {
                    rejects.push(format!(
                        "{row}|duplicate|21000|row {first} of the input has the same key and came \
                         before it"
                    ));
                }
                Some(_) if policy != OnDuplicate::Last => {}
                _ => drop(counts.insert(key, row)),
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable();
        let table = counts.into_iter().map(|(key, row)| format!("{key}|row {row}")).collect();
        Self { table, rejects }
    }

    fn tally(&self, rows: u64) -> Tally {
        let (inserted, rejected) = (self.table.len() as u64, self.rejects.len() as u64);
        let duplicates = rows - inserted - rejected;
        Tally { read: rows, inserted, duplicates, rejected, ..Tally::default() }
    }
}

fn job(home: &Home, mode: Mode, policy: Option<OnDuplicate>, csv: &str) -> Job {
    let change = |target: &mut Target| target.duplicates = policy;
    let job = home.csv_target(mode, "t", &COLUMNS, "id", csv, change);
    job.max_rejects(MaxRejects::Share(1.0))
}

fn left(home: &Home, rejects_before: usize) -> Left {
    let rejects = home.rejects_of("input_row, stage, sqlstate, message");
    let plain = |reject: &String| reject.rsplit_once('|').unwrap().0.to_owned();
    let rejects = rejects[rejects_before..].iter().map(plain).collect();
    Left { table: home.rows("select id, note from t order by id"), rejects }
}

#[test]
fn the_order_of_the_input_decides_with_any_number_of_workers() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, note text)");
        let keys = keys(500);
        for policy in [OnDuplicate::First, OnDuplicate::Last, OnDuplicate::Reject] {
            let expected = Left::expected(&keys, policy);
            for mode in Mode::ALL {
                for (batch_rows, workers) in [(1_000, 1), (7, 4)] {
                    home.sql("delete from t");
                    let before = home.rejects_or_none().len();
                    let job = job(home, mode, Some(policy), &csv(&keys));
                    let tally = home.run(&job.batch_rows(batch_rows).workers(workers));
                    let told = format!("{mode} {policy}, {workers} workers");
                    assert_eq!(left(home, before), expected, "{told}");
                    assert_eq!(tally, expected.tally(500), "{told}");
                }
                home.sql("delete from t");
                let before = home.rejects_or_none().len();
                let job = job(home, mode, Some(policy), &csv(&keys)).batch_rows(7);
                job.run_serial(home.engine()).unwrap();
                assert_eq!(left(home, before), expected, "{mode} {policy}, serial");
            }
        }
    });
}

/// No index of the table stands in for what the order of the input says.
#[test]
fn a_table_without_a_unique_key_is_replaced_by_one_row_of_each() {
    on_both(|home| {
        home.sql("create table t (id bigint, note text)");
        let keys = keys(500);
        for policy in [OnDuplicate::First, OnDuplicate::Last, OnDuplicate::Reject] {
            let expected = Left::expected(&keys, policy);
            let before = home.rejects_or_none().len();
            let deleted = home.rows("select id from t").len() as u64;
            let job = job(home, Mode::Replace, Some(policy), &csv(&keys)).batch_rows(7);
            let tally = home.run(&job.workers(4));
            assert_eq!(left(home, before), expected, "{policy}");
            assert_eq!(tally, Tally { deleted, ..expected.tally(500) }, "{policy}");
        }
    });
}

#[test]
fn one_that_is_an_error_is_found_in_any_bucket() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, note text)");
        let mut keys: Vec<u64> = (1..=25_000).collect();
        keys.extend([24_997, 24_998, 24_999]);
        for mode in [Mode::Replace, Mode::Upsert] {
            let error = home.fails(&job(home, mode, Some(OnDuplicate::Error), &csv(&keys)));
            let text = error.to_string();
            let told = "row 25001 of the input has the key of row 24997";
            assert!(text.contains(told), "{mode}: {text}");
        }
    });
}

#[test]
fn where_they_are_an_error_the_first_is_told_and_nothing_is_changed() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, note text)");
        let csv = "id,note\n7,CANARY\n1,a\n2,b\n3,c\n2,d\n1,e\n7,f\n2,g\n";
        for mode in Mode::ALL {
            home.sql("delete from t; insert into t values (99, 'old')");
            for workers in [1, 4] {
                let job = job(home, mode, Some(OnDuplicate::Error), csv);
                let error = home.fails(&job.batch_rows(2).workers(workers));
                assert_eq!(error.kind(), ErrorKind::Duplicate);
                let text = error.to_string();
                assert!(text.contains("row 5 of the input has the key of row 3"), "{text}");
                assert!(text.contains("duplicates = ") && !text.contains("CANARY"));
            }
            assert_eq!(home.rows("select id, note from t"), ["99|old"], "{mode}");
        }
        let fine = job(home, Mode::Upsert, Some(OnDuplicate::Error), "id,note\n1,a\n2,b\n");
        assert_eq!(home.run(&fine.batch_rows(1)).inserted, 2);
    });
}

#[test]
fn a_job_that_met_an_error_begins_again_with_another_policy_where_that_is_said() {
    let home = Home::postgres();
    home.sql("create table t (id bigint primary key, note text)");
    let csv = home.file("t.csv", "id,note\n1,a\n1,b\n");
    let text = |duplicates: &str| {
        format!(
            "name = \"t\"\n[source]\nkind = \"csv\"\npath = \"{}\"\n[target]\n\
             url = \"${{ROWMILL_TARGET}}\"\ntable = \"t\"\nmode = \"upsert\"\nkey = [\"id\"]\n\
             {duplicates}\n[columns]\nid = \"bigint\"\nnote = \"text\"\n",
            csv.display()
        )
    };
    let run = |duplicates: &str| {
        let path = home.file("t.toml", text(duplicates));
        rowmill(["run"]).arg(path).env("ROWMILL_TARGET", home.url()).finish()
    };
    let refused = run("duplicates = \"error\"");
    assert_eq!(refused.code, Some(3), "{refused}");
    let told = "row 2 of the input has the key of row 1";
    assert!(refused.stderr.contains(told), "{refused}");
    let other = run("duplicates = \"first\"");
    assert_eq!(other.code, Some(2), "{other}");
    let told = "duplicates was \"error\", is \"first\"";
    assert!(other.stderr.contains(told), "{other}");
    let path =
        home.file("t.toml", format!("on_change = \"restart\"\n{}", text("duplicates = \"first\"")));
    let again = rowmill(["run"]).arg(path).env("ROWMILL_TARGET", home.url()).finish();
    assert_eq!(again.code, Some(0), "{again}");
    assert_eq!(home.rows("select id, note from t"), ["1|a"]);
}

#[test]
fn a_row_that_is_no_row_does_not_count_and_one_that_the_table_refuses_does() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, n integer check (n > 0))");
        let csv = "id,n\n1,none\n1,1\n1,2\n2,-1\n2,1\n";
        let change = |target: &mut Target| target.duplicates = Some(OnDuplicate::First);
        let columns = ["id bigint", "n integer"];
        let job = home.csv_target(Mode::Upsert, "t", &columns, "id", csv, change);
        let tally = home.run(&job.batch_rows(1).workers(4));
        let expected =
            Tally { read: 5, inserted: 1, duplicates: 2, rejected: 2, ..Tally::default() };
        assert_eq!(tally, expected);
        assert_eq!(home.rows("select id, n from t"), ["1|1"]);
    });
}

#[test]
fn keys_that_the_table_takes_as_equal_are_duplicates_also_in_other_bytes() {
    let home = Home::postgres();
    home.sql("create table t (id numeric primary key, note text)");
    let change = |target: &mut Target| target.duplicates = Some(OnDuplicate::Reject);
    let columns = ["id numeric", "note text"];
    let csv = "id,note\n1.0,a\n2,b\n1.00,c\n";
    let job = home.csv_target(Mode::Append, "t", &columns, "id", csv, change).batch_rows(1);
    let expected = Tally { read: 3, inserted: 2, rejected: 1, ..Tally::default() };
    assert_eq!(home.run(&job.workers(4)), expected);
}

#[test]
fn a_key_by_which_duplicates_cannot_be_told_is_refused() {
    let home = Home::postgres();
    home.sql(
        "create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
         create table t (id text collate loose primary key, note text)",
    );
    let sqlite = Home::sqlite();
    sqlite.sql("create table t (id text collate nocase primary key, note text)");
    for home in [home, sqlite] {
        let change = |target: &mut Target| target.duplicates = Some(OnDuplicate::Last);
        let columns = ["id text", "note text"];
        let csv = "id,note\na,1\nA,2\n";
        let error = home.fails(&home.csv_target(Mode::Upsert, "t", &columns, "id", csv, change));
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.to_string().contains("duplicates cannot be told"), "{error}");
    }
    let home = Home::postgres();
    home.sql("create table t (id bigint, note text)");
    let change = |target: &mut Target| target.duplicates = Some(OnDuplicate::Last);
    let error = home.fails(&home.csv_target(Mode::Append, "t", &COLUMNS, "", "id,note\n", change));
    assert_eq!(error.kind(), ErrorKind::Config);
}

/// A replay of a rejected duplicate does not take the place of the row that counted.
#[test]
fn a_rejected_duplicate_is_replayed_only_where_that_is_asked_for() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, note text)");
        let job = job(home, Mode::Upsert, Some(OnDuplicate::Reject), "id,note\n1,a\n1,b\n1,c\n");
        assert_eq!(home.run(&job).rejected, 2);
        let replayed = job.replay(home.engine(), false).unwrap();
        assert_eq!((replayed.open, replayed.resolved), (2, 0));
        assert_eq!(home.rows("select id, note from t"), ["1|a"]);
        let replayed = job.replay(home.engine(), true).unwrap();
        assert_eq!((replayed.open, replayed.resolved), (2, 1));
        assert_eq!(home.rows("select id, note from t"), ["1|b"]);
    });
}

const KILLED_ROWS: u64 = 60_000;
const KILLED_BATCH: u64 = 2_000;

/// A run is killed while it loads, and once more when everything is staged and the first bucket is
/// about to be merged; the third ends it.
fn killed_twice(mode: &str, policy: OnDuplicate) {
    let place = Place::Postgres(shared().database("duplicates"));
    let Place::Postgres(database) = &place else { unreachable!() };
    place.sql("create table t (id bigint primary key, note text)");
    let folder = tempfile::tempdir().unwrap();
    let keys = keys(KILLED_ROWS);
    std::fs::write(folder.path().join("t.csv"), csv(&keys)).unwrap();
    let text = format!(
        "name = \"t\"\n[source]\nkind = \"csv\"\npath = \"{}\"\n[target]\n\
         url = \"${{ROWMILL_TARGET}}\"\ntable = \"t\"\nmode = \"{mode}\"\nkey = [\"id\"]\n\
         duplicates = \"{policy}\"\n[columns]\nid = \"bigint\"\nnote = \"text\"\n\
         [limits]\nworkers = 4\nbatch_rows = {KILLED_BATCH}\nmax_rejects = \"100%\"\n",
        folder.path().join("t.csv").display()
    );
    let path = folder.path().join("t.toml");
    std::fs::write(&path, text).unwrap();
    let start = || rowmill(["run"]).arg(&path).env("ROWMILL_TARGET", place.url()).spawn();
    // Nobody merges while this is held, and who loads does not touch the table.
    let mut holder = database.connect();
    holder.batch_execute("begin; lock table t in exclusive mode").unwrap();
    let batches = KILLED_ROWS / KILLED_BATCH;
    for units in [3, batches + 1] {
        let mut probe = place.probe();
        let mut run = start();
        assert!(run.wait_until(|_| probe.units_done() >= units), "{}", run.stderr());
        assert_eq!(run.kill().code, None);
    }
    holder.batch_execute("rollback").unwrap();
    let run = start().wait();
    assert_eq!(run.code, Some(0), "{run}");
    let expected = Left::expected(&keys, policy);
    let mut table = Vec::new();
    place.texts("select id || '|' || note from t order by id", |row| table.push(row.to_owned()));
    let mut rejects = Vec::new();
    let stored = "select input_row || '|' || stage || '|' || sqlstate || '|' || message \
                  from rowmill.reject order by input_row";
    place.texts(stored, |row| rejects.push(row.to_owned()));
    assert_eq!(Left { table, rejects }, expected, "{mode} {policy}");
}

#[test]
fn which_row_counts_survives_kills() {
    for policy in [OnDuplicate::First, OnDuplicate::Last, OnDuplicate::Reject] {
        killed_twice("upsert", policy);
    }
    killed_twice("append", OnDuplicate::Reject);
}
