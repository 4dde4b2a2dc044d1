//! Where the time of a run went, for a person.

use super::figures::{counted, duration, grouped};
use crate::batch::group_choice::{GroupChoice, GroupReason};
use crate::batch::receipt::{Before, Bottleneck, Culprit, Receipt, SlowBatch};
use crate::batch::report::Report;
use crate::batch::worker_count::choice::{WorkerChoice, WorkerReason, WorkerTrial};

/// Shorter runs have nothing to tell of where their time went.
const SHORT_SECONDS: f64 = 2.0;

/// The order in which a batch goes through them.
const PHASES: [&str; 9] =
    ["plan", "read", "transform", "encode", "wait", "send", "server", "commit", "seal"];

/// The lines of a run that was long enough to have them.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let Receipt { bottleneck, slowest, before, .. } = &report.receipt;
    if report.seconds < SHORT_SECONDS {
        return before.iter().map(compared).collect();
    }
    let mut lines = vec![format!("  time       {}", phases(report))];
    lines.extend(bottleneck.iter().map(pace));
    if let Some(slow) = slowest.first().filter(|_| report.batches > 1) {
        lines.push(slow_batch(slow));
    }
    lines.push(peaks(report));
    lines.extend(report.receipt.workers.iter().map(workers));
    lines.extend(report.receipt.transactions.iter().filter_map(transactions));
    lines.extend(before.iter().map(compared));
    lines
}

/// The phases that took any time to speak of.
fn phases(report: &Report) -> String {
    let told = PHASES.iter().filter_map(|name| {
        let seconds = *report.phases.get(*name)?;
        (seconds >= 0.01).then(|| format!("{name} {}", duration(seconds)))
    });
    let told: Vec<_> = told.collect();
    match told.is_empty() {
        true => "less than 10 ms in every phase".to_owned(),
        false => format!("{}, by all workers together", told.join(", ")),
    }
}

fn pace(bottleneck: &Bottleneck) -> String {
    let share = (bottleneck.share * 100.0).round();
    let who = match bottleneck.culprit {
        Culprit::Source => "the source",
        Culprit::Cpu => "the processors of this machine",
        Culprit::Server => "the target",
        Culprit::Pool => "waiting for connections",
    };
    format!("  bottleneck {who} ({share} % of the workers' time)")
}

fn slow_batch(slow: &SlowBatch) -> String {
    let rows = match slow.rows {
        0 => String::new(),
        rows => {
            let last = slow.first_row + rows - 1;
            format!(", rows {} to {}", grouped(slow.first_row), grouped(last))
        }
    };
    format!("  slowest    {} {}{rows}: {}", slow.phase, slow.number, duration(slow.seconds))
}

fn peaks(report: &Report) -> String {
    let in_flight = report.receipt.peak_in_flight as u64;
    let connections = u64::from(report.pool.peak_in_use);
    let memory = report.receipt.peak_memory_bytes;
    let memory = memory.map_or(String::new(), |bytes| format!(", {} MiB of memory", bytes >> 20));
    format!(
        "  peak       {} in flight, {}{memory}",
        counted(in_flight, "batch", "batches"),
        counted(connections, "connection", "connections")
    )
}

fn workers(choice: &WorkerChoice) -> String {
    let WorkerChoice { count, most, reason, trials, .. } = choice;
    let most = if most > count { format!(" of {most}") } else { String::new() };
    let why = match reason {
        WorkerReason::Set => "set by the job",
        WorkerReason::Measured => {
            let trials: Vec<_> = trials.iter().map(trial).collect();
            return format!(
                "  workers    {count}{most}, found by measuring: {}",
                trials.join(", ")
            );
        }
        WorkerReason::TooFewBatches => "too few batches to measure more",
        WorkerReason::Busy => "the processors were busy",
        WorkerReason::Unsteady => "batches differed too much to measure more",
        WorkerReason::Pool => "the pool has no more connections",
        WorkerReason::Server => "the server has no room for more connections",
        WorkerReason::OneWriter => "the database has one writer at a time",
        WorkerReason::Joined => "other processes work on the job, too",
        WorkerReason::Shards => "shared by all shards",
        WorkerReason::Serial => "one batch after the other",
    };
    format!("  workers    {count}{most}, {why}")
}

/// Nothing where it is never more than one batch.
fn transactions(choice: &GroupChoice) -> Option<String> {
    let GroupChoice { count, most, reason } = *choice;
    let why = match reason {
        GroupReason::Most if most == 1 => return None,
        GroupReason::Alone => return None,
        GroupReason::Most => "as many as may".to_owned(),
        GroupReason::Bytes => format!("of {most}: more would be too many bytes"),
        GroupReason::Time => format!("of {most}: more would take too long"),
        GroupReason::Refused => format!("of {most}: rows were refused"),
        GroupReason::TooFewBatches => format!("of {most}: there were too few for more"),
    };
    let batches = counted(count as u64, "batch", "batches");
    Some(format!("  together   up to {batches} in a transaction, {why}"))
}

fn trial(trial: &WorkerTrial) -> String {
    let WorkerTrial { from, to, gain, kept } = trial;
    let gain = match gain {
        Some(gain) => format!("{:+} %", (gain * 100.0).round()),
        None => "cut short".to_owned(),
    };
    let kept = if *kept { "" } else { " (not kept)" };
    format!("{from} -> {to} {gain}{kept}")
}

fn compared(before: &Before) -> String {
    let percent = (before.slower * 100.0).round();
    let now = match (&before.grown, percent) {
        (_, -1.0..=1.0) => "this one is as fast".to_owned(),
        (Some(phase), _) => format!("this one is {percent} % slower for a row, most of it {phase}"),
        (None, percent) if percent > 0.0 => format!("this one is {percent} % slower for a row"),
        (None, percent) => format!("this one is {} % faster for a row", -percent),
    };
    let runs = counted(before.runs as u64, "run", "runs");
    format!("  before     {runs}, in {} as a rule; {now}", duration(before.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn slow_report() -> Report {
        let mut report = Report::new("runways", BTreeMap::new());
        (report.seconds, report.batches, report.pool.peak_in_use) = (4.0, 20, 3);
        for (name, seconds) in [("server", 6.0), ("read", 0.5), ("wait", 0.001), ("encode", 1.25)] {
            report.phases.insert(name.to_owned(), seconds);
        }
        report.receipt.bottleneck = Some(Bottleneck { culprit: Culprit::Server, share: 0.774 });
        let slow =
            SlowBatch { phase: "load", number: 7, first_row: 7_001, rows: 1_000, seconds: 0.9 };
        report.receipt.slowest = vec![slow];
        report.receipt.peak_in_flight = 2;
        report.receipt.peak_memory_bytes = Some(40 << 20);
        let trial = |from, gain, kept| WorkerTrial { from, to: from * 2, gain, kept };
        let mut choice = WorkerChoice::of(4, 15, WorkerReason::Measured);
        choice.trials = vec![trial(2, Some(0.706), true), trial(4, Some(-0.02), false)];
        report.receipt.workers = Some(choice);
        report.receipt.transactions =
            Some(GroupChoice { count: 4, most: 16, reason: GroupReason::Bytes });
        report.receipt.before = Some(Before {
            runs: 5,
            seconds: 2.0,
            rows_per_second: 10.0,
            slower: 0.5,
            grown: Some("server".to_owned()),
        });
        report
    }

    #[test]
    fn a_slow_night_says_why() {
        let expected =
            "  time       read 0.5 s, encode 1.2 s, server 6.0 s, by all workers together
  bottleneck the target (77 % of the workers' time)
  slowest    load 7, rows 7,001 to 8,000: 0.9 s
  peak       2 batches in flight, 3 connections, 40 MiB of memory
  workers    4 of 15, found by measuring: 2 -> 4 +71 %, 4 -> 8 -2 % (not kept)
  together   up to 4 batches in a transaction, of 16: more would be too many bytes
  before     5 runs, in 2.0 s as a rule; this one is 50 % slower for a row, most of it server";
        assert_eq!(lines(&slow_report()).join("\n"), expected);
    }

    #[test]
    fn a_number_of_workers_has_its_reason() {
        let of = |count, most, reason| workers(&WorkerChoice::of(count, most, reason));
        assert_eq!(of(4, 4, WorkerReason::Set), "  workers    4, set by the job");
        let busy = "  workers    2 of 15, the processors were busy";
        assert_eq!(of(2, 15, WorkerReason::Busy), busy);
        let lost = WorkerTrial { from: 2, to: 4, gain: None, kept: false };
        assert_eq!(trial(&lost), "2 -> 4 cut short (not kept)");
    }

    #[test]
    fn a_short_run_is_only_compared() {
        let mut report = slow_report();
        report.seconds = 0.2;
        let before = report.receipt.before.as_mut().unwrap();
        (before.slower, before.grown) = (-0.25, None);
        let expected = "  before     5 runs, in 2.0 s as a rule; this one is 25 % faster for a row";
        assert_eq!(lines(&report).join("\n"), expected);
    }
}
