//! What `status` and `rejects list` show of a job that has run.

use crate::support::{Finished, rowmill, shared};
use std::path::Path;

const JOB: &str = r#"name = "stock"
params = { night = "1" }
source = { kind = "csv", path = "in.csv" }
target = { url = "${ROWMILL_TARGET}", table = "stock", create = true, mode = "append" }
columns = { id = "bigint", name = "text" }
"#;

fn look(folder: &Path, target: &str, words: &[&str]) -> Finished {
    rowmill(words.iter().copied()).cwd(folder).env("ROWMILL_TARGET", target).finish()
}

/// Runs the job of one night, which has a bad row, in `folder`.
fn stock(folder: &Path, target: &str) {
    std::fs::write(folder.join("job.toml"), JOB).unwrap();
    std::fs::write(folder.join("in.csv"), "id,name\n1,\"a, b\"\nx,\"c \u{1b}[2J\"\n").unwrap();
    let run = look(folder, target, &["run", "job.toml"]);
    assert_eq!(run.code, Some(0), "{run}");
}

fn shows_what_ran(target: &str) {
    let folder = tempfile::tempdir().unwrap();
    stock(folder.path(), target);
    let said = |words: &[&str]| {
        let done = look(folder.path(), target, words);
        assert_eq!((done.stderr.as_str(), done.code), ("", Some(0)), "{words:?}");
        done.stdout
    };
    let reject = "line 3: convert: not an integer (22P02) [column id]: x,\"c \\u{1b}[2J\"\n";
    assert_eq!(said(&["rejects", "list", "job.toml"]), format!("stock {reject}"));
    for words in [&["rejects", "list", "stock"][..], &["rejects", "list"]] {
        assert_eq!(said(words), format!("stock (night=1) {reject}"), "{words:?}");
    }
    for words in [&["status", "job.toml"][..], &["status", "stock"], &["status"]] {
        let line = said(words);
        assert!(line.starts_with("stock (night=1) -> stock: complete since 20"), "{line}");
        let counts = ", 1 of 1 batch, 2 of 2 rows read, 1 inserted, 0 updated, 0 unchanged, \
            0 deleted, 1 rejected\n";
        assert!(line.ends_with(counts), "{line}");
    }
    for words in [&["status", "none"][..], &["rejects", "list", "none"]] {
        assert_eq!(said(words), "no such job has run here yet\n", "{words:?}");
    }
    assert_eq!(said(&["prune", "90d", "stock"]), "0 batches of 0 jobs and 0 runs are gone\n");
    let other = ["rejects", "list", "job.toml", "-p", "night=2"];
    assert_eq!(said(&other), "no such job has run here yet\n");
}

#[test]
fn what_ran_is_shown_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    shows_what_ran(&format!("sqlite:{}", folder.path().join("x.db").display()));
}

/// batch 3.9.6, exactly-once 11i
#[test]
fn what_ran_is_shown_on_postgresql() {
    shows_what_ran(&shared().database("look").url());
}

#[test]
fn a_database_without_a_job_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let database = shared().database("look_empty");
    for words in [&["status"][..], &["rejects", "list"]] {
        let done = look(folder.path(), &database.url(), words);
        assert_eq!((done.stdout.as_str(), done.code), ("no job has run here yet\n", Some(0)));
    }
}

#[test]
fn what_is_odd_about_a_url_is_told_by_every_command_and_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let database = shared().database("notes");
    let url = database.url();
    stock(folder.path(), &url);
    for words in [
        &["check", "job.toml"][..],
        &["run", "job.toml", "-p", "night=2"],
        &["status"],
        &["rejects", "list"],
    ] {
        let done = rowmill(words.iter().copied())
            .cwd(folder.path())
            .env("ROWMILL_TARGET", &url)
            .env("PGSERVICE", "warehouse")
            .finish();
        assert_eq!(done.code, Some(0), "{done}");
        let note = "note: PGSERVICE is ignored: service files are not read";
        assert_eq!(done.stderr.lines().filter(|line| *line == note).count(), 1, "{done}");
    }
}

#[test]
fn check_tells_how_many_batches_a_run_has_at_a_time_and_not_what_the_pool_bears() {
    let folder = tempfile::tempdir().unwrap();
    let database = shared().database("at_a_time");
    stock(folder.path(), &database.url());
    let unlimited = format!("{}?max_overflow=-1", database.url());
    let limited = format!("{}?pool_size=1&max_overflow=0", database.url());
    for (url, workers) in [(&unlimited, 3), (&limited, 1)] {
        let job = format!("{JOB}limits = {{ workers = 3 }}\n");
        std::fs::write(folder.path().join("job.toml"), job).unwrap();
        let done = look(folder.path(), url, &["check", "job.toml"]);
        let plan = format!("plan     2 rows in 1 batch, {workers} at a time\n");
        assert!(done.code == Some(0) && done.stdout.ends_with(&plan), "{done}");
    }
}
