//! Indexes that are rebuilt by a replacement: what is in the table, and what is refused, is the same.

use super::*;
use rowmill::{Indexes, MaxRejects};

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
