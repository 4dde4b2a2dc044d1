//! Empty, partly filled and equal targets.

use super::*;

const ALL: [Mode; 5] = Mode::ALL;

fn source() -> [Item; 4] {
    [
        item(1, "one", 1.5),
        item(2, "", 0.0),
        Item { id: 3, name: None, price: -2.25 },
        item(4, "four, \u{fc}", 1e300),
    ]
}

fn source_rows(home: &Home) -> Vec<String> {
    let large = home.pick(
        "4|four, \u{fc}|1000000000000000000000000000000000000000000000000000000000000000000000000000\
         0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
         0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
         0000000000000000000000000000000000000000000",
        "4|four, \u{fc}|1e+300",
    );
    ["1|one|1.5", "2||0", "3|NULL|-2.25", large].map(str::to_owned).to_vec()
}

/// Runs `mode` on a table with `before` in it, from a typed source and from a file.
fn both_ways(home: &Home, mode: Mode, before: &str, check: impl Fn(Tally)) {
    for from_file in [false, true] {
        home.sql("drop table if exists items");
        home.sql(&format!("{ITEMS}; {before}"));
        let rows = source();
        let job = match from_file {
            true => home.csv_job(mode, "items", &COLUMNS, "id", csv(&rows)).batch_rows(3),
            false => typed(home, mode, &rows),
        };
        check(home.run(&job));
    }
}

/// batch 3.8.1
#[test]
fn every_mode_fills_an_empty_table() {
    on_both(|home| {
        for mode in ALL {
            both_ways(home, mode, "", |tally| {
                assert_eq!(tally, Tally { read: 4, inserted: 4, ..Tally::default() }, "{mode}");
                assert_eq!(items(home), source_rows(home), "{mode}");
            });
        }
    });
}

const EQUAL: &str = "insert into items values (1, 'one', 1.5), (2, '', 0), (3, null, -2.25), \
    (4, 'four, \u{fc}', 1e300)";

/// batch 3.8.4
#[test]
fn every_mode_tells_what_it_did_on_an_equal_table() {
    on_both(|home| {
        for mode in ALL {
            let expected = match mode {
                Mode::Append => Tally { read: 4, rejected: 4, ..Tally::default() },
                Mode::Replace => Tally { read: 4, inserted: 4, deleted: 4, ..Tally::default() },
                _ => Tally { read: 4, unchanged: 4, ..Tally::default() },
            };
            both_ways(home, mode, EQUAL, |tally| {
                assert_eq!(tally, expected, "{mode}");
                assert_eq!(items(home), source_rows(home), "{mode}");
            });
        }
    });
}

/// Equal, another text, NULL where there is a value, a value where there is NULL, and one that the
/// source does not have.
const PARTLY: &str = "insert into items values (1, 'one', 1.5), (2, null, 0), (3, '', -2.25), \
    (9, 'nine', 9)";

/// batch 3.8.1
#[test]
fn append_takes_what_is_new_and_rejects_what_is_there() {
    on_both(|home| {
        both_ways(home, Mode::Append, PARTLY, |tally| {
            assert_eq!(tally, Tally { read: 4, inserted: 1, rejected: 3, ..Tally::default() });
            let mut expected = source_rows(home);
            expected[1] = "2|NULL|0".to_owned();
            expected[2] = "3||-2.25".to_owned();
            expected.push("9|nine|9".to_owned());
            assert_eq!(items(home), expected);
        });
    });
}

#[test]
fn insert_ignore_takes_what_is_new_and_passes_over_what_is_there() {
    on_both(|home| {
        both_ways(home, Mode::InsertIgnore, PARTLY, |tally| {
            assert_eq!(tally, Tally { read: 4, inserted: 1, unchanged: 3, ..Tally::default() });
            assert_eq!(items(home)[1], "2|NULL|0");
        });
    });
}

/// batch 3.8.4
#[test]
fn upsert_changes_what_differs_also_from_and_to_null() {
    on_both(|home| {
        both_ways(home, Mode::Upsert, PARTLY, |tally| {
            let expected =
                Tally { read: 4, inserted: 1, updated: 2, unchanged: 1, ..Tally::default() };
            assert_eq!(tally, expected);
            let mut expected = source_rows(home);
            expected.push("9|nine|9".to_owned());
            assert_eq!(items(home), expected);
        });
    });
}

#[test]
fn mirror_makes_the_table_the_source() {
    on_both(|home| {
        both_ways(home, Mode::Mirror, PARTLY, |tally| {
            let expected = Tally { inserted: 1, updated: 2, unchanged: 1, deleted: 1, ..read(4) };
            assert_eq!(tally, expected);
            assert_eq!(items(home), source_rows(home));
        });
    });
}

#[test]
fn replace_makes_the_table_the_source() {
    on_both(|home| {
        both_ways(home, Mode::Replace, PARTLY, |tally| {
            assert_eq!(tally, Tally { inserted: 4, deleted: 4, ..read(4) });
            assert_eq!(items(home), source_rows(home));
        });
    });
}

fn read(read: u64) -> Tally {
    Tally { read, ..Tally::default() }
}

#[test]
fn rows_that_a_closure_leaves_out_are_counted_and_not_written() {
    on_both(|home| {
        home.sql(ITEMS);
        let rows = source();
        let job = Job::named("filtered")
            .read(Iter::new("items", move || rows.clone()))
            .filter(|item: &Item| item.id % 2 == 1)
            .map(|item| Ok(Item { price: item.price * 2.0, ..item }))
            .write(Upsert::<Item>::new())
            .batch_rows(3);
        assert_eq!(home.run(&job), Tally { inserted: 2, filtered: 2, ..read(4) });
        assert_eq!(items(home), ["1|one|3", "3|NULL|-4.5"]);
    });
}

#[test]
fn a_complete_job_says_so_and_writes_nothing() {
    on_both(|home| {
        home.sql(ITEMS);
        let job = typed(home, Mode::Mirror, &source());
        let first = home.run(&job);
        home.sql("delete from items where id = 1");
        let report = job.run(home.engine()).unwrap();
        assert_eq!(report.status, rowmill::Status::AlreadyComplete);
        assert_eq!(Tally::of(&report), first);
        assert_eq!(items(home).len(), 3);
    });
}
