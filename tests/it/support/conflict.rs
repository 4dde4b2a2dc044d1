//! Replicas that cancel at once who is in the way of what they replay.

use super::trio::{Trio, one, until};
use parking_lot::{Mutex, MutexGuard};
use std::process::Command;
use std::sync::OnceLock;

/// From the start: a server that is told later takes its time to know, and until then it waits.
/// Nobody but a test cleans up.
const SETTINGS: [&str; 2] = ["max_standby_streaming_delay=0", "autovacuum=off"];

/// A primary and two such replicas, which tests share, each for itself while it has them.
pub fn impatient() -> MutexGuard<'static, Trio> {
    static SHARED: OnceLock<Mutex<Trio>> = OnceLock::new();
    SHARED.get_or_init(|| Mutex::new(Trio::start_with(&SETTINGS))).lock()
}

impl Trio {
    /// Cleans away, on the primary, row versions of `table` that whoever reads by now still sees. The
    /// rows are as before.
    pub fn clean_away(&self, table: &str) {
        self.primary.sql(&format!("update {table} set id = id where id <= 3"));
        self.primary.sql(&format!("vacuum {table}"));
        self.primary.sql("select pg_switch_wal()");
    }
}

impl Trio {
    /// Waits until whoever is in the way of what a replica replays has been told to end: it stands
    /// still before it (the server says so in the title of the process after half a second), or it
    /// could go on, because the session was ended.
    pub fn until_readers_are_told(&self, server: usize) {
        let replica = self.nodes()[server];
        let pid = one(replica, "select pid from pg_stat_activity where backend_type = 'startup'");
        let position = one(&self.primary, "select pg_current_wal_insert_lsn()");
        let passed = format!("select pg_last_wal_replay_lsn() >= '{position}'");
        until("readers that are told to end", || {
            title(&pid).trim_end().ends_with("waiting") || one(replica, &passed) == "t"
        });
    }
}

fn title(pid: &str) -> String {
    let line = std::fs::read(format!("/proc/{pid}/cmdline"));
    let line = line.or_else(|_| {
        Command::new("ps").args(["-o", "args=", "-p", pid]).output().map(|output| output.stdout)
    });
    String::from_utf8_lossy(&line.expect("the title of a process")).replace('\0', " ")
}
