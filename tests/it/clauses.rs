//! Every clause of what a batch promises has a test that names it.
//!
//! - `list`:    the clauses, half a line of meaning each, and those that no test names, with the reason
//! - `planted`: the mistakes that `tests/planted` builds, and who has to notice them
//!
//! A test names a clause in its comment: the word of the page, and the number behind it.
//!
//! ```text
//! batch R6, 3.5.1            the contract of batches
//! exactly-once 2b            what is built on it
//! F43                        an experiment with a fault
//! pool-contract R6           the contract of the pool, which is not held to a list here
//! ```

mod list;
mod planted;

use list::{CLAUSES, EXCEPTIONS};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Clauses by their names, and the tests that name them.
type Named = BTreeMap<String, Vec<String>>;

#[test]
fn every_clause_is_named_by_a_test_or_excepted_with_a_reason() {
    let named = named_in(&sources());
    let faults = faults(&named, CLAUSES, EXCEPTIONS);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_clause_without_a_test_and_one_that_is_none_are_found() {
    let sources = [("a.rs".to_owned(), "/// batch R1\n#[test]\nfn one() {}\n".to_owned())];
    let clauses: &[(&str, &str)] = &[("batch R1", "one"), ("batch R2", "two"), ("faults F1", "1")];
    let excepted: &[(&str, &str)] = &[("faults F1", "a reason"), ("batch R1", "a reason")];
    let found = faults(&named_in(&sources), clauses, excepted).join("\n");
    assert!(found.contains("batch R2 (two): no test names it"), "{found}");
    assert!(found.contains("batch R1: excepted, and a.rs::one names it"), "{found}");
    assert!(!found.contains("F1"), "{found}");
    let found = faults(&named_in(&sources), &[], &[("batch R9", "a reason")]).join("\n");
    assert!(found.contains("batch R1: a.rs::one names it, and it is no clause"), "{found}");
    assert!(found.contains("batch R9: excepted, and no clause"), "{found}");
}

#[test]
fn what_a_comment_names_is_told_page_by_page() {
    let named = |comment: &str| {
        let text = format!("{comment}\n#[test]\nfn one() {{}}\n");
        named_in(&[("a.rs".to_owned(), text)]).into_keys().collect::<Vec<_>>()
    };
    assert_eq!(
        named("/// batch R1, R12 and 3.5.1; F5.\n/// F43, exactly-once 2b: said."),
        ["batch 3.5.1", "batch R1", "batch R12", "exactly-once 2b", "faults F43", "faults F5"]
    );
    assert_eq!(named("/// pool-contract R6, A2: a batch R is none, and 3.5 is a number."), [""; 0]);
    // A comment of anything but a test names nothing.
    assert_eq!(named("/// batch R1\nfn other() {}\n"), [""; 0]);
}

/// What is wrong with who names what.
fn faults(named: &Named, clauses: &[(&str, &str)], excepted: &[(&str, &str)]) -> Vec<String> {
    let all: BTreeSet<_> = clauses.iter().map(|(name, _)| *name).collect();
    let reasons: BTreeMap<_, _> = excepted.iter().copied().collect();
    let missing = clauses
        .iter()
        .filter(|(name, _)| !named.contains_key(*name) && !reasons.contains_key(name))
        .map(|(name, meaning)| format!("{name} ({meaning}): no test names it"));
    let unknown = named
        .iter()
        .filter(|(name, _)| !all.contains(name.as_str()))
        .map(|(name, tests)| format!("{name}: {} names it, and it is no clause", tests[0]));
    let idle = reasons.keys().filter_map(|name| match named.get(*name) {
        Some(tests) => Some(format!("{name}: excepted, and {} names it", tests[0])),
        None => (!all.contains(name)).then(|| format!("{name}: excepted, and no clause")),
    });
    missing.chain(unknown).chain(idle).collect()
}

fn named_in(sources: &[(String, String)]) -> Named {
    let mut named = Named::new();
    for (path, text) in sources {
        let (mut comment, mut is_test) = (String::new(), false);
        for line in text.lines().map(str::trim) {
            if let Some(words) = line.strip_prefix("///") {
                comment.extend([words, "\n"]);
            } else if line.starts_with("#[") || (is_test && !line.contains("fn ")) {
                is_test |= line == "#[test]";
            } else {
                if let Some(test) = name_of(line).filter(|_| is_test) {
                    for clause in clauses_of(&comment) {
                        named.entry(clause).or_default().push(format!("{path}::{test}"));
                    }
                }
                comment.clear();
                is_test = false;
            }
        }
    }
    named
}

fn name_of(line: &str) -> Option<&str> {
    let rest = line.split_once("fn ")?.1;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

/// The clauses that a comment names. A page counts as long as nothing but its numbers follow.
fn clauses_of(comment: &str) -> Vec<String> {
    let (mut page, mut found) = (None, Vec::new());
    for word in comment.split_whitespace() {
        let bare = word.trim_end_matches(['.', ',', ';', ':', ')']);
        let number = bare.trim_start_matches('(');
        if is_numbered(number, "F") {
            found.push(format!("faults {number}"));
            continue;
        }
        page = match (bare, page) {
            ("batch" | "exactly-once", _) => Some(bare),
            ("and", page) => page,
            (_, Some(of)) if is_number_of(of, number) => {
                found.push(format!("{of} {number}"));
                page
            }
            _ => None,
        };
    }
    found
}

fn is_number_of(page: &str, word: &str) -> bool {
    let is_section =
        || word.contains('.') && word.split('.').all(|part| part.parse::<u8>().is_ok());
    match page {
        "batch" => is_numbered(word, "R") || is_section(),
        _ => word
            .strip_suffix(|letter: char| letter.is_ascii_lowercase())
            .is_some_and(|number| number.parse::<u8>().is_ok()),
    }
}

fn is_numbered(word: &str, letter: &str) -> bool {
    word.strip_prefix(letter).is_some_and(|number| number.parse::<u8>().is_ok())
}

/// The text of every file in which there may be tests.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["src", "tests/it"] {
        collect(&root.join(folder), &mut found);
    }
    assert!(found.len() > 300, "only {} files found: is this the right folder?", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            collect(&entry, found);
        } else if entry.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&entry).unwrap();
            found.push((entry.display().to_string(), text));
        }
    }
}
