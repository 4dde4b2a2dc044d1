//! The matrix of kills: what is written, from what and by how many workers, and `kill -9` at random moments of it;
//! beside a naive loader, which the same check convicts.
//!
//! `tests/faults job_matrix` runs it at full size: 200 kills together. `ROWMILL_FAULT_ROWS` and
//! `ROWMILL_FAULT_KILLS` set the size of each cell, `ROWMILL_FAULT_SEED` repeats an earlier run.

use crate::job_kill::{Campaign, setting};
use crate::support::Cluster;
use crate::support::loading::{Difference, Input, Place};
use std::io::Write;

/// What is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Csv,
    Table,
}

fn cell(mode: &'static str, from: From, workers: u64) {
    let cluster = Cluster::durable();
    let full = std::env::var("ROWMILL_FAULT_KILLS").is_ok();
    // Twelve cells of 17 kills are 204.
    let kills = if full { setting("ROWMILL_FAULT_KILLS", 0).max(17) } else { 2 };
    let rows = setting("ROWMILL_FAULT_ROWS", 30_000);
    let source = cluster.database("source");
    let campaign = match from {
        From::Csv => Campaign::of(mode, workers, rows, kills),
        From::Table => Campaign::of_table(&source, mode, workers, rows, kills),
    };
    campaign.run(&|| Place::Postgres(cluster.database("matrix")));
}

/// F43, batch R2, exactly-once 2d
#[test]
fn append_from_a_file_by_one_worker_survives_kills() {
    cell("append", From::Csv, 1);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn append_from_a_file_by_four_workers_survives_kills() {
    cell("append", From::Csv, 4);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn append_from_a_table_by_one_worker_survives_kills() {
    cell("append", From::Table, 1);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn append_from_a_table_by_four_workers_survives_kills() {
    cell("append", From::Table, 4);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn upsert_from_a_file_by_one_worker_survives_kills() {
    cell("upsert", From::Csv, 1);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn upsert_from_a_file_by_four_workers_survives_kills() {
    cell("upsert", From::Csv, 4);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn upsert_from_a_table_by_one_worker_survives_kills() {
    cell("upsert", From::Table, 1);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn upsert_from_a_table_by_four_workers_survives_kills() {
    cell("upsert", From::Table, 4);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn mirror_from_a_file_by_one_worker_survives_kills() {
    cell("mirror", From::Csv, 1);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn mirror_from_a_file_by_four_workers_survives_kills() {
    cell("mirror", From::Csv, 4);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn mirror_from_a_table_by_one_worker_survives_kills() {
    cell("mirror", From::Table, 1);
}

/// F43, batch R2, exactly-once 2d
#[test]
fn mirror_from_a_table_by_four_workers_survives_kills() {
    cell("mirror", From::Table, 4);
}

/// A loader as many have been written: it loads a batch, commits, and then notes in a transaction of
/// its own how far it is.
struct Naive<'a> {
    place: &'a Place<'a>,
    batches: &'a [String],
}

/// Where it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dies {
    Before,
    Between,
    After,
}

impl Naive<'_> {
    /// Goes on where the note says; dies at batch `at`, if it comes that far.
    fn run(&self, at: Option<(usize, Dies)>) {
        let Place::Postgres(database) = self.place else { unreachable!() };
        let mut client = database.connect();
        let first: i64 = client.query_one("select batch from note", &[]).unwrap().get(0);
        for (number, batch) in self.batches.iter().enumerate().skip(first as usize) {
            let dies = at.filter(|(at, _)| *at == number).map(|(_, dies)| dies);
            let mut transaction = client.transaction().unwrap();
            let mut copy = transaction.copy_in("copy lineitem from stdin (format csv)").unwrap();
            copy.write_all(batch.as_bytes()).unwrap();
            copy.finish().unwrap();
            if dies == Some(Dies::Before) {
                return;
            }
            transaction.commit().unwrap();
            if dies == Some(Dies::Between) {
                return;
            }
            client.execute("update note set batch = $1", &[&(number as i64 + 1)]).unwrap();
            if dies == Some(Dies::After) {
                return;
            }
        }
    }
}

/// F43, batch R1
#[test]
fn a_loader_that_commits_rows_and_its_note_apart_is_convicted_by_the_same_check() {
    let cluster = Cluster::start();
    // No bad rows: this loader would not survive one.
    let input = Input::lineitem(2_000, 1_000_000, false);
    let text = std::fs::read_to_string(input.path()).unwrap();
    let lines: Vec<_> = text.lines().skip(1).collect();
    let batches: Vec<_> = lines.chunks(100).map(|lines| lines.join("\n") + "\n").collect();
    let convicted = [Dies::Before, Dies::Between, Dies::After].map(|dies| {
        let place = Place::Postgres(cluster.database("naive"));
        place.create_lineitem(false);
        place.sql("create table note (batch bigint); insert into note values (0)");
        let naive = Naive { place: &place, batches: &batches };
        naive.run(Some((7, dies)));
        naive.run(None);
        input.difference(&place)
    });
    let exact = Difference::default();
    let doubled = Difference { lost: 0, duplicated: 100 };
    assert_eq!(convicted, [exact, doubled, exact]);
}
