//! Rows that are judged by queries end as those do that come alone, each in a batch of its own: the
//! same table, the same rejects, each with the same reason.

use super::*;
use crate::support::Counted;
use crate::support::trial::{Random, seed};
use std::fmt::Write as _;

/// Constraints over what the database makes of the columns that rows carry.
const TABLE: &str = "create table t (id bigint primary key, v integer, \"Word\" text, \
     g smallint generated always as (v * 2) stored constraint small check (g < 60), \
     n integer generated always as (nullif(v, 7)) stored not null); \
     create unique index folded on t (lower(\"Word\")); \
     create unique index part on t ((v + 1), g) where \"Word\" > 'k' and id > 0";

const COLUMNS: [&str; 3] = ["id bigint", "v integer", "Word text"];
const ROWS: u64 = 200;

/// Rows of which many break one of the constraints or several, and meet each other.
fn csv(seed: u64) -> String {
    let mut random = Random(seed);
    let mut csv = String::from("id,v,Word\n");
    for id in 1..=ROWS {
        // Some of each kind there are, whatever the seed is.
        let v = match id % 20 {
            0 => 7,
            10 => 0,
            _ => random.below(33),
        };
        write!(csv, "{id},{v}").unwrap();
        let letter = |random: &mut Random| char::from(b'a' + random.below(26) as u8);
        let word = match random.below(4) {
            0 => String::new(),
            1 => letter(&mut random).to_ascii_uppercase().to_string(),
            _ => [letter(&mut random), letter(&mut random)].iter().collect(),
        };
        writeln!(csv, ",{word}").unwrap();
    }
    csv
}

const REASON: &str = "input_row, sqlstate, message, column_name, constraint_name";

/// The table and the rejects that a load leaves, and how many rows were tried one by one by the database.
fn left(home: &Home, csv: &str, batch_rows: u64) -> (Vec<String>, Vec<String>, usize) {
    home.sql("truncate t");
    let before = home.rejects_or_none().len();
    let job = home.csv_job(Mode::Append, "t", &COLUMNS, "id", csv).batch_rows(batch_rows);
    let counted = Counted::on(home);
    job.workers(1).max_rejects(MaxRejects::Share(1.0)).run(&counted.engine).unwrap();
    let blocks = counted.take().iter().filter(|sql| sql.starts_with("DO ")).count();
    let rejects = home.rejects_of(REASON)[before..].to_vec();
    (home.rows("select * from t order by id"), rejects, blocks)
}

/// batch 3.5.3
#[test]
fn what_expressions_refuse_is_found_by_queries_as_if_each_row_came_alone() {
    let home = Home::postgres();
    home.sql(TABLE);
    let seed = seed();
    let csv = csv(seed);
    let (table, rejects, _) = left(&home, &csv, 1);
    for constraint in ["small", "NULL", "folded", "part"] {
        let of = |reject: &&String| reject.split('|').nth(4) == Some(constraint);
        assert!(rejects.iter().filter(of).count() > 1, "{constraint}, seed {seed}");
    }
    let (judged, refused, blocks) = left(&home, &csv, ROWS);
    assert_eq!(rejects, refused, "seed {seed}");
    assert_eq!((table, 0), (judged, blocks), "seed {seed}");
}

/// A made column that cannot be computed for some row says nothing of the others.
#[test]
fn where_an_expression_cannot_be_computed_the_database_looks_at_each_row() {
    let home = Home::postgres();
    home.sql(
        "create table t (id bigint primary key, v integer, \"Word\" text, \
         g integer generated always as (100 / v) stored constraint small check (g < 60))",
    );
    let seed = seed();
    let csv = csv(seed);
    let (table, rejects, _) = left(&home, &csv, 1);
    assert!(rejects.iter().any(|reject| reject.contains("22012")), "seed {seed}");
    let (tried, refused, _) = left(&home, &csv, ROWS);
    assert_eq!((table, rejects), (tried, refused), "seed {seed}");
}
