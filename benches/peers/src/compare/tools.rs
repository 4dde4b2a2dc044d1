//! What is not a program of ours: statements of the server alone, and the tools of a system.

use super::constants::COLUMNS;
use super::servers::Servers;
use super::task::Task;
use std::path::Path;
use std::process::{Command, Stdio};

pub fn load_binary(servers: &Servers, task: &Task) -> String {
    let file = servers.binary(task.rows);
    format!("copy lineitem from '{}' (format binary)", file.display())
}

pub fn load_csv(_: &Servers, task: &Task) -> String {
    format!("copy lineitem from '{}' (format csv, header)", task.file.display())
}

pub fn read_all(_: &Servers, _: &Task) -> String {
    "copy lineitem to '/dev/null' (format binary)".to_owned()
}

pub fn psql_copy(servers: &Servers, task: &Task) -> Vec<String> {
    let file = task.file.display();
    let copy = format!("\\copy lineitem from '{file}' (format csv, header)");
    words(&[&psql(servers), "-X", "-q", "-d", &task.url, "-c", &copy])
}

/// The columns are named on both sides, so that it is the same as what the others do.
pub fn psql_pipe(servers: &Servers, task: &Task) -> Vec<String> {
    let (psql, Task { url, other, .. }) = (psql(servers), task);
    let pipe = format!(
        "'{psql}' -X -q -d '{url}' -c 'copy lineitem ({COLUMNS}) to stdout (format binary)' | \
         '{psql}' -X -q -d '{other}' -c 'copy lineitem ({COLUMNS}) from stdin (format binary)'"
    );
    words(&["sh", "-c", &pipe])
}

pub fn pgloader(_: &Servers, task: &Task) -> Vec<String> {
    let (file, url) = (task.file.display().to_string(), format!("{}?tablename=lineitem", task.url));
    // Else it takes the blanks at the ends of texts away.
    let options = ["skip header = 1", "fields terminated by ','", "keep unquoted blanks"];
    let options: Vec<_> = options.into_iter().flat_map(|option| ["--with", option]).collect();
    words(&[&["pgloader", "--type", "csv"], &options[..], &[&file, &url]].concat())
}

/// It makes the table itself, and copies no other one.
pub fn pgcopydb(_: &Servers, task: &Task) -> Vec<String> {
    let Task { url, other, connections, .. } = task;
    let clone = format!(
        "folder=$(mktemp -d); printf '[include-only-table]\npublic.lineitem\n' >$folder/filters; \
         pgcopydb clone --source '{url}' --target '{other}' --table-jobs {connections} \
             --split-tables-larger-than 20MB --drop-if-exists --skip-extensions --no-owner --no-acl \
             --filters $folder/filters --dir $folder/work >&2; \
         status=$?; rm -rf $folder; exit $status"
    );
    words(&["sh", "-c", &clone])
}

fn psql(servers: &Servers) -> String {
    let own = servers.program("psql");
    if own.is_file() { own.display().to_string() } else { "psql".to_owned() }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// What would have taken part and is not here.
pub fn missing() -> Vec<(&'static str, String)> {
    let mut missing = Vec::new();
    for tool in ["pgcopydb", "pgloader"] {
        if !is_there(tool) {
            missing.push((tool, "it is not installed on this machine".to_owned()));
        }
    }
    if !cfg!(feature = "diesel") {
        let why = "libpq and its headers are not installed on this machine";
        missing.push(("Diesel and diesel-async", why.to_owned()));
    }
    missing
}

pub fn is_there(program: &str) -> bool {
    let mut ask = Command::new(program);
    ask.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}

/// The Python that was made for the script, if there is one.
pub fn python() -> Option<String> {
    let python = std::env::var("COMPARE_PYTHON").ok()?;
    Path::new(&python).is_file().then_some(python)
}
