//! Every kind of bad row that PostgreSQL knows, at several shares: all good rows are in, and each bad
//! one is explained as the server explains it.
//!
//! The suite runs it small. `tests/faults bad_rows` runs it with a million rows and 0, 0.01, 1, 10 and
//! 30 % of them bad, and prints a line for each kind, `BADROWS`, with the seed by which bad rows were
//! chosen and the throughput of each load as a part of that without a bad row.
//! `ROWMILL_REJECT_ROWS`, `ROWMILL_REJECT_SHARES` and `ROWMILL_FAULT_SEED` change that.

use super::*;
use crate::support::trial::{Random, seed};
use std::fmt::Write as _;
use std::time::Instant;

/// A kind of bad row: what the table is, which field a bad row has in place of a good one, and what
/// is said of it.
struct Kind {
    name: &'static str,
    /// The definition of column `v` and what goes with it; `t` has `id bigint` before.
    table: &'static str,
    /// What is run before and after the table is made.
    before: &'static str,
    after: &'static str,
    /// The type of the column in the job.
    of_type: &'static str,
    /// `{}` is the number of the row.
    good: &'static str,
    bad: &'static str,
    stage: &'static str,
    sqlstate: &'static str,
    column: &'static str,
    constraint: &'static str,
}

const PLAIN: Kind = Kind {
    name: "",
    table: "v integer",
    before: "",
    after: "",
    of_type: "integer",
    good: "{}",
    bad: "",
    stage: "store",
    sqlstate: "23514",
    column: "NULL",
    constraint: "NULL",
};

fn kinds() -> Vec<Kind> {
    let mut kinds = kinds_of_values();
    kinds.extend(kinds_of_constraints());
    kinds
}

/// What a value alone tells.
fn kinds_of_values() -> Vec<Kind> {
    vec![
        Kind {
            name: "not null",
            table: "v integer not null",
            stage: "precheck",
            sqlstate: "23502",
            column: "v",
            ..PLAIN
        },
        Kind {
            name: "too long",
            table: "v varchar(9)",
            of_type: "varchar(9)",
            bad: "abcdefghi\u{e9}",
            good: "abcdefgh\u{e9}",
            stage: "precheck",
            sqlstate: "22001",
            column: "v",
            ..PLAIN
        },
        Kind {
            name: "numeric overflow",
            table: "v numeric(9,2)",
            of_type: "numeric(9,2)",
            bad: "9999999.995",
            good: "9999999.994",
            stage: "precheck",
            sqlstate: "22003",
            column: "v",
            ..PLAIN
        },
        Kind {
            name: "invalid text",
            bad: "none",
            stage: "convert",
            sqlstate: "22P02",
            column: "v",
            ..PLAIN
        },
        Kind {
            name: "enum label",
            before: "create type mood as enum ('sad', 'glad')",
            table: "v mood",
            of_type: "text",
            good: "sad",
            bad: "mad",
            stage: "convert",
            sqlstate: "22P02",
            column: "v",
            ..PLAIN
        },
    ]
}

/// What only the database can tell.
fn kinds_of_constraints() -> Vec<Kind> {
    vec![
        Kind {
            name: "check",
            table: "v integer constraint positive check (v > 0)",
            bad: "-{}",
            constraint: "positive",
            ..PLAIN
        },
        Kind {
            name: "domain check",
            before: "create domain positive as integer constraint above_0 check (value > 0)",
            table: "v positive",
            bad: "-{}",
            column: "v",
            constraint: "above_0",
            ..PLAIN
        },
        Kind {
            name: "unique",
            table: "v integer constraint once unique",
            after: "insert into t values (0, 0)",
            bad: "0",
            sqlstate: "23505",
            constraint: "once",
            ..PLAIN
        },
        Kind {
            name: "deferred unique",
            table: "v integer constraint once unique deferrable initially deferred",
            after: "insert into t values (0, 0)",
            bad: "0",
            sqlstate: "23505",
            constraint: "once",
            ..PLAIN
        },
        Kind {
            name: "foreign key",
            before: "create table p (id integer primary key); \
                     insert into p select generate_series(1, 100)",
            table: "v integer constraint parent references p",
            good: "7",
            bad: "{}00000",
            sqlstate: "23503",
            constraint: "parent",
            ..PLAIN
        },
        Kind {
            name: "trigger",
            after: "create function f() returns trigger language plpgsql as $$ begin \
                    if new.v < 0 then raise 'below'; end if; return new; end $$; \
                    create trigger g before insert on t for each row execute function f()",
            bad: "-{}",
            sqlstate: "P0001",
            ..PLAIN
        },
        Kind {
            name: "exclusion",
            table: "v integer, constraint apart exclude (v with =)",
            after: "insert into t values (0, 0)",
            bad: "0",
            sqlstate: "23P01",
            constraint: "apart",
            ..PLAIN
        },
    ]
}

/// One load.
struct Load<'a> {
    home: &'a Home,
    kind: &'a Kind,
    rows: u64,
    /// So many rows of a million are bad, roughly.
    bad_of_million: u64,
    seed: u64,
}

impl Load<'_> {
    /// Bad rows are anywhere, and the first and the last row are among them.
    fn is_bad(&self, id: u64) -> bool {
        let chosen = || Random(self.seed ^ (id << 20)).below(1_000_000) < self.bad_of_million;
        self.bad_of_million > 0 && (id == 1 || id == self.rows || chosen())
    }

    fn csv(&self) -> String {
        let mut csv = String::from("id,v\n");
        for id in 1..=self.rows {
            let form = if self.is_bad(id) { self.kind.bad } else { self.kind.good };
            let value = form.replace("{}", &id.to_string());
            writeln!(csv, "{id},{value}").unwrap();
        }
        csv
    }

    /// Runs it, and returns rows a second.
    fn run(&self, mode: Mode) -> f64 {
        let Self { home, kind, rows, .. } = *self;
        home.sql("drop table if exists t; drop table if exists p; drop type if exists mood");
        home.sql("drop domain if exists positive; drop function if exists f() cascade");
        home.sql(kind.before);
        home.sql(&format!("create table t (id bigint primary key, {})", kind.table));
        home.sql(kind.after);
        let there = u64::from(kind.after.starts_with("insert"));
        let column = format!("v {}", kind.of_type);
        let job = home.csv_job(mode, "t", &["id bigint", &column], "id", self.csv());
        let before = home.rejects_or_none().len();
        let bad = (1..=rows).filter(|&id| self.is_bad(id)).count() as u64;
        let begun = Instant::now();
        let counts = home.run(&job.max_rejects(MaxRejects::Count(bad)).workers(2));
        let seconds = begun.elapsed().as_secs_f64();
        let (of_million, seed) = (self.bad_of_million, self.seed);
        let told = format!("{} {mode}, {of_million} of a million bad, seed {seed}", kind.name);
        assert_eq!(counts, tally(rows, rows - bad), "{told}");
        let good = rows - bad + there;
        let sum = "select count(*), count(distinct id) from t";
        assert_eq!(home.rows(sum), [format!("{good}|{good}")], "{told}");
        self.assert_explained(&home.rejects_of(REASON)[before..], &told);
        rows as f64 / seconds
    }

    /// Each bad row is in the store, once, with its own place and the server's reason.
    fn assert_explained(&self, rejects: &[String], told: &str) {
        let Kind { bad, stage, sqlstate, column, constraint, .. } = self.kind;
        let expected: Vec<_> = (1..=self.rows)
            .filter(|&id| self.is_bad(id))
            .map(|id| {
                let value: String = bad
                    .replace("{}", &id.to_string())
                    .bytes()
                    .map(|byte| match byte {
                        b' '..=b'~' => char::from(byte).to_string(),
                        other => std::ascii::escape_default(other).to_string(),
                    })
                    .collect();
                let line = id + 1;
                format!("{id}|{line}|{stage}|{sqlstate}|{column}|{constraint}|{id},{value}")
            })
            .collect();
        assert_eq!(rejects.len(), expected.len(), "{told}");
        for (reject, expected) in rejects.iter().zip(&expected) {
            assert_eq!(reject, expected, "{told}");
        }
    }
}

const REASON: &str = "input_row, line, stage, sqlstate, column_name, constraint_name";

/// A number, or a list of percentages, of the environment.
fn setting(name: &str, default: &str) -> Vec<f64> {
    let text = std::env::var(name).unwrap_or_else(|_| default.to_owned());
    text.split(',').map(|part| part.trim().parse().unwrap()).collect()
}

/// F52
#[test]
fn every_kind_of_bad_row_is_explained_at_every_share() {
    let rows = setting("ROWMILL_REJECT_ROWS", "2000")[0] as u64;
    let shares = setting("ROWMILL_REJECT_SHARES", "0,1,30");
    let seed = seed();
    for kind in kinds() {
        // A database each: the tests of a store do not read those of others.
        let home = Home::postgres();
        let mut line = format!("BADROWS {:>16} rows={rows} seed={seed}", kind.name);
        let mut full = None;
        for share in &shares {
            let bad_of_million = (share * 10_000.0) as u64;
            let load = Load { home: &home, kind: &kind, rows, bad_of_million, seed };
            let rate = load.run(Mode::Append);
            let part = rate / *full.get_or_insert(rate);
            write!(line, " | {share} %: {rate:.0}/s ({part:.2})").unwrap();
        }
        eprintln!("{line}");
    }
}

/// F52
#[test]
fn every_kind_of_bad_row_is_explained_in_modes_that_stage() {
    for kind in kinds() {
        let home = Home::postgres();
        // By a stage, nobody knows the column of a domain's check but the queries that look for it.
        for mode in [Mode::Upsert, Mode::Replace] {
            let load =
                Load { home: &home, kind: &kind, rows: 300, bad_of_million: 300_000, seed: seed() };
            if mode == Mode::Replace && kind.after.starts_with("insert") {
                continue;
            }
            load.run(mode);
        }
    }
}

/// F52.
/// The checker itself: a reject that is told with another reason, or not at all, is noticed.
#[test]
fn a_wrong_reason_and_a_missing_reject_are_noticed() {
    let home = Home::postgres();
    let kinds = kinds();
    let check = kinds.iter().find(|kind| kind.name == "check").unwrap();
    let load = Load { home: &home, kind: check, rows: 50, bad_of_million: 100_000, seed: seed() };
    load.run(Mode::Append);
    let rejects = home.rejects_of(REASON);
    load.assert_explained(&rejects, "as it is");
    let caught = |rejects: &[String]| {
        let rejects = rejects.to_vec();
        let checked = std::panic::AssertUnwindSafe(|| load.assert_explained(&rejects, "planted"));
        std::panic::catch_unwind(checked).is_err()
    };
    assert!(caught(&rejects[1..]));
    for (right, wrong) in [("23514", "23505"), ("positive", "other"), ("|2|", "|3|"), ("-1", "-2")]
    {
        let mut planted = rejects.clone();
        planted[0] = planted[0].replacen(right, wrong, 1);
        assert_ne!(planted, rejects, "{right}");
        assert!(caught(&planted), "{right} -> {wrong}");
    }
}
