//! The built `rowmill` command.

use super::{LIMIT, server};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// How long to wait before looking again at a running command.
const POLL: Duration = Duration::from_millis(5);

/// The command with these arguments, without the caller's own settings for it.
///
/// ```ignore
/// let run = rowmill(["run", "job.toml"]).cwd(folder).env("ROWMILL_TARGET", &url).finish();
/// assert_eq!(run.code, Some(0), "{run}");
/// ```
pub fn rowmill<'a>(args: impl IntoIterator<Item = &'a str>) -> Invocation {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rowmill"));
    command.args(args).env_remove("ROWMILL_TARGET").stdin(Stdio::null());
    Invocation { command }
}

/// A command that has not been started.
#[derive(Debug)]
pub struct Invocation {
    command: Command,
}

impl Invocation {
    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The file that is its standard input.
    #[must_use]
    pub fn input(mut self, path: impl AsRef<Path>) -> Self {
        let file = std::fs::File::open(path).expect("open the standard input");
        self.command.stdin(file);
        self
    }

    /// The folder it runs in.
    #[must_use]
    pub fn cwd(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// The same on a machine without any network, not even with itself; `None`, with a line that
    /// says so, where there can be none.
    pub fn without_network(self) -> Option<Self> {
        let tried = Command::new("unshare").args(["--net", "true"]).output();
        if !tried.as_ref().is_ok_and(|output| output.status.success()) {
            eprintln!("LEFT OUT: no network at all needs root and network namespaces: {tried:?}");
            return None;
        }
        let mut command = Command::new("unshare");
        command.arg("--net").arg(self.command.get_program()).args(self.command.get_args());
        command.env_remove("ROWMILL_TARGET").stdin(Stdio::null());
        Some(Self { command })
    }

    /// Runs it to its end.
    pub fn finish(self) -> Finished {
        self.spawn().wait()
    }

    /// Starts it.
    pub fn spawn(mut self) -> Running {
        // Files, not pipes: a full pipe would stop it, and a test can look at what it said so far.
        let stdout = NamedTempFile::new().expect("a file for standard output");
        let stderr = NamedTempFile::new().expect("a file for standard error");
        self.command.stdout(stdout.reopen().expect("share the file"));
        self.command.stderr(stderr.reopen().expect("share the file"));
        let child = self.command.spawn().expect("start rowmill");
        Running { child, stdout, stderr }
    }
}

/// A command that runs; dropping this kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: NamedTempFile,
    stderr: NamedTempFile,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        read_all(&self.stderr)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("look at rowmill").is_none()
    }

    /// Waits until `reached` says so, looking again and again, and returns whether the command
    /// still ran then; a command that ended first is not waited for.
    pub fn wait_until(&mut self, mut reached: impl FnMut(&mut Self) -> bool) -> bool {
        let deadline = Instant::now() + LIMIT;
        while !reached(self) {
            if !self.is_running() {
                return false;
            }
            assert!(Instant::now() < deadline, "not reached within {LIMIT:?}: {}", self.stderr());
            sleep(POLL);
        }
        self.is_running()
    }

    /// Looks at it again and again until it ends, however long that takes within reason: a load of
    /// millions of rows.
    pub fn watch(&mut self, mut look: impl FnMut(&Self)) {
        let deadline = Instant::now() + 15 * LIMIT;
        while self.is_running() {
            assert!(Instant::now() < deadline, "rowmill did not end: {}", self.stderr());
            look(self);
            sleep(POLL);
        }
    }

    /// Sends a signal by name: `INT`, `TERM`, `STOP`.
    pub fn signal(&self, name: &str) {
        server::signal(name, &[self.child.id()]);
    }

    /// Stops all its threads in their tracks, and waits until they stand still; `CONT` lets them
    /// go on.
    pub fn freeze(&self) {
        self.signal("STOP");
        let deadline = Instant::now() + LIMIT;
        // It may have come to its end just now.
        let stands = |stat: String| {
            stat.rsplit(") ").next().is_some_and(|state| state.starts_with(['T', 'Z', 'X']))
        };
        let all_stand = || {
            let tasks =
                std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("its threads");
            tasks
                .flatten()
                .all(|task| std::fs::read_to_string(task.path().join("stat")).map_or(true, stands))
        };
        while !all_stand() {
            assert!(Instant::now() < deadline, "it does not stand still");
            sleep(POLL);
        }
    }

    /// Kills it with `kill -9` and returns what it had said.
    pub fn kill(mut self) -> Finished {
        self.child.kill().expect("kill rowmill");
        self.wait()
    }

    /// Waits for its end. A command that takes longer than any test needs fails the test.
    pub fn wait(mut self) -> Finished {
        let deadline = Instant::now() + 3 * LIMIT;
        while self.is_running() {
            let said = if Instant::now() < deadline { String::new() } else { self.stderr() };
            assert!(Instant::now() < deadline, "rowmill did not end: {said}");
            sleep(POLL);
        }
        let code = self.child.wait().expect("wait for rowmill").code();
        let (stdout, stderr) = (read_all(&self.stdout), read_all(&self.stderr));
        Finished { code, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, or the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` after a signal.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}\n{}{}", self.code, self.stdout, self.stderr)
    }
}

fn read_all(file: &NamedTempFile) -> String {
    let bytes = std::fs::read(file.path()).expect("read the output");
    String::from_utf8_lossy(&bytes).into_owned()
}
