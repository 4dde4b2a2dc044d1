//! A test in a process of its own: where threads, descriptors and memory are counted.

use super::LIMIT;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const NAME: &str = "ROWMILL_TEST_ALONE";
const ARGUMENT: &str = "ROWMILL_TEST_ARGUMENT";

/// A test that runs its work in a process of its own.
#[derive(Debug)]
pub struct Alone {
    name: &'static str,
    descriptors: Option<u32>,
}

impl Alone {
    /// For the test of this name: `module::function`.
    pub fn named(name: &'static str) -> Self {
        Self { name, descriptors: None }
    }

    /// With a limit to open files.
    #[must_use]
    pub fn descriptors(mut self, most: u32) -> Self {
        self.descriptors = Some(most);
        self
    }

    /// Runs `work` with what `prepare` yields, in another process, and fails if it fails; what it
    /// writes is passed on. `prepare` runs here, and what it keeps lives until that process ends.
    pub fn run<K>(self, prepare: impl FnOnce() -> (String, K), work: impl FnOnce(&str)) {
        let name = self.name;
        if let Some(status) = self.end(prepare, work) {
            assert!(status.success(), "{name} failed in its own process: {status}");
        }
    }

    /// The same, and how that process ended: `None` inside of it.
    pub fn end<K>(
        self,
        prepare: impl FnOnce() -> (String, K),
        work: impl FnOnce(&str),
    ) -> Option<ExitStatus> {
        if std::env::var(NAME).is_ok_and(|name| name == self.name) {
            work(&std::env::var(ARGUMENT).unwrap_or_default());
            return None;
        }
        let (argument, _kept) = prepare();
        let limit = self.descriptors.map_or(String::new(), |most| format!("ulimit -n {most}; "));
        let child = Command::new("sh")
            .args(["-c", &format!("{limit}exec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().expect("this program"))
            .args(["--exact", self.name, "--nocapture", "--test-threads", "1"])
            .envs([(NAME, self.name), (ARGUMENT, &argument)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let mut child = Killed(child.expect("start the test again"));
        let deadline = Instant::now() + 20 * LIMIT;
        loop {
            if let Some(status) = child.0.try_wait().expect("look at it") {
                return Some(status);
            }
            assert!(Instant::now() < deadline, "{} did not end", self.name);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A process that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What this process has of what can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    pub threads: usize,
    pub descriptors: usize,
}

impl Census {
    /// Now.
    pub fn take() -> Self {
        let count = |folder: &str| std::fs::read_dir(folder).expect(folder).count();
        Self { threads: count("/proc/self/task"), descriptors: count("/proc/self/fd") }
    }

    /// Waits until there is no more than there was, at most `patience`; what is then too much.
    pub fn leaked(self, patience: Duration) -> (usize, usize) {
        let since = Instant::now();
        loop {
            let now = Self::take();
            let leaked = (
                now.threads.saturating_sub(self.threads),
                now.descriptors.saturating_sub(self.descriptors),
            );
            if leaked == (0, 0) || since.elapsed() > patience {
                return leaked;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Forgets the peak of this process's memory.
pub fn forget_memory_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("reset the peak");
}

/// The peak of this process's memory since it was forgotten, in kilobytes.
pub fn memory_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("read the status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}
