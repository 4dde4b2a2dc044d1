//! The server's programs: where they are, and as whom they run.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder with `initdb` and `postgres`: `ROWMILL_PG_BIN`, the newest Debian version, `PATH`,
/// what `pg_config` says, in this order.
///
/// Nothing found fails the test: a test that is left out silently proves nothing.
pub fn bin_folder() -> PathBuf {
    let named = std::env::var_os("ROWMILL_PG_BIN").map(PathBuf::from);
    if let Some(folder) = named {
        assert!(has_server(&folder), "ROWMILL_PG_BIN={} has no initdb", folder.display());
        return folder;
    }
    let mut candidates = debian_folders();
    candidates.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    candidates.extend(pg_config_folder());
    candidates.into_iter().find(|folder| has_server(folder)).expect(
        "no PostgreSQL server on this machine: run tests/run once: it installs what is missing",
    )
}

/// The folders of all servers at hand: those that `ROWMILL_PG_BINS` names, separated as in `PATH`,
/// and the one of all other tests.
pub fn bin_folders() -> Vec<PathBuf> {
    let named = std::env::var_os("ROWMILL_PG_BINS").unwrap_or_default();
    let mut folders: Vec<_> =
        std::env::split_paths(&named).filter(|folder| folder.as_os_str() != "").collect();
    for folder in &folders {
        assert!(has_server(folder), "ROWMILL_PG_BINS: {} has no initdb", folder.display());
    }
    folders.push(bin_folder());
    folders
}

fn has_server(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

fn debian_folders() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort_by_key(|path| std::cmp::Reverse(version(path)));
    folders.into_iter().map(|path| path.join("bin")).collect()
}

fn pg_config_folder() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

/// Whom the server runs as: PostgreSQL refuses to run as root.
#[derive(Clone, Copy, Debug)]
pub struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// `None` for the one who runs the tests; `postgres` or `nobody` where that is root.
    pub fn unprivileged() -> Option<Self> {
        let id = Command::new("id").arg("-u").output().expect("run id");
        if String::from_utf8_lossy(&id.stdout).trim() != "0" {
            return None;
        }
        let passwd = std::fs::read_to_string("/etc/passwd").expect("read /etc/passwd");
        let found = ["postgres", "nobody"].iter().find_map(|name| Self::named(&passwd, name));
        Some(found.expect("tests run as root need a user postgres or nobody for the server"))
    }

    fn named(passwd: &str, name: &str) -> Option<Self> {
        let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let entry = fields.into_iter().find(|fields| fields.first() == Some(&name))?;
        Some(Self { uid: entry.get(2)?.parse().ok()?, gid: entry.get(3)?.parse().ok()? })
    }
}

/// A command that runs as `user` in `folder`, apart from the terminal's process group so that
/// Ctrl-C reaches the tests and not the server under them.
pub fn command(program: &Path, user: Option<User>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).process_group(0).stdin(Stdio::null()).env("LC_ALL", "C");
    // The variables of a client (PGPORT, PGDATA, ...) would bend initdb and the server.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// The same behind other commands (`ip netns exec NAME`), which need to be root: so the user is
/// changed after them, by `setpriv`.
pub fn command_behind(
    prefix: &[&str],
    program: &Path,
    user: Option<User>,
    folder: &Path,
) -> Command {
    let mut behind = command(Path::new(prefix[0]), None, folder);
    behind.args(&prefix[1..]);
    if let Some(User { uid, gid }) = user {
        behind.arg("setpriv").args([format!("--reuid={uid}"), format!("--regid={gid}")]);
        behind.args(["--clear-groups", "--"]);
    }
    behind.arg(program);
    behind
}

/// Gives `folder` to `user`.
pub fn give(folder: &Path, user: Option<User>) {
    if let Some(User { uid, gid }) = user {
        std::os::unix::fs::chown(folder, Some(uid), Some(gid)).expect("chown the cluster's folder");
    }
}

/// Sends `signal` (`QUIT`, `STOP`, ...) to the processes; those that are gone are passed over.
pub fn signal(signal: &str, pids: &[u32]) {
    // The shell's own kill: a slim system has no /bin/kill.
    let pids = pids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let script = format!("kill -{signal} {pids} 2>/dev/null || true");
    Command::new("sh").args(["-c", &script]).status().expect("run sh");
}

/// The processes that `pid` started.
pub fn children(pid: u32) -> Vec<u32> {
    let listed = Command::new("sh")
        .args(["-c", &format!("cat /proc/{pid}/task/*/children 2>/dev/null || pgrep -P {pid}")])
        .output()
        .expect("run sh");
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
