//! Indexes that are rebuilt by a replacement: what is in the table, and what is refused, is the same.

use super::*;
use parking_lot::Mutex;
use rowmill::{Engine, Indexes, MaxRejects, Observer, Stop, StopToken, Target};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn rebuilding(home: &Home, csv: &str) -> Job {
    home.csv_target(Mode::Replace, "items", &COLUMNS, "id", csv, |target| {
        target.indexes = Indexes::Rebuild;
    })
}

/// The definitions of the indexes that somebody made.
fn indexes(home: &Home) -> Vec<String> {
    home.rows(home.pick(
        "select sql from sqlite_schema where type = 'index' and tbl_name = 'items' \
         and sql is not null order by name",
        "select indexdef from pg_indexes where schemaname = 'public' order by indexname",
    ))
}

const ALL_SORTS: &str = "create index by_price on items (price desc, id); \
     create index by_name on items (name) where name is not null; \
     create index by_length on items (length(name)); \
     create unique index by_both on items (name, price)";

/// batch 3.8.1, 3.8.5
#[test]
fn rows_counts_and_indexes_are_those_of_a_replacement_that_keeps_them() {
    on_both(|home| {
        home.sql(&format!("{ITEMS}; {ALL_SORTS}"));
        home.sql("insert into items values (1, 'one', 1), (2, 'two', 2), (9, 'nine', 9)");
        let before = indexes(home);
        assert!(before.len() >= 4, "{before:?}");
        let csv = "id,name,price\n2,two,3\n5,five,5\n5,five,6\n";
        let expected =
            Tally { read: 3, inserted: 2, deleted: 3, duplicates: 1, ..Tally::default() };
        assert_eq!(home.run(&rebuilding(home, csv)), expected);
        assert_eq!(items(home), ["2|two|3", "5|five|6"]);
        assert_eq!(indexes(home), before);
        // They are used, and know the rows.
        let found = home.rows("select id from items where price > 5");
        assert_eq!(found, ["5"]);
        assert_eq!(home.run(&rebuilding(home, csv)), Tally { deleted: 2, ..expected });
    });
}

#[test]
fn what_an_index_or_a_check_refuses_is_rejected_as_ever() {
    on_both(|home| {
        home.sql(
            "create table items (id bigint primary key, name text, \
             price double precision not null check (price >= 0))",
        );
        home.sql(ALL_SORTS);
        home.sql("insert into items values (7, 'seven', 7)");
        let csv = "id,name,price\n1,one,1\n2,one,1\n3,three,-3\n4,four,4\n";
        for indexes in [Indexes::Keep, Indexes::Rebuild] {
            let job = rebuilding(home, csv);
            let kept = home.csv_job(Mode::Replace, "items", &COLUMNS, "id", csv);
            let job = if indexes == Indexes::Keep { kept } else { job };
            let tally = home.run(&job);
            assert_eq!((tally.inserted, tally.rejected), (2, 2), "{indexes}");
            assert_eq!(items(home), ["1|one|1", "4|four|4"], "{indexes}");
        }
        let kinds = home.rejects_of("sqlstate, stage, input_row");
        assert_eq!(kinds[..2], kinds[2..], "{kinds:?}");
    });
}

#[test]
fn an_empty_source_leaves_the_table_alone_unless_the_job_says_so() {
    on_both(|home| {
        home.sql(&format!("{ITEMS}; {ALL_SORTS}"));
        home.sql("insert into items values (1, 'one', 1)");
        let before = indexes(home);
        let csv = "id,name,price\n";
        assert_eq!(home.run(&rebuilding(home, csv)), Tally::default());
        assert_eq!(items(home), ["1|one|1"]);
        let job = home.csv_target(Mode::Replace, "items", &COLUMNS, "id", csv, |target| {
            target.indexes = Indexes::Rebuild;
            target.allow_empty_source = true;
        });
        assert_eq!(home.run(&job), Tally { deleted: 1, ..Tally::default() });
        assert_eq!(items(home), [""; 0]);
        assert_eq!(indexes(home), before);
    });
}

#[test]
fn a_run_that_crosses_its_limit_at_the_end_leaves_the_rows_and_the_indexes() {
    on_both(|home| {
        home.sql(&format!("{ITEMS}; {ALL_SORTS}"));
        home.sql("insert into items values (1, 'one', 1)");
        let before = indexes(home);
        // Only the table knows that they meet.
        let job = rebuilding(home, "id,name,price\n1,one,1\n2,one,1\n");
        let error = home.fails(&job.max_rejects(MaxRejects::Count(0)));
        assert_eq!(error.kind(), ErrorKind::RejectLimit);
        assert_eq!((items(home), indexes(home)), (vec!["1|one|1".to_owned()], before));
    });
}

#[test]
fn another_mode_is_refused_before_anything_is_changed() {
    on_both(|home| {
        home.sql(ITEMS);
        let csv = "id,name,price\n1,one,1\n";
        let job = home.csv_target(Mode::Mirror, "items", &COLUMNS, "id", csv, |target| {
            target.indexes = Indexes::Rebuild;
        });
        let error = home.fails(&job);
        assert_eq!(error.kind(), ErrorKind::Config);
        let said = "indexes are rebuilt in mode replace, and the mode is mirror";
        assert_eq!(error.message(), said);
        assert_eq!(items(home), [""; 0]);
    });
}

#[test]
fn a_table_that_the_job_creates_is_filled() {
    on_both(|home| {
        let csv = "id,name,price\n1,one,1\n";
        let job = home.csv_target(Mode::Replace, "items", &COLUMNS, "id", csv, |target| {
            target.indexes = Indexes::Rebuild;
            target.create = true;
        });
        assert_eq!(home.run(&job), Tally { read: 1, inserted: 1, ..Tally::default() });
        assert_eq!(items(home), ["1|one|1"]);
    });
}

/// Whether all rows of the table are visible to everybody, and how many the planner thinks there are.
fn frozen(home: &Home) -> Vec<String> {
    home.rows(
        "select relallvisible = relpages and relpages > 0, reltuples \
         from pg_class where oid = 'items'::regclass",
    )
}

#[test]
fn the_rows_of_a_table_that_a_job_creates_are_frozen() {
    for mode in [Mode::Append, Mode::Upsert, Mode::Replace] {
        let home = Home::postgres();
        let csv = "id,name,price\n1,one,1\n2,two,2\n";
        let create = |target: &mut Target| target.create = true;
        let job = home.csv_target(mode, "items", &COLUMNS, "id", csv, create);
        assert_eq!(home.run(&job).inserted, 2);
        assert_eq!(frozen(&home), ["t|2"], "{mode}");
    }
}

/// Knows whether the run is in its last phase.
#[derive(Default)]
struct AtItsEnd(AtomicBool);

impl Observer for AtItsEnd {
    fn phase(&self, name: &str) {
        self.0.store(name == "finish", Ordering::Relaxed);
    }
}

#[test]
fn a_run_that_is_asked_to_end_behind_its_last_commit_freezes_nothing() {
    let home = Home::postgres();
    let create = |target: &mut Target| target.create = true;
    let csv = "id,name,price\n1,one,1\n";
    let job = home.csv_target(Mode::Append, "items", &COLUMNS, "id", csv, create);
    let (stop, end) = (StopToken::new(), Arc::new(AtItsEnd::default()));
    let job = job.stop(stop.clone()).observer(Arc::<AtItsEnd>::clone(&end));
    let (asked, heard) = (stop.clone(), Arc::clone(&end));
    let echo = Engine::builder(home.url()).echo(move |event| {
        if heard.0.load(Ordering::Relaxed) && event.to_string().contains("COMMIT") {
            asked.ask();
        }
    });
    let report = job.run(&echo.build().unwrap()).unwrap();
    assert_eq!((report.inserted, stop.asked()), (1, Stop::Drain));
    assert_eq!(frozen(&home), ["f|-1"]);
}

#[test]
fn the_rows_of_a_table_that_was_emptied_at_once_are_frozen() {
    let home = Home::postgres();
    home.sql(&format!("{ITEMS}; alter table items set (autovacuum_enabled = off)"));
    let csv = "id,name,price\n1,one,1\n2,two,2\n";
    let frozen = || frozen(&home);
    // Of one that is kept somebody may still read the old rows.
    let kept = home.csv_job(Mode::Replace, "items", &COLUMNS, "id", "id,name,price\n5,five,5\n");
    assert_eq!(home.run(&kept).inserted, 1);
    assert_eq!(frozen(), ["f|-1"]);
    assert_eq!(home.run(&rebuilding(&home, csv)).inserted, 2);
    assert_eq!(frozen(), ["t|2"]);
}

/// The rows of many buckets come in by one statement, unless one of them is refused.
#[test]
fn a_replacement_is_one_statement_unless_a_row_is_refused() {
    let home = Home::postgres();
    let statements = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&statements);
    let echo = Engine::builder(home.url()).echo(move |event| heard.lock().push(event.to_string()));
    let engine = echo.build().unwrap();
    home.sql("create table items (id bigint primary key, name text, price double precision)");
    let csv = |bad: &str| {
        let row = |id: i64| format!("{id},item {id},{}\n", if id == 25_000 { bad } else { "1" });
        format!("id,name,price\n{}", (1..=50_000).map(row).collect::<String>())
    };
    // How many rows came in, and by how many statements.
    let replaced = |bad: &str| {
        statements.lock().clear();
        let job = home.csv_job(Mode::Replace, "items", &COLUMNS, "id", csv(bad));
        let inserted = job.run(&engine).unwrap().inserted;
        let into = |sql: &&String| sql.contains("INSERT INTO \"items\"");
        (inserted, statements.lock().iter().filter(into).count())
    };
    assert_eq!(replaced("1"), (50_000, 1));
    home.sql("alter table items add check (price >= 0) not valid");
    let (inserted, filled) = replaced("-1");
    assert!(inserted == 49_999 && filled > 2, "{inserted} rows by {filled}");
}
