//! A small disk that can be filled.

use super::server::{self, User};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A file system in memory; it goes away with the process of the tests, however that ends.
#[derive(Debug)]
pub struct Tmpfs {
    folder: TempDir,
    // Dropping its standard input wakes it.
    watchdog: Child,
}

impl Tmpfs {
    /// One of so many megabytes that belongs to the server's user; `None`, with a line that says
    /// so, where none can be mounted.
    pub fn new(megabytes: u32) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("rowmill-disk-").tempdir();
        let folder = folder.expect("make a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder.path())
            .output();
        let said = match mounted {
            Ok(output) if output.status.success() => {
                server::give(folder.path(), User::unprivileged());
                let watchdog = start_watchdog(folder.path());
                return Some(Self { folder, watchdog });
            }
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        eprintln!("LEFT OUT: a full disk needs the right to mount a tmpfs: {said}");
        None
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives it so many megabytes.
    pub fn grow(&self, megabytes: u32) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,size={megabytes}m")])
            .arg(self.path())
            .status();
        assert!(status.expect("run mount").success(), "the disk cannot grow");
    }

    /// A folder on it that belongs to the server's user.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.path().join(name);
        std::fs::create_dir(&folder).expect("make a folder");
        server::give(&folder, User::unprivileged());
        folder
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

fn start_watchdog(folder: &Path) -> Child {
    let script = r#"cat >/dev/null; umount -l "$1"; rmdir "$1""#;
    Command::new("sh")
        .args(["-c", script, "rowmill-test-disk"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .current_dir("/")
        .spawn()
        .expect("start the watchdog")
}
