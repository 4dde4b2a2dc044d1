//! What a process took: each contender is the only child of a process of its own, which asks the
//! kernel what its children have had.

use super::task::Answer;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What one run took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub answer: Answer,
    pub seconds: f64,
    pub client: f64,
    pub server: f64,
    /// Bytes.
    pub memory: f64,
}

/// What the middle process is called with.
pub const METER: &str = "--meter";

/// What the middle process does: runs the rest of its command line, and says what that took.
pub fn measure(words: &[String]) {
    let [program, arguments @ ..] = words else { panic!("{METER} needs a program") };
    let start = Instant::now();
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("{program}: {error}"));
    let seconds = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("ask the kernel");
    let time = (usage.user_time() + usage.system_time()).num_microseconds();
    println!("\nmeter {seconds} {} {}", time as f64 / 1e6, usage.max_rss() * 1024);
    std::process::exit(status.code().unwrap_or(1));
}

/// Runs a command in a middle process; what it took, or what it said.
pub fn run(command: &[String], postmasters: &[u32]) -> Result<Cost, String> {
    let this = std::env::current_exe().expect("the path of this program");
    let before = server_seconds(postmasters);
    let output = Command::new(this).arg(METER).args(command).output().expect("start a process");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        let complaint = complained.trim().lines().last().or(said.trim().lines().next());
        return Err(complaint.unwrap_or("it failed without a word").to_owned());
    }
    let line = said.lines().rev().find_map(|line| line.strip_prefix("meter "));
    let mut numbers = line.unwrap_or_default().split(' ').map(str::parse::<f64>);
    let mut next = || numbers.next().and_then(Result::ok).ok_or("no figures".to_owned());
    let (process, client, memory) = (next()?, next()?, next()?);
    let answer = Answer::parse(&said).unwrap_or_default();
    let seconds = if answer.seconds > 0.0 { answer.seconds } else { process };
    let client = if answer.client > 0.0 { answer.client } else { client };
    let server = server_seconds(postmasters) - before;
    Ok(Cost { answer, seconds, client, server, memory })
}

/// The processor time of servers: that of their first processes, of the children that have ended,
/// and of those that live.
fn server_seconds(postmasters: &[u32]) -> f64 {
    let ticks: u64 = processes()
        .map(|(pid, parent, [own, ended])| {
            let first = postmasters.contains(&pid);
            let child = postmasters.contains(&parent);
            if first {
                own + ended
            } else if child {
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
