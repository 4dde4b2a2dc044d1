//! What a process took: each contender is the only child of a process of its own, which asks the
//! kernel what its children have had.
//!
//! Nothing that a contender does may end or hold up the comparison: it has a process group of its own
//! (pgcopydb, for one, signals its whole group where it fails), its output goes into files, which nobody
//! waits for, and when its time is over, or the comparison has died, the whole group is killed.

use super::task::Answer;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, killpg};
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What one run took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub answer: Answer,
    pub seconds: f64,
    pub client: f64,
    /// Of all servers, and of each.
    pub server: f64,
    pub servers: [f64; 2],
    /// Bytes.
    pub memory: f64,
}

/// What the middle process is called with.
pub const METER: &str = "--meter";

/// What the middle process does: runs the rest of its command line, for so many seconds at most, and
/// says what that took.
pub fn measure(words: &[String]) {
    let [limit, program, arguments @ ..] = words else { panic!("{METER} needs a program") };
    let limit = Duration::from_secs_f64(limit.parse().expect("a limit in seconds"));
    let start = Instant::now();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    let mut child = command.spawn().unwrap_or_else(|error| {
        eprintln!("{program}: {error}");
        std::process::exit(1);
    });
    let ended = guard(&child, limit);
    let status = child.wait().expect("wait for the contender");
    let seconds = start.elapsed().as_secs_f64();
    let _ = ended.send(Event::Ended);
    // What it left behind would take part in the next one's turn.
    kill(&child);
    if seconds >= limit.as_secs_f64() {
        eprintln!("it was not done after {} s", limit.as_secs_f64());
        std::process::exit(1);
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("ask the kernel");
    let time = (usage.user_time() + usage.system_time()).num_microseconds();
    println!("\nmeter {seconds} {} {}", time as f64 / 1e6, usage.max_rss() * 1024);
    std::process::exit(status.code().unwrap_or(1));
}

/// What ends a contender's turn.
enum Event {
    Ended,
    /// The comparison is gone: its end of the pipe was closed.
    Alone,
}

/// Kills the group of `child` once its time is over, or when nobody waits for it any more.
fn guard(child: &Child, limit: Duration) -> mpsc::Sender<Event> {
    let (sender, receiver) = mpsc::channel();
    let (group, alone) = (group(child), sender.clone());
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = alone.send(Event::Alone);
    });
    std::thread::spawn(move || match receiver.recv_timeout(limit) {
        Ok(Event::Ended) => {}
        Ok(Event::Alone) | Err(_) => drop(killpg(group, Signal::SIGKILL)),
    });
    sender
}

fn group(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

fn kill(child: &Child) {
    // Nobody is left, as a rule.
    let _ = killpg(group(child), Signal::SIGKILL);
}

/// Runs a command in a middle process, for `limit` seconds at most; what it took, or what it said.
pub fn run(command: &[String], limit: f64, postmasters: [Option<u32>; 2]) -> Result<Cost, String> {
    let this = std::env::current_exe().expect("the path of this program");
    let before = postmasters.map(|pid| pid.map_or(0.0, server_seconds));
    let mut outputs = [scratch(), scratch()];
    let [out, complaints] = outputs.each_ref().map(|file| file.try_clone().expect("share a file"));
    let mut middle = Command::new(this);
    middle.arg(METER).arg(limit.to_string()).args(command).process_group(0);
    middle.stdin(Stdio::piped()).stdout(out).stderr(complaints);
    let mut middle = middle.spawn().expect("start a process");
    // `wait` would close it, which says that nobody waits.
    let pipe = middle.stdin.take();
    let status = middle.wait().expect("wait for a process");
    drop(pipe);
    let [said, complained] = outputs.each_mut().map(text_of);
    if !status.success() {
        return Err(complaint(&said, &complained).to_owned());
    }
    let line = said.lines().rev().find_map(|line| line.strip_prefix("meter "));
    let mut numbers = line.unwrap_or_default().split(' ').map(str::parse::<f64>);
    let mut next = || numbers.next().and_then(Result::ok).ok_or("no figures".to_owned());
    let (process, client, memory) = (next()?, next()?, next()?);
    let answer = Answer::parse(&said).unwrap_or_default();
    let seconds = if answer.seconds > 0.0 { answer.seconds } else { process };
    let client = if answer.client > 0.0 { answer.client } else { client };
    let after = postmasters.map(|pid| pid.map_or(0.0, server_seconds));
    let servers = [after[0] - before[0], after[1] - before[1]];
    let server = servers.iter().sum();
    Ok(Cost { answer, seconds, client, server, servers, memory })
}

fn scratch() -> File {
    tempfile::tempfile().expect("make a file")
}

fn text_of(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("read what was said");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The line that says why: the first one of a tool that marks its errors, or the last one that is more
/// than a note.
fn complaint<'a>(said: &'a str, complained: &'a str) -> &'a str {
    let lines = |text: &'a str| {
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("note:"))
    };
    let mut said = lines(said).filter(|line| !line.starts_with("meter "));
    let marked = lines(complained).find(|line| line.contains(" ERROR "));
    marked
        .or(lines(complained).next_back())
        .or(said.next_back())
        .unwrap_or("it failed without a word")
}

/// The processor time of a server: that of its first process, of the children that have ended, and of
/// those that live.
fn server_seconds(postmaster: u32) -> f64 {
    let ticks: u64 = processes()
        .map(|(pid, parent, [own, ended])| {
            if pid == postmaster {
                own + ended
            } else if parent == postmaster {
                own
            } else {
                0
            }
        })
        .sum();
    // USER_HZ: what the kernel shows is in hundredths of a second on every Linux.
    ticks as f64 / 100.0
}

/// Each process: its id, its parent's, and its ticks and those of its children that have ended.
fn processes() -> impl Iterator<Item = (u32, u32, [u64; 2])> {
    let entries = fs::read_dir("/proc").expect("look at the processes");
    entries.filter_map(|entry| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name of the program stands in brackets and may contain anything.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let own = number(11)? + number(12)?;
        Some((pid, number(1)? as u32, [own, number(13)? + number(14)?]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_the_last_line_that_says_something() {
        let panicked = "thread 'main' panicked at x.rs:1:2:\nconnect: refused\nnote: run with\n";
        assert_eq!(complaint("", panicked), "connect: refused");
        assert_eq!(
            complaint("", "12:00 ERROR no table\n12:00 FATAL giving up"),
            "12:00 ERROR no table"
        );
        assert_eq!(complaint("wrong\n\nmeter 1 2 3\n", ""), "wrong");
        assert_eq!(complaint("", "\n"), "it failed without a word");
    }
}
