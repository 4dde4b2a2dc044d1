//! The guide for who comes from Python: what it shows is what is run here, on both databases, and
//! what its queries find is what SQL written by hand finds.
//!
//! A snippet of `docs/coming-from-python.md` stands between two lines `// guide` of a file of this
//! folder.

#![expect(
    clippy::print_stdout,
    clippy::items_after_statements,
    reason = "a guide prints, and declares a struct where it is needed"
)]

mod connect; // engines, pools, tables
mod model; // entities and their tables, without a session
mod query; // what is asked
mod query_more; // joins, raw SQL, streams
mod transact; // transactions, locks, threads
mod unit; // sessions and relations

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Without the white space that all lines begin with.
fn flush_left(lines: &[&str]) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let least = lines.iter().filter(|line| !line.is_empty()).map(indent).min().unwrap_or(0);
    let cut: Vec<_> = lines.iter().map(|line| line.get(least..).unwrap_or_default()).collect();
    cut.join("\n")
}

/// What stands between pairs of the lines for which `is_begin` and `is_end` say so.
fn blocks(
    text: &str,
    is_begin: impl Fn(&str) -> bool,
    is_end: impl Fn(&str) -> bool,
) -> BTreeSet<String> {
    let mut lines = text.lines();
    let mut blocks = BTreeSet::new();
    while lines.by_ref().any(&is_begin) {
        let block: Vec<_> = lines.by_ref().take_while(|line| !is_end(line)).collect();
        blocks.insert(flush_left(&block));
    }
    blocks
}

#[test]
fn the_guide_shows_what_is_run_and_nothing_else() {
    let mut run = BTreeSet::new();
    for file in fs::read_dir(root().join("tests/it/guide")).unwrap() {
        let path = file.unwrap().path();
        if !path.ends_with("mod.rs") {
            let is_mark = |line: &str| line.trim() == "// guide";
            run.extend(blocks(&fs::read_to_string(path).unwrap(), is_mark, is_mark));
        }
    }
    let guide = fs::read_to_string(root().join("docs/coming-from-python.md")).unwrap();
    let shown = blocks(&guide, |line| line == "```rust", |line| line == "```");
    let (not_run, not_shown): (Vec<_>, Vec<_>) =
        (shown.difference(&run).collect(), run.difference(&shown).collect());
    assert!(not_run.is_empty(), "shown, and not run: {not_run:#?}");
    assert!(not_shown.is_empty(), "run, and not shown: {not_shown:#?}");
    assert!(run.len() > 30);
}
