//! `rowmill status`

use super::args::LookArguments;
use super::console::Console;
use super::exit::Exit;
use super::figures::{counted, duration, grouped};
use super::ledger_of::{Wanted, title, wanted};
use crate::backend::Connection;
use crate::batch::identity::Identity;
use crate::batch::ledger::{JobStatus, Ledger, Pace, RunRecord};
use crate::engine::Engine;
use crate::error::Result;

pub(super) fn status(arguments: &LookArguments, console: Console) -> Result<Exit> {
    let wanted = wanted(arguments, &|name| std::env::var(name).ok())?;
    let (told, exit) = Wanted::each(&wanted, |one| {
        one.look(console, |ledger, connection, engine| lines(one, ledger, connection, engine))
    })?;
    console.answer(&told)?;
    Ok(exit)
}

/// So many jobs are shown.
const MOST: u32 = 50;

/// The jobs that are `wanted`, the newest first, one line each, one more for a trouble and one for
/// each process where there are several.
fn lines(
    wanted: &Wanted,
    ledger: &Ledger,
    connection: &mut dyn Connection,
    engine: &Engine,
) -> Result<Vec<String>> {
    let jobs = ledger.jobs(connection, &wanted.jobs(), MOST)?;
    if jobs.is_empty() {
        return Ok(vec![wanted.none()]);
    }
    let mut lines = Vec::new();
    for job in &jobs {
        let alive = living(wanted, job, engine)?;
        let first = job.running.iter().zip(&alive).find(|(_, lives)| **lives);
        let pace = match first {
            Some((run, _)) if !job.complete => ledger.pace(connection, job.id, run.number)?,
            _ => None,
        };
        lines.extend(job_lines(job, &alive, pace));
    }
    Ok(lines)
}

/// How fast a job gets on, and when all of its rows will be read if it stays that fast.
fn pace_line(job: &JobStatus, pace: Pace) -> Option<String> {
    let speed = pace.rows_per_second()?;
    let left = job.rows.saturating_sub(job.counts.read) as f64 / speed;
    let speed = grouped(speed.round() as u64);
    Some(match job.batches_done == job.batches {
        true => format!("  {speed} rows/s, all rows are read"),
        false => format!("  {speed} rows/s, all rows are read in about {}", duration(left)),
    })
}

/// Which of the runs that have not said that they ended are alive.
fn living(wanted: &Wanted, job: &JobStatus, engine: &Engine) -> Result<Vec<bool>> {
    if job.running.is_empty() {
        return Ok(Vec::new());
    }
    let params = serde_json::from_str(&job.params).unwrap_or_default();
    let identity = Identity { name: job.name.clone(), params };
    let key = |run: &RunRecord| identity.member_key(&wanted.ledger, run.number);
    engine.locked_jobs(&job.running.iter().map(key).collect::<Vec<_>>())
}

fn job_lines(job: &JobStatus, alive: &[bool], pace: Option<Pace>) -> Vec<String> {
    let counts = &job.counts;
    let mut lines = vec![format!(
        "{} -> {}: {}, {} of {}, {} of {} read, {} inserted, {} updated, {} unchanged, \
         {} deleted, {} rejected",
        title(&job.name, &job.params),
        job.target,
        state(job, alive),
        // What is old may be pruned.
        grouped(if job.complete { job.batches } else { job.batches_done }),
        counted(job.batches, "batch", "batches"),
        grouped(counts.read),
        counted(job.rows, "row", "rows"),
        grouped(counts.inserted),
        grouped(counts.updated),
        grouped(counts.unchanged),
        grouped(counts.deleted),
        grouped(counts.rejected)
    )];
    lines.extend(pace.and_then(|pace| pace_line(job, pace)));
    let trouble = job.last_run.as_ref().and_then(|run| run.cause.as_ref());
    if let Some(cause) = trouble.filter(|_| !job.complete) {
        lines.push(format!("  {cause}"));
    }
    let runs = || job.running.iter().zip(alive);
    if !job.complete && runs().filter(|(_, lives)| **lives).count() > 1 {
        lines.extend(runs().map(|(run, lives)| format!("  {}", run_state(run, *lives))));
    }
    lines
}

fn state(job: &JobStatus, alive: &[bool]) -> String {
    let Some(run) = &job.last_run else {
        return if job.complete { "complete" } else { "planned" }.to_owned();
    };
    if job.complete {
        let ended = run.ended_at.as_deref().unwrap_or(&run.started_at);
        return format!("complete since {}", moment(ended));
    }
    let working: Vec<_> = job.running.iter().zip(alive).filter(|(_, alive)| **alive).collect();
    match (working.as_slice(), job.running.last()) {
        ([(run, _)], _) => run_state(run, true),
        ([], Some(last)) if last.number == run.number => run_state(last, false),
        ([], _) => format!("run {} {}", run.number, run.status),
        (several, _) => format!("{} processes run it", several.len()),
    }
}

/// A run that has not said that it ended: it works, or it died, and the next run will find it.
fn run_state(run: &RunRecord, lives: bool) -> String {
    let process = run.pid.map_or(String::new(), |pid| format!(", process {pid}"));
    let host = run.host.as_deref().unwrap_or("an unknown machine");
    let state = if lives { "running since" } else { "crashed; it began" };
    format!("run {} on {host}{process}, {state} {}", run.number, moment(&run.started_at))
}

/// A time of the ledger to the second; those of SQLite are UTC and do not say so.
fn moment(time: &str) -> String {
    let (second, rest) = time.split_at_checked("2026-03-01 01:02:03".len()).unwrap_or((time, ""));
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    format!("{second}{}", if zone.is_empty() { "+00" } else { zone })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_to_the_second_and_with_its_zone() {
        assert_eq!(moment("2026-03-01 01:02:03"), "2026-03-01 01:02:03+00");
        assert_eq!(moment("2026-03-01 01:02:03.4567+00"), "2026-03-01 01:02:03+00");
        assert_eq!(moment("2026-03-01 01:02:03-05:30"), "2026-03-01 01:02:03-05:30");
    }
}
