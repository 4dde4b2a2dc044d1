//! What is shown is run: every example on both databases says what its head promises, the
//! quickstart is one text in all its places, and the committed data is the generator's.

use crate::support::shared;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

#[expect(dead_code, reason = "an example has a main, which nobody calls here")]
#[path = "../../examples/generate_nightly.rs"]
mod generate_nightly;

/// It writes into the repository, and is no example of the library.
const TOOL: &str = "generate_nightly";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Builds the examples, however few of the tests are run, and returns where each is.
fn examples() -> &'static BTreeMap<String, PathBuf> {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        let output = Command::new(cargo)
            .args(["build", "--examples", "--all-features", "--message-format=json"])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8(output.stdout).unwrap();
        let messages = messages.lines().map(|line| serde_json::from_str(line).unwrap());
        let built: BTreeMap<_, _> = messages
            .filter(|message: &serde_json::Value| message["target"]["kind"][0] == "example")
            .filter_map(|message| {
                let name = message["target"]["name"].as_str()?.to_owned();
                Some((name, PathBuf::from(message["executable"].as_str()?)))
            })
            .filter(|(name, _)| name != TOOL)
            .collect();
        assert!(built.len() >= 5, "{:?}", built.keys());
        built
    })
}

/// The last line that an example prints.
fn last_line(example: &str, target: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(&examples()[example]);
    command.current_dir(folder.path()).env_remove("ROWMILL_TARGET");
    command.envs(target.map(|url| ("ROWMILL_TARGET", url)));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{example}: {said}");
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "{example} leaves files behind");
    String::from_utf8(output.stdout).unwrap().lines().last().unwrap_or_default().to_owned()
}

/// What the third line of an example says one should see.
fn promised(example: &str) -> String {
    let text = text(&format!("examples/{example}.rs"));
    assert!(text.lines().count() <= 80, "{example} is too long to be read");
    let head: Vec<_> = text.lines().take_while(|line| line.starts_with("//! ")).collect();
    let [_, run, see] = head[..] else { panic!("{example}: three lines at the top") };
    assert!(run.contains(&format!("cargo run --example {example}")), "{run}");
    see.split('`').nth(1).unwrap_or_else(|| panic!("{see}")).to_owned()
}

#[test]
fn an_example_says_on_sqlite_what_its_head_promises() {
    for example in examples().keys() {
        assert_eq!(last_line(example, None), promised(example), "{example}");
    }
}

#[test]
fn an_example_says_the_same_on_postgresql_also_the_second_time() {
    let server = shared().database("examples");
    for example in examples().keys() {
        for _ in 0..2 {
            assert_eq!(last_line(example, Some(&server.url())), promised(example), "{example}");
        }
    }
}

#[test]
fn reading_from_a_replica_says_the_same_where_there_is_one() {
    let trio = crate::support::trio::shared();
    let output = Command::new(&examples()["read_replica"])
        .env("ROWMILL_TARGET", trio.primary.url())
        .env("ROWMILL_REPLICA", trio.replicas[0].url())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.lines().last(), Some(promised("read_replica").as_str()));
    assert!(said.lines().any(|line| line.contains("Some(Replica)")), "{said}");
    trio.primary.sql("drop table example_readings");
}

/// The code between this line and the next that is three backticks.
fn block(text: &str, begin: &str) -> String {
    let mut lines = text.lines().skip_while(|line| *line != begin).skip(1);
    let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
    assert!(!block.is_empty(), "no block begins with {begin}");
    block.join("\n")
}

#[test]
fn the_quickstart_is_the_same_text_in_all_three_places() {
    let example = text("examples/quickstart.rs");
    let program = example.find("use rowmill::").map(|start| example[start..].trim_end()).unwrap();
    assert_eq!(block(&text("README.md"), "```rust"), program, "README.md");
    let front: Vec<_> = text("src/lib.rs")
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .map(|line| line.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default().to_owned())
        .collect();
    assert_eq!(block(&front.join("\n"), "```"), program, "src/lib.rs");
}

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

/// The rows that have a key, by it.
fn by_key(csv: &str) -> std::collections::HashMap<&str, &str> {
    let rows = csv.lines().skip(1).filter_map(|row| row.split_once(','));
    rows.filter(|(key, _)| !key.is_empty()).collect()
}
