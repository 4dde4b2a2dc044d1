//! Rows that are tried one by one in the database end as those do that are halved: the same table, the
//! same rejects, each with the same reason. Who may not run such a block is served by halving.

use super::*;
use crate::support::trial::{Random, seed};
use rowmill::Engine;
use std::fmt::Write as _;

/// A trigger that raises and one that changes rows, and an exclusion that no query looks for, so that
/// rows meet each other.
const TABLE: &str = "create table t (id bigint primary key, v integer, w integer not null, \
     constraint apart exclude (v with =) where (v > 0)); \
     create function f() returns trigger language plpgsql as $$ begin \
     if new.v < 0 then raise 'no CANARY %', new.v; end if; \
     if new.v = 0 then new.w := 10 / new.v; end if; return new; end $$; \
     create trigger g before insert or update on t for each row execute function f()";

const COLUMNS: [&str; 3] = ["id bigint", "v integer", "w integer"];
const ROWS: u64 = 200;

/// Rows of which many are refused, for all reasons there are, and some update one that is there.
fn csv(seed: u64) -> String {
    let mut random = Random(seed);
    let mut csv = String::from("id,v,w\n");
    for id in 1..=ROWS {
        let v = match random.below(8) {
            0 => "-7".to_owned(),
            1 => "0".to_owned(),
            2 => String::new(),
            _ => (1 + random.below(130)).to_string(),
        };
        writeln!(csv, "{id},{v},{}", random.below(3)).unwrap();
    }
    csv
}

/// An engine of a user who may not write blocks.
fn without_blocks(home: &Home) -> Engine {
    let (server, database) = home.url().rsplit_once('/').unwrap();
    let address = server.rsplit_once('@').unwrap().1;
    let role = format!("halving_{database}");
    home.sql(&format!(
        "revoke usage on language plpgsql from public; create role {role} login password 'pw'; \
         grant usage, create on schema rowmill to {role}; grant all on t to {role}; \
         grant all on all tables in schema rowmill to {role}; \
         grant all on all sequences in schema rowmill to {role}"
    ));
    Engine::open(&format!("postgresql://{role}:pw@{address}/{database}")).unwrap()
}

/// The table and the rejects that a load leaves, and what it counts.
fn left(home: &Home, engine: &Engine, mode: Mode, csv: &str) -> (Tally, Vec<String>, Vec<String>) {
    home.sql("truncate t; insert into t select i, null, 7 from generate_series(1, 200, 9) i");
    let before = home.rejects_or_none().len();
    let job = home.csv_job(mode, "t", &COLUMNS, "id", csv).batch_rows(ROWS / 2).workers(1);
    let report = job.max_rejects(MaxRejects::Share(1.0)).run(engine).unwrap();
    let rejects =
        home.rejects_of("input_row, stage, sqlstate, column_name, constraint_name, message");
    (Tally::of(&report), home.rows("select * from t order by id"), rejects[before..].to_vec())
}

#[test]
fn rows_tried_one_by_one_end_as_those_that_are_halved() {
    let home = Home::postgres();
    home.sql(TABLE);
    // The ledger is there before rights are given on it.
    left(&home, home.engine(), Mode::Append, "id,v,w\n1000,1,1\n");
    let halving = without_blocks(&home);
    let seed = seed();
    let csv = csv(seed);
    for mode in [Mode::Append, Mode::InsertIgnore, Mode::Upsert] {
        let fast = left(&home, home.engine(), mode, &csv);
        let slow = left(&home, &halving, mode, &csv);
        let rejected = fast.0.rejected;
        assert!((20..ROWS - 20).contains(&rejected), "{mode}, seed {seed}: {rejected}");
        assert_eq!((fast.0, &fast.1), (slow.0, &slow.1), "{mode}, seed {seed}");
        for (fast, slow) in fast.2.iter().zip(&slow.2) {
            assert_eq!(fast, slow, "{mode}, seed {seed}");
        }
        assert!(!fast.2.iter().any(|reject| reject.contains("CANARY")), "{:?}", fast.2);
    }
}

/// A rule is for INSERT and not for COPY: rows of such a table are never stored by the other.
#[test]
fn rows_of_a_table_with_rules_are_loaded_by_copy_to_the_end() {
    let home = Home::postgres();
    home.sql(TABLE);
    home.sql(
        "create table seen (id bigint); \
              create rule r as on insert to t do also insert into seen values (new.id)",
    );
    let mut csv = String::from("id,v,w\n");
    for id in 1..=200 {
        writeln!(csv, "{id},{},1", if id % 3 == 0 { -1 } else { id }).unwrap();
    }
    let job = home.csv_job(Mode::Append, "t", &COLUMNS, "id", csv);
    let counts = home.run(&job.max_rejects(MaxRejects::Share(1.0)));
    assert_eq!(counts, tally(200, 134));
    assert_eq!(home.rows("select count(*) from seen"), ["0"]);
}
