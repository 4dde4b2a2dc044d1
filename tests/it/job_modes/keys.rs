//! Duplicates, composite keys, numbers of another scale, NULL, nothing but a key.

use super::*;

/// Key 1 four times in three batches, key 2 twice in one, key 3 once.
fn repeated() -> [Item; 7] {
    [
        item(1, "a", 1.0),
        item(2, "b", 1.0),
        item(2, "c", 2.0),
        item(1, "d", 2.0),
        item(1, "e", 3.0),
        item(3, "f", 1.0),
        item(1, "g", 4.0),
    ]
}

/// batch 3.8.2
#[test]
fn the_last_row_of_a_key_wins_and_the_others_are_duplicates() {
    on_both(|home| {
        for mode in [Mode::Upsert, Mode::Mirror, Mode::Replace] {
            for batch_rows in [1, 2, 3, 100] {
                home.sql("drop table if exists items");
                home.sql(ITEMS);
                let job = typed(home, mode, &repeated()).batch_rows(batch_rows);
                let expected = Tally { read: 7, inserted: 3, duplicates: 4, ..Tally::default() };
                assert_eq!(home.run(&job), expected, "{mode}");
                assert_eq!(items(home), ["1|g|4", "2|c|2", "3|f|1"], "{mode}");
            }
        }
    });
}

#[test]
fn the_first_row_of_a_key_wins_where_later_ones_are_ignored() {
    on_both(|home| {
        for batch_rows in [1, 2, 3, 100] {
            home.sql("drop table if exists items");
            home.sql(&format!("{ITEMS}; insert into items values (3, 'old', 0)"));
            let job = typed(home, Mode::InsertIgnore, &repeated()).batch_rows(batch_rows);
            let expected =
                Tally { read: 7, inserted: 2, unchanged: 1, duplicates: 4, ..Tally::default() };
            assert_eq!(home.run(&job), expected);
            assert_eq!(items(home), ["1|a|1", "2|b|1", "3|old|0"]);
        }
    });
}

#[test]
fn append_rejects_the_second_row_of_a_key() {
    on_both(|home| {
        home.sql(ITEMS);
        let job = typed(home, Mode::Append, &repeated()).workers(1);
        let expected = Tally { read: 7, inserted: 3, rejected: 4, ..Tally::default() };
        assert_eq!(home.run(&job), expected);
        assert_eq!(items(home), ["1|a|1", "2|b|1", "3|f|1"]);
        let rejects = home.rejects_of("input_row, stage, sqlstate");
        let expected = [3, 4, 5, 7].map(|row| format!("{row}|store|23505|row {row}"));
        assert_eq!(rejects, expected);
    });
}

#[test]
fn append_rejects_the_second_row_of_a_key_also_where_the_server_casts() {
    let home = Home::postgres();
    home.sql("create table t (id bigint primary key, host inet)");
    let csv = "id,host\n1,10.0.0.1\n2,10.0.0.2\n1,10.0.0.3\n";
    let job = home.csv_job(Mode::Append, "t", &["id bigint", "host text"], "id", csv);
    let expected = Tally { read: 3, inserted: 2, rejected: 1, ..Tally::default() };
    assert_eq!(home.run(&job), expected);
    assert_eq!(home.rows("select * from t order by id"), ["1|10.0.0.1", "2|10.0.0.2"]);
    assert_eq!(home.rejects_of("input_row, sqlstate"), ["3|23505|1,10.0.0.3"]);
}

#[test]
fn all_columns_of_a_key_count() {
    on_both(|home| {
        home.sql(
            "create table t (part integer, line integer, note text, primary key (line, part)); \
             insert into t values (1, 1, 'old'), (1, 2, 'same'), (2, 2, 'gone')",
        );
        let csv = "part,line,note\n1,1,new\n1,2,same\n2,1,x\n2,1,y\n12,1,z\n1,21,w\n";
        let columns = ["part integer", "line integer", "note text"];
        let job = home.csv_job(Mode::Mirror, "t", &columns, "part line", csv).batch_rows(2);
        let expected = Tally {
            read: 6,
            inserted: 3,
            updated: 1,
            unchanged: 1,
            deleted: 1,
            duplicates: 1,
            ..Tally::default()
        };
        assert_eq!(home.run(&job), expected);
        let rows = home.rows("select part, line, note from t order by part, line");
        assert_eq!(rows, ["1|1|new", "1|2|same", "1|21|w", "2|1|y", "12|1|z"]);
    });
}

#[test]
fn numbers_that_differ_only_in_scale_are_one_key() {
    on_both(|home| {
        let of_type = home.pick("numeric(9,3)", "numeric");
        home.sql(&format!(
            "create table t (id {of_type} primary key, note text); \
             insert into t values ('7.500', 'old')"
        ));
        let csv = "id,note\n1.0,a\n1.00,b\n7.5,new\n1,c\n1.000,d\n0.1,e\n";
        for (mode, first) in [(Mode::Upsert, "d"), (Mode::Upsert, "d")] {
            let columns = [&*format!("id {of_type}"), "note text"];
            let job = home.csv_job(mode, "t", &columns, "id", csv).batch_rows(2);
            let tally = home.run(&job);
            assert_eq!((tally.duplicates, tally.rejected), (3, 0));
            let rows = home.rows("select note from t order by note");
            assert_eq!(rows, [first, "e", "new"]);
        }
        assert_eq!(home.rows("select count(*) from t"), ["3"]);
    });
}

#[test]
fn a_null_key_is_a_reject_and_no_key() {
    on_both(|home| {
        home.sql(ITEMS);
        for mode in Mode::ALL {
            home.sql("delete from items; insert into items values (5, 'five', 5)");
            let csv = "id,name,price\n1,one,1\n,none,2\n3,three,\n";
            let tally = home.run(&home.csv_job(mode, "items", &COLUMNS, "id", csv));
            assert_eq!((tally.read, tally.inserted, tally.rejected), (3, 1, 2), "{mode}");
            let deletes = matches!(mode, Mode::Mirror | Mode::Replace);
            assert_eq!(tally.deleted, u64::from(deletes), "{mode}");
        }
        for rejects in home.rejects().chunks(2) {
            assert_eq!(rejects[0], "2|3|22|precheck|23502|id|,none,2");
            assert_eq!(rejects[1], "3|4|30|precheck|23502|price|3,three,");
        }
    });
}

#[test]
fn a_table_of_nothing_but_a_key_is_never_updated() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key); insert into t values (1), (9)");
        let job = home.csv_job(Mode::Mirror, "t", &["id bigint"], "id", "id\n1\n2\n2\n3\n");
        let expected = Tally {
            read: 4,
            inserted: 2,
            unchanged: 1,
            deleted: 1,
            duplicates: 1,
            ..Tally::default()
        };
        assert_eq!(home.run(&job), expected);
        assert_eq!(home.rows("select id from t order by id"), ["1", "2", "3"]);
    });
}

#[test]
fn without_a_key_every_row_is_kept() {
    on_both(|home| {
        home.sql("create table t (n integer); insert into t values (0)");
        for (mode, deleted, rows) in [
            (Mode::Append, 0, ["0", "1", "1", "2"].as_slice()),
            (Mode::Replace, 4, ["1", "1", "2"].as_slice()),
        ] {
            let job = home.csv_job(mode, "t", &["n integer"], "", "n\n1\n1\n2\n").batch_rows(1);
            let expected = Tally { read: 3, inserted: 3, deleted, ..Tally::default() };
            assert_eq!(home.run(&job), expected, "{mode}");
            assert_eq!(home.rows("select n from t order by n"), rows, "{mode}");
        }
    });
}

/// More rows than one bucket takes: the rows of a key meet in one bucket, whatever their scale.
#[test]
fn duplicates_meet_in_one_bucket_of_many() {
    let home = Home::postgres();
    home.sql("create table t (id numeric primary key, note text)");
    let mut csv = "id,note\n".to_owned();
    for round in ["", ".0", ".00"] {
        csv.extend((0..20_000).map(|n| format!("{n}{round},{n}{round}\n")));
    }
    let job = home.csv_job(Mode::Upsert, "t", &["id numeric", "note text"], "id", csv);
    let expected = Tally { read: 60_000, inserted: 20_000, duplicates: 40_000, ..Tally::default() };
    assert_eq!(home.run(&job), expected);
    assert_eq!(home.rows("select count(*) from t where note like '%.00'"), ["20000"]);
}

/// Two ways to write one interval, or one `jsonb`, are equal and have other bytes.
#[test]
fn keys_that_are_equal_in_other_words_meet_in_one_bucket_of_many() {
    let home = Home::postgres();
    home.sql("create table t (id interval primary key, note integer)");
    let mut csv = "id,note\n".to_owned();
    csv.extend((0..30_000).map(|n| format!("{n} days,1\n")));
    csv.extend((0..30_000).map(|n| format!("{} hours,2\n", n * 24)));
    let job = home.csv_job(Mode::Upsert, "t", &["id interval", "note integer"], "id", csv);
    let expected = Tally { read: 60_000, inserted: 30_000, duplicates: 30_000, ..Tally::default() };
    assert_eq!(home.run(&job), expected);
    assert_eq!(home.rows("select count(*) from t where note = 2"), ["30000"]);
}
