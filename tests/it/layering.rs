//! Who may know whom: all of `src/` is held to the table of the architecture.
//!
//! - `table`:   the layers, and the one door of each foreign crate
//! - `scanner`: the paths that a source file names
//!
//! The rules are tested twice: on the tree as it stands, and on planted violations, so that a
//! scanner that went blind is noticed.

mod scanner;
mod table;

use scanner::{Path as ModPath, Scan};
use std::fs;
use std::path::{Path, PathBuf};

const MAX_LINES: usize = 400;

/// What paper may not touch: no socket, no thread, no clock, no file.
const NOT_ON_PAPER: &[&str] =
    &["std::net", "std::thread", "std::fs", "std::process", "std::time::Instant"];

#[test]
fn the_source_keeps_to_the_table() {
    let files = source_files("src");
    assert!(files.len() > 20, "only {} files found: is this the right folder?", files.len());
    let breaches: Vec<_> = files.iter().flat_map(|(path, text)| breaches(path, text)).collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn no_file_is_long_and_none_is_unsafe() {
    let files = [source_files("src"), source_files("derive/src")].concat();
    let faults: Vec<_> = files.iter().flat_map(|(path, text)| file_faults(path, text)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_folder_has_a_table_of_contents() {
    let faults: Vec<_> = folders(&root().join("src"))
        .into_iter()
        .filter(|folder| {
            // A file may have its tests in a folder of its own name; what is in it is no part.
            let only_tests = fs::read_dir(folder)
                .unwrap()
                .all(|entry| entry.unwrap().file_name().to_str() == Some("tests.rs"));
            let text = fs::read_to_string(folder.join("mod.rs")).unwrap_or_default();
            !only_tests && !text.starts_with("//!")
        })
        .map(|folder| format!("{}: no mod.rs that begins with //!", folder.display()))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn planted_breaches_are_found() {
    let planted = [
        ("error/mod.rs", "use crate::pool::Stats;", "error may not know pool"),
        ("error/mod.rs", "fn f() { crate::batch::run() }", "error may not know batch"),
        ("url.rs", "use crate::config::Config;", "url may not know config"),
        ("sql/a.rs", "use crate::{error::Error, copy::{encode as e, x}};", "sql may not know copy"),
        ("mapping/a.rs", "use super::super::sql::Dialect;", "mapping may not know sql"),
        ("mapping/a.rs", "mod t { use super::super::super::sql::X; }", "mapping may not know sql"),
        (
            "backend/sqlite/a.rs",
            "use super::super::postgres::X;",
            "backend/sqlite may not know backend/postgres",
        ),
        (
            "backend/sqlite/a.rs",
            "use crate::backend::postgres;",
            "backend/sqlite may not know backend/postgres",
        ),
        ("pool/a.rs", "use crate::backend::sqlite::Sqlite;", "pool may not know backend/sqlite"),
        ("pool/mod.rs", "pub(in crate::pool) use crate::engine::E;", "pool may not know engine"),
        ("source/csv/a.rs", "use crate::sink::Sink;", "source may not know sink"),
        ("source/csv/a.rs", "use crate::routing::Node;", "source may not know routing"),
        ("batch/a.rs", "use crate::cli;", "batch may not know cli"),
        ("pool/a.rs", "use crate::Error;", "crate::Error: name it by its module"),
        ("pool/a.rs", "use crate::*;", "crate::*: name it by its module"),
        ("gadget/mod.rs", "", "add it to the table"),
        ("pool/a.rs", "use crate::gadget::G;", "add it to the table"),
        ("session/a.rs", "use r2d2::Pool;", "r2d2 is only for pool/"),
        ("pool/a.rs", "fn f() { rayon::join(a, b); }", "rayon is only for"),
        ("session/a.rs", "use ::postgres::Client;", "postgres is only for"),
        ("batch/a.rs", "use rusqlite as db;", "rusqlite is only for"),
        ("pool/a.rs", "use {std::fs, crossbeam_channel::Sender};", "crossbeam_channel is only for"),
        ("sql/a.rs", "use std::{fmt, thread};", "paper may not touch std::thread"),
        (
            "copy/a.rs",
            "let t = std::time::Instant::now();",
            "paper may not touch std::time::Instant",
        ),
    ];
    for (path, text, expected) in planted {
        let found = breaches(path, text).join("\n");
        assert!(found.contains(expected), "{path}: {text}\nexpected: {expected}\nfound: {found}");
    }
}

#[test]
fn what_is_allowed_is_let_through() {
    let allowed = [
        ("error/mod.rs", "use crate::sqlstate::Class; mod tests { use super::*; }"),
        ("copy/a.rs", "use crate::mapping::rows::Rows; use std::time::Duration;"),
        ("backend/postgres/a.rs", "use super::super::Backend; use postgres::Client;"),
        ("backend/postgres/a.rs", "use r2d2_postgres::r2d2::ManageConnection;"),
        ("backend/mod.rs", "pub mod postgres; pub use postgres::Postgres;"),
        ("engine/open.rs", "use crate::backend::postgres; fn f() { postgres::open() }"),
        ("cli/run.rs", "use crate::Error; use clap::Parser; use crate::batch::Job;"),
        ("workers/mod.rs", "use rayon::ThreadPool;"),
        ("url.rs", "// use crate::cli;\nconst A: &str = \"crate::cli::x\"; /* /* */ r2d2::Pool */"),
        ("url.rs", "const B: &str = r#\"\" use crate::cli; \"#; fn f<'a>(c: &'a str) { '\"'; }"),
        ("url.rs", "fn f() { macros::postgres::f(); x.postgres(); Vec::<u8>::new(); }"),
    ];
    for (path, text) in allowed {
        assert_eq!(breaches(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn planted_faults_of_a_file_are_found() {
    assert_eq!(file_faults("a.rs", "fn f() { unsafe { g() } }").len(), 1);
    assert_eq!(file_faults("a.rs", &"\n".repeat(MAX_LINES + 1)).len(), 1);
    assert!(file_faults("a.rs", "#![forbid(unsafe_code)] // unsafe").is_empty());
}

fn breaches(path: &str, text: &str) -> Vec<String> {
    let module = module_of(path);
    let here = table::part(&module);
    if !table::is_known(here) {
        return vec![format!("src/{path}: {here} is a new part: add it to the table")];
    }
    let scan = Scan::of(text, &module);
    let inner = scan.inner.iter().filter_map(|path| inner_breach(here, path));
    let foreign = scan.foreign.iter().filter_map(|used| foreign_breach(here, used));
    inner.chain(foreign).map(|(line, what)| format!("src/{path}:{line}: {what}")).collect()
}

fn inner_breach(here: &str, path: &ModPath) -> Option<(usize, String)> {
    let there = table::part(&path.segments);
    // What a door re-exports lives somewhere: below the doors its home is named, so that the
    // table sees it.
    let named_at_root = !table::is_known(there) && !there.starts_with(char::is_lowercase);
    let what = if table::is_door(here) && !table::is_known(there) {
        return None;
    } else if named_at_root || there == "lib" {
        format!("crate::{}: name it by its module", path.segments.join("::"))
    } else if !table::is_known(there) {
        format!("{there} is a new part: add it to the table")
    } else if !table::may_know(here, there) {
        format!("{here} may not know {there}")
    } else {
        return None;
    };
    Some((path.line, what))
}

fn foreign_breach(here: &str, used: &ModPath) -> Option<(usize, String)> {
    let root = used.segments.first()?;
    if let Some(homes) = table::homes_of(root) {
        let at_home = homes.contains(&here);
        return (!at_home)
            .then(|| (used.line, format!("{root} is only for {}/", homes.join("/, "))));
    }
    let full = used.segments.join("::");
    let touched = NOT_ON_PAPER.iter().find(|name| {
        full == **name || full.strip_prefix(**name).is_some_and(|rest| rest.starts_with("::"))
    })?;
    table::is_paper(here).then(|| (used.line, format!("paper may not touch {touched}")))
}

fn file_faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        faults.push(format!("{path}: {lines} lines, more than {MAX_LINES}"));
    }
    if let Some(line) = scanner::line_of_word(text, "unsafe") {
        faults.push(format!("{path}:{line}: unsafe"));
    }
    faults
}

/// `pool/stats.rs` is the module `pool::stats`, `pool/mod.rs` is `pool`, `lib.rs` is the root.
fn module_of(path: &str) -> Vec<String> {
    let mut module: Vec<_> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The `.rs` files below `folder` with their text, named from there.
fn source_files(folder: &str) -> Vec<(String, String)> {
    let base = root().join(folder);
    let mut files = Vec::new();
    for inside in [vec![base.clone()], folders(&base)].concat() {
        for entry in fs::read_dir(inside).unwrap().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&base).unwrap().to_str().unwrap().to_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// All folders below `folder`.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let inside: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    inside.into_iter().flat_map(|path| [vec![path.clone()], folders(&path)].concat()).collect()
}
