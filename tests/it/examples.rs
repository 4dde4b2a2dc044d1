//! What is shown is run: every example ends well, and the committed data is the generator's.

use crate::support::shared;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[expect(dead_code, reason = "an example has a main, which nobody calls here")]
#[path = "../../examples/generate_nightly.rs"]
mod generate_nightly;

#[test]
fn the_nights_in_the_repository_are_what_the_generator_writes() {
    let nights = [
        ("orders-2026-03-01.csv", generate_nightly::first_night()),
        ("orders-2026-03-02.csv", generate_nightly::second_night()),
    ];
    for (name, generated) in nights {
        let committed = fs::read_to_string(root().join("examples/nightly").join(name)).unwrap();
        // Not assert_eq: two megabytes of difference help nobody.
        assert!(committed == generated, "{name}: cargo run --example generate_nightly");
    }
}

#[test]
fn the_second_night_has_new_changed_missing_and_bad_rows() {
    let (first, second) = (generate_nightly::first_night(), generate_nightly::second_night());
    let (first, second) = (by_key(&first), by_key(&second));
    let gone = first.keys().filter(|key| !second.contains_key(*key)).count();
    let new = second.keys().filter(|key| !first.contains_key(*key)).count();
    let changed = second.iter().filter(|(key, row)| first.get(*key).is_some_and(|was| was != *row));
    assert!(gone > 400 && new >= 900 && changed.count() > 1_500);
}

/// Each example runs in an empty folder, with a fresh PostgreSQL database in `DATABASE_URL`.
#[test]
fn every_example_ends_well() {
    let executables = build_examples();
    assert!(!executables.is_empty());
    for executable in executables {
        let (folder, database) = (tempfile::tempdir().unwrap(), shared().database("example"));
        let output = Command::new(&executable)
            .current_dir(folder.path())
            .env("DATABASE_URL", database.url())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", executable.display());
    }
}

/// Builds the examples, however few of the tests are run, and returns where they are.
fn build_examples() -> Vec<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(cargo)
        .args(["build", "--examples", "--all-features", "--message-format=json"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let messages = messages.lines().map(|line| serde_json::from_str(line).unwrap());
    messages
        .filter(|message: &serde_json::Value| message["target"]["kind"][0] == "example")
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .collect()
}

/// The rows that have a key, by it.
fn by_key(csv: &str) -> std::collections::HashMap<&str, &str> {
    let rows = csv.lines().skip(1).filter_map(|row| row.split_once(','));
    rows.filter(|(key, _)| !key.is_empty()).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
