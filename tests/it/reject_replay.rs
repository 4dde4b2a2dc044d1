//! Rejects that are tried again.

use crate::support::{Home, on_both};
use rowmill::{
    Append, ColumnType, Csv, Entity, ErrorKind, Ident, Iter, Job, Mode, Ndjson, NdjsonColumn,
    NdjsonColumns, Replayed, Status, TableName, Target,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const TABLE: &str = "create table p (id bigint primary key); insert into p values (1); \
    create table t (id bigint primary key, n integer, p bigint references p (id))";
const COLUMNS: [&str; 3] = ["id bigint", "n integer", "p bigint"];

fn job(home: &Home, mode: Mode, csv: &str) -> Job {
    home.csv_job(mode, "t", &COLUMNS, "id", format!("id,n,p\n{csv}")).workers(1)
}

/// Open, resolved, refused.
fn numbers(replayed: Replayed) -> (u64, u64, u64) {
    (replayed.open, replayed.resolved, replayed.refused)
}

fn replay(home: &Home, job: &Job) -> (u64, u64, u64) {
    numbers(job.replay(home.engine(), false).unwrap())
}

/// What the ledger says of a complete job: read, inserted, updated, duplicates, rejected.
fn books(home: &Home, job: &Job) -> [u64; 5] {
    let report = job.run(home.engine()).unwrap();
    assert_eq!(report.status, Status::AlreadyComplete);
    assert!(report.balances(), "{report:?}");
    [report.read, report.inserted, report.updated, report.duplicates, report.rejected]
}

#[test]
fn what_passes_comes_in_and_what_fails_stays_with_its_new_reason() {
    on_both(|home| {
        home.sql(TABLE);
        for mode in Mode::ALL {
            home.sql("delete from t; delete from p where id > 1");
            let before = home.rejects_or_none().len();
            let job = job(home, mode, "1,1,1\n2,1,2\n3,x,1\n4,1,3\n5,1,2\n");
            home.run(&job);
            assert_eq!(books(home, &job), [5, 1, 0, 0, 4], "{mode}");
            assert_eq!(replay(home, &job), (4, 0, 4), "{mode}");
            home.sql("insert into p values (2)");
            assert_eq!(replay(home, &job), (4, 2, 2), "{mode}");
            assert_eq!(replay(home, &job), (2, 0, 2), "{mode}");
            assert_eq!(home.rows("select id from t order by id"), ["1", "2", "5"], "{mode}");
            assert_eq!(books(home, &job), [5, 3, 0, 0, 2], "{mode}");
            home.sql("insert into p values (3)");
            assert_eq!(replay(home, &job), (2, 1, 1), "{mode}");
            let told = home.rejects_of("input_row, stage, sqlstate, attempt, resolved_by is null");
            let no = home.pick("0", "false");
            let yes = home.pick("1", "true");
            let expected = [
                format!("2|store|23503|3|{no}|2,1,2"),
                format!("3|convert|22P02|5|{yes}|3,x,1"),
                format!("4|store|23503|5|{no}|4,1,3"),
                format!("5|store|23503|3|{no}|5,1,2"),
            ];
            let told: Vec<_> = told[before..].iter().map(|line| short_bool(line)).collect();
            assert_eq!(told, expected, "{mode}");
        }
    });
}

/// The driver of PostgreSQL prints `t` and `f`.
fn short_bool(line: &str) -> String {
    line.replace("|t|", "|true|").replace("|f|", "|false|")
}

#[test]
fn a_row_that_may_be_newer_is_kept_and_overwritten_only_where_that_is_asked_for() {
    on_both(|home| {
        home.sql(TABLE);
        for mode in [Mode::Upsert, Mode::Mirror] {
            home.sql("delete from t; delete from p where id > 1");
            let job = job(home, mode, "1,1,1\n2,1,2\n3,1,2\n");
            home.run(&job);
            // Somebody else was faster: one row is another now, and one is the same.
            home.sql("insert into p values (2); insert into t values (2, 99, 1), (3, 1, 2)");
            assert_eq!(replay(home, &job), (2, 1, 1), "{mode}");
            assert_eq!(home.rows("select n from t where id = 2"), ["99"], "{mode}");
            let told = home.rejects_of("input_row, stage, sqlstate").pop().unwrap();
            assert_eq!(home.rejects().len() % 2, 0);
            assert!(told.starts_with("3|store|23503"), "{told}");
            let forced = job.replay(home.engine(), true).unwrap();
            assert_eq!(numbers(forced), (1, 1, 0), "{mode}");
            assert_eq!(home.rows("select n from t where id = 2"), ["1"], "{mode}");
            assert_eq!(books(home, &job), [3, 1, 1, 0, 0], "{mode}");
        }
    });
}

#[test]
fn of_several_rejects_with_one_key_the_one_counts_that_would_have_in_a_run() {
    on_both(|home| {
        home.sql(TABLE);
        for (mode, counts) in [(Mode::Upsert, "3"), (Mode::InsertIgnore, "1")] {
            for rows in [1, 2, 100] {
                home.sql("delete from t; delete from p where id > 1");
                // Of the first one, that it has no number is known before keys are compared.
                let job = home.csv_job(
                    mode,
                    "t",
                    &["id bigint", "n smallint", "p bigint"],
                    "id",
                    "id,n,p\n7,1,2\n8,1,1\n7,2,2\n7,3,2\n",
                );
                let job = job.workers(1).batch_rows(rows);
                home.run(&job);
                home.sql("insert into p values (2)");
                let replayed = replay(home, &job);
                assert_eq!(replayed.2, 0, "{mode} {rows}: {replayed:?}");
                assert_eq!(home.rows("select n from t where id = 7"), [counts], "{mode} {rows}");
                books(home, &job);
            }
        }
    });
}

#[test]
fn a_job_that_is_not_complete_has_no_replay() {
    on_both(|home| {
        home.sql(TABLE);
        let job = job(home, Mode::Append, "1,1,1\n2,1,2\n");
        let error = job.replay(home.engine(), false).unwrap_err();
        assert!(error.to_string().contains("has not run here"), "{error}");
        let limited = job.clone().max_rejects(rowmill::MaxRejects::Count(0)).batch_rows(1);
        limited.run(home.engine()).unwrap_err();
        let error = job.replay(home.engine(), false).unwrap_err();
        assert!(error.to_string().contains("not complete"), "{error}");
    });
}

#[test]
fn a_record_that_is_cut_or_has_no_shape_is_not_tried() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, note text, n integer)");
        let long = "x".repeat(2 << 20);
        let csv = format!("id,note,n\n1,{long},none\n2,short\n3,c,3\n4,d,four\n");
        let columns = ["id bigint", "note text", "n integer"];
        let job = home.csv_job(Mode::Append, "t", &columns, "id", csv);
        home.run(&job);
        let lengths = home.rows(&format!(
            "select length(raw), attempt from {} order by input_row",
            home.pick("rowmill_reject", "rowmill.reject")
        ));
        assert_eq!(lengths, ["1048576|1", "7|1", "8|1"]);
        let replayed = job.replay(home.engine(), false).unwrap();
        assert_eq!(numbers(replayed), (3, 0, 3));
        assert_eq!(replayed.truncated, 1);
        let attempts = home.rejects_of("attempt");
        let attempts: Vec<_> = attempts.iter().map(|line| &line[..1]).collect();
        assert_eq!(attempts, ["1", "1", "2"]);
    });
}

#[derive(Clone, Debug, Entity)]
#[entity(table = "t")]
struct Numbered {
    #[entity(key)]
    id: i64,
    n: i32,
}

#[test]
fn rows_that_closures_change_are_replayed_through_them() {
    on_both(|home| {
        for is_csv in [true, false] {
            home.sql("drop table if exists t; create table t (id bigint primary key, n integer)");
            home.sql("create unique index at_most_one on t (n)");
            let draft = Job::named(home.job_name());
            // What a closure leaves out by now is no reject any more.
            let leaves_out = Arc::new(AtomicBool::new(false));
            let rows = if is_csv {
                let path = home.file("n.csv", "n,id\n1,1\n1,2\n3,3\n1,9\n");
                draft.read(Csv::<Numbered>::open(path).unwrap())
            } else {
                let lines = [(1, 1), (2, 1), (3, 3), (9, 1)];
                let lines = lines.map(|(id, n)| format!("{{\"id\":{id},\"n\":{n}}}\n"));
                draft.read(Ndjson::<Numbered>::open(home.file("n.ndjson", lines.concat())).unwrap())
            };
            let job = rows
                .filter({
                    let leaves_out = Arc::clone(&leaves_out);
                    move |row| row.id != 9 || !leaves_out.load(Ordering::Relaxed)
                })
                .map(|row| Ok(Numbered { n: row.n * 10, ..row }))
                .write(Append::<Numbered>::new())
                .workers(1);
            home.run(&job);
            assert_eq!(home.rows("select id, n from t order by id"), ["1|10", "3|30"]);
            home.sql("drop index at_most_one");
            leaves_out.store(true, Ordering::Relaxed);
            assert_eq!(replay(home, &job), (2, 2, 0));
            assert_eq!(home.rows("select id, n from t order by id"), ["1|10", "2|10", "3|30"]);
            assert_eq!(books(home, &job), [4, 3, 0, 0, 0]);
        }
    });
}

#[test]
fn json_objects_are_replayed() {
    on_both(|home| {
        home.sql(TABLE);
        for mode in Mode::ALL {
            home.sql("delete from t; delete from p where id > 1");
            let column = |name, of_type| NdjsonColumn::new(Ident::new(name).unwrap(), of_type);
            let columns = vec![
                column("id", ColumnType::Int8),
                column("n", ColumnType::Int4),
                column("p", ColumnType::Int8).from("/of/p"),
            ];
            let lines = "{\"of\":{\"p\":1},\"id\":1,\"n\":1}\n{\"id\":2,\"of\":{\"p\":2}}\r\n\
                {\"id\":3,\"n\":\"x\"}\n{\"id\":4,\"id\":4}\n{\"id\":5\n";
            let name = home.job_name();
            let path = home.file(&format!("{name}.ndjson"), lines);
            let feed = NdjsonColumns::open(path, columns).unwrap();
            let plain = rowmill::Feed::columns(&feed).to_vec();
            let table = TableName::parse("t").unwrap();
            let target = Target::new(table, plain, vec!["id".to_owned()], mode).unwrap();
            let job = Job::named(name).feed(Arc::new(feed), target);
            home.run(&job);
            let refused = replay(home, &job);
            assert_eq!((refused.0, refused.1), (4, 0), "{mode}");
            home.sql("insert into p values (2)");
            let replayed = replay(home, &job);
            assert_eq!((replayed.0, replayed.1), (4, 1), "{mode}");
            assert_eq!(home.rows("select id, n, p from t order by id"), ["1|1|1", "2|NULL|2"]);
        }
    });
}

#[test]
fn a_source_whose_records_say_nothing_refuses_a_replay_and_changes_nothing() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, n integer check (n > 0))");
        let job = Job::named("numbers")
            .read(Iter::new("numbers", || (0..3).map(|n| Numbered { id: n, n: n as i32 })))
            .write(Append::<Numbered>::new());
        home.run(&job);
        let error = job.replay(home.engine(), false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().starts_with("replay of "), "{error}");
        assert_eq!(home.rejects_of("attempt"), ["1|row 1"]);
    });
}
