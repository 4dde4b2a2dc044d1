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

/// What the two servers have to do at least: send all rows, and store them.
pub fn copy_alone(servers: &Servers, task: &Task) -> [String; 2] {
    [read_all(servers, task), load_binary(servers, task)]
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

/// Where a row is refused it sends the rest of its batch again, all of it for each such row: batches of
/// 25,000, its default, with 250 bad ones would be sent a hundred times over. Over TCP each of them costs it
/// 80 ms besides, for which both sides wait for each other (Nagle), so it gets the Unix socket.
pub fn pgloader(servers: &Servers, task: &Task) -> Vec<String> {
    let (file, url) = (task.file.display(), servers.socket_url());
    let folder = servers.litter();
    let folder = folder.display();
    let load = format!(
        "rm -rf '{folder}'; mkdir '{folder}'; \
         exec pgloader --root-dir '{folder}' --type csv --with 'skip header = 1' \
             --with \"fields terminated by ','\" --with 'keep unquoted blanks' \
             --with 'batch rows = 1000' '{file}' '{url}?tablename=lineitem' >&2"
    );
    words(&["sh", "-c", &load])
}

/// It copies the database, which has this table alone, and makes the table itself. It would read parts
/// of it at once only if the key were one column of integers.
pub fn pgcopydb(servers: &Servers, task: &Task) -> Vec<String> {
    let Task { url, other, .. } = task;
    let folder = servers.litter();
    let folder = folder.display();
    let clone = format!(
        "rm -rf '{folder}'; mkdir '{folder}'; export TMPDIR='{folder}' XDG_DATA_HOME='{folder}'; \
         exec pgcopydb clone --source '{url}' --target '{other}' --drop-if-exists \
             --skip-extensions --no-owner --no-acl --dir '{folder}/work' >&2"
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
