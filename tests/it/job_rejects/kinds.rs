//! Every kind of bad row that PostgreSQL knows, at several shares: all good rows are in, and each bad
//! one is explained as the server explains it.
//!
//! The suite runs it small. `tests/faults bad_rows` runs it with a million rows and 0, 0.01, 1, 10 and
//! 30 % of them bad, and prints a line for each kind, `BADROWS`, with the seed by which bad rows were
//! chosen and the throughput of each load as a part of that without a bad row.
//! `ROWMILL_REJECT_ROWS`, `ROWMILL_REJECT_SHARES` and `ROWMILL_FAULT_SEED` change that, and
//! `ROWMILL_REJECT_KINDS` has the names of the kinds where it is not all, with commas between.

use super::kind::{Kind, NO_TEXT, kinds};
use super::*;
use crate::support::trial::{Random, seed};
use std::fmt::Write as _;
use std::time::Instant;

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

    fn csv(&self) -> Vec<u8> {
        let mut csv = b"id,v\n".to_vec();
        for id in 1..=self.rows {
            let form = if self.is_bad(id) { self.kind.bad } else { self.kind.good };
            csv.extend_from_slice(format!("{id},").as_bytes());
            csv.extend_from_slice(&as_bytes(form, id));
            csv.push(b'\n');
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
                let value: String = as_bytes(bad, id)
                    .into_iter()
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

/// A field as it stands in the file.
fn as_bytes(form: &str, id: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in form.replace("{}", &id.to_string()).split_inclusive(NO_TEXT) {
        match part.strip_suffix(NO_TEXT) {
            Some(before) => bytes.extend([before.as_bytes(), &[0xFF]].concat()),
            None => bytes.extend_from_slice(part.as_bytes()),
        }
    }
    bytes
}

const REASON: &str = "input_row, line, stage, sqlstate, column_name, constraint_name";

/// A number, or a list of percentages, of the environment.
fn setting(name: &str, default: &str) -> Vec<f64> {
    let text = std::env::var(name).unwrap_or_else(|_| default.to_owned());
    text.split(',').map(|part| part.trim().parse().unwrap()).collect()
}

/// Puts every kind through `check`, each in a database of its own, for the tests of a store do not
/// read those of others; fails with all that did not hold.
fn each_kind(check: impl Fn(&Home, &Kind)) {
    let mut wrong = Vec::new();
    for kind in kinds() {
        let home = Home::postgres();
        let checked = std::panic::AssertUnwindSafe(|| check(&home, &kind));
        if std::panic::catch_unwind(checked).is_err() {
            wrong.push(kind.name);
        }
    }
    assert_eq!(wrong, [""; 0], "what was said of each stands above");
}

/// F52
#[test]
fn every_kind_of_bad_row_is_explained_at_every_share() {
    let rows = setting("ROWMILL_REJECT_ROWS", "2000")[0] as u64;
    let shares = setting("ROWMILL_REJECT_SHARES", "0,1,30");
    let seed = seed();
    let wanted = std::env::var("ROWMILL_REJECT_KINDS").ok();
    let is_wanted =
        |name: &str| wanted.as_ref().is_none_or(|all| all.split(',').any(|w| w == name));
    each_kind(|home, kind| {
        if !is_wanted(kind.name) {
            return;
        }
        let mut line = format!("BADROWS {:>17} rows={rows} seed={seed}", kind.name);
        let mut full = None;
        for share in &shares {
            let bad_of_million = (share * 10_000.0) as u64;
            let load = Load { home, kind, rows, bad_of_million, seed };
            let rate = load.run(Mode::Append);
            let part = rate / *full.get_or_insert(rate);
            write!(line, " | {share} %: {rate:.0}/s ({part:.2})").unwrap();
        }
        eprintln!("{line}");
    });
}

/// F52, F55
#[test]
fn every_kind_of_bad_row_is_explained_in_every_mode() {
    let seed = seed();
    each_kind(|home, kind| {
        // What is there already is passed over, deleted, or replaced by the others.
        let meets = kind.after.starts_with("insert");
        let modes = [Mode::Upsert, Mode::InsertIgnore, Mode::Mirror, Mode::Replace];
        for mode in modes.into_iter().take(if meets { 1 } else { modes.len() }) {
            Load { home, kind, rows: 300, bad_of_million: 300_000, seed }.run(mode);
        }
    });
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
