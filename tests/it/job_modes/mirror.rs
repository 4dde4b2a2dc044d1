//! What mirror deletes, and what it never does.

use super::*;
use rowmill::{Error, MaxRejects};

const BEFORE: &str = "create table items (id bigint primary key, name varchar(5) not null, \
    price double precision not null check (price >= 0)); \
    insert into items values (1, 'one', 1), (2, 'two', 2), (3, 'three', 3), (9, 'nine', 9)";

const SHORT_NAME: [&str; 3] = ["id bigint", "name varchar(5)", "price double precision"];

#[test]
fn an_empty_source_deletes_nothing() {
    on_both(|home| {
        home.sql(BEFORE);
        for mode in [Mode::Mirror, Mode::Replace] {
            let job = home.csv_job(mode, "items", &COLUMNS, "id", "id,name,price\n");
            assert_eq!(home.run(&job), Tally::default(), "{mode}");
            assert_eq!(home.run(&typed(home, mode, &[])), Tally::default(), "{mode}");
            assert_eq!(items(home).len(), 4, "{mode}");
        }
    });
}

#[test]
fn an_empty_source_empties_the_table_where_the_job_says_so() {
    on_both(|home| {
        for mode in [Mode::Mirror, Mode::Replace] {
            home.sql("drop table if exists items");
            home.sql(BEFORE);
            let csv = "id,name,price\n";
            let job = home.csv_target(mode, "items", &COLUMNS, "id", csv, |target| {
                target.allow_empty_source = true;
            });
            assert_eq!(home.run(&job), Tally { deleted: 4, ..Tally::default() }, "{mode}");
            assert_eq!(items(home).len(), 0, "{mode}");
        }
    });
}

#[test]
fn the_key_of_a_rejected_row_is_not_deleted() {
    on_both(|home| {
        home.sql(BEFORE);
        // No number, too long, a CHECK; and a row that is fine.
        let csv = "price,name,id\ncheap,one,1\n2,too long,2\n-3,three,3\n4,four,4\n";
        let job = home.csv_job(Mode::Mirror, "items", &SHORT_NAME, "id", csv).batch_rows(2);
        let expected = Tally { read: 4, inserted: 1, deleted: 1, rejected: 3, ..Tally::default() };
        assert_eq!(home.run(&job), expected);
        assert_eq!(items(home), ["1|one|1", "2|two|2", "3|three|3", "4|four|4"]);
    });
}

#[test]
fn a_key_that_is_none_names_no_row() {
    on_both(|home| {
        home.sql(BEFORE);
        let csv = "id,name,price\nten,one,1\n,two,2\n3,three,3\n";
        let job = home.csv_job(Mode::Mirror, "items", &SHORT_NAME, "id", csv);
        let expected = Tally { read: 3, unchanged: 1, deleted: 3, rejected: 2, ..Tally::default() };
        assert_eq!(home.run(&job), expected);
        assert_eq!(items(home), ["3|three|3"]);
    });
}

/// A quote that is closed too late makes one record of several, which is one reject; a record may
/// also end before its key. Nobody knows which keys they name.
#[test]
fn nothing_is_deleted_while_a_record_hides_its_keys() {
    on_both(|home| {
        for (header, broken) in [
            ("id,name,price\n4,four,4\n", "1,\"one,1\n2,two,2\n3,three\",3,\n"),
            ("price,name,id\n4,four,4\n", "3,three\n"),
        ] {
            home.sql("drop table if exists items");
            home.sql(BEFORE);
            let csv = format!("{header}{broken}");
            let job = home.csv_job(Mode::Mirror, "items", &SHORT_NAME, "id", &csv).batch_rows(1);
            let tally = home.run(&job);
            assert_eq!((tally.inserted, tally.deleted, tally.rejected), (1, 0, 1), "{broken}");
            assert_eq!(items(home).len(), 5, "{broken}");
        }
    });
}

#[test]
fn a_broken_record_of_one_line_names_the_key_in_its_place() {
    on_both(|home| {
        for broken in ["1,one,1,1\n", "1\n"] {
            home.sql("drop table if exists items");
            home.sql(BEFORE);
            let csv = format!("id,name,price\n4,four,4\n{broken}");
            let job = home.csv_job(Mode::Mirror, "items", &SHORT_NAME, "id", &csv).batch_rows(1);
            let tally = home.run(&job);
            assert_eq!((tally.inserted, tally.deleted, tally.rejected), (1, 3, 1), "{broken}");
            assert_eq!(items(home).len(), 2, "{broken}");
        }
    });
}

#[test]
fn nothing_is_deleted_while_a_closure_hides_a_key() {
    on_both(|home| {
        home.sql(BEFORE);
        let refuse = || Error::new(ErrorKind::Decode, "this one is not for us");
        let rows = [item(1, "one", 1.0), item(3, "new", 3.0)];
        let job = Job::named("closure")
            .read(Iter::new("items", move || rows.clone()))
            .map(move |item: Item| if item.id == 1 { Err(refuse()) } else { Ok(item) })
            .write(Mirror::<Item>::new())
            .batch_rows(1);
        let expected = Tally { read: 2, updated: 1, rejected: 1, ..Tally::default() };
        assert_eq!(home.run(&job), expected);
        assert_eq!(items(home), ["1|one|1", "2|two|2", "3|new|3", "9|nine|9"]);
    });
}

/// A row of an entity whose column before the key cannot be packed.
#[derive(Clone, Debug, Entity)]
#[entity(table = "items")]
struct NameFirst {
    #[entity(column_type = "varchar(5)")]
    name: String,
    #[entity(key)]
    id: i64,
    price: f64,
}

#[test]
fn a_row_that_cannot_be_packed_before_its_key_is_not_deleted() {
    on_both(|home| {
        home.sql(BEFORE);
        let rows = [(1, "too long"), (2, "two")].map(|(id, name)| NameFirst {
            name: name.to_owned(),
            id,
            price: 2.0,
        });
        let job = Job::named("packed")
            .read(Iter::new("items", move || rows.clone()))
            .write(Mirror::<NameFirst>::new());
        let tally = home.run(&job);
        assert_eq!((tally.unchanged, tally.rejected), (1, 1));
        assert_eq!(items(home)[0], "1|one|1");
    });
}

#[test]
fn mirror_with_nothing_but_rejects_deletes_no_key_that_was_named() {
    on_both(|home| {
        home.sql(BEFORE);
        let csv = "id,name,price\n1,one,-1\n2,two,-1\n3,three,-1\n9,nine,-1\n";
        let job = home.csv_job(Mode::Mirror, "items", &SHORT_NAME, "id", csv);
        let tally = home.run(&job.max_rejects(MaxRejects::Share(1.0)));
        assert_eq!(tally, Tally { read: 4, rejected: 4, ..Tally::default() });
        assert_eq!(items(home).len(), 4);
    });
}

#[test]
fn a_row_that_others_point_to_stops_the_run_until_they_do_not() {
    on_both(|home| {
        home.sql(BEFORE);
        home.sql("create table o (item bigint references items (id)); insert into o values (9)");
        let csv = "id,name,price\n1,one,1\n2,two,2\n3,drei,3\n";
        let job = home.csv_job(Mode::Mirror, "items", &SHORT_NAME, "id", csv);
        let error = home.fails(&job);
        assert_eq!(error.sqlstate().unwrap().code(), "23503");
        assert_eq!(items(home).len(), 4);
        home.sql("delete from o");
        let expected = Tally { read: 3, updated: 1, unchanged: 2, deleted: 1, ..Tally::default() };
        assert_eq!(home.run(&job), expected);
        assert_eq!(items(home), ["1|one|1", "2|two|2", "3|drei|3"]);
    });
}
