//! What a run did, on one screen.

use super::exit::Exit;
use super::figures::{counted, duration, grouped};
use super::receipt;
use crate::batch::report::{Report, Share, Status};
use crate::batch::shards::report::ShardReport;

/// The lines at the end of a run that ends with `exit`. `look` is the command that shows the
/// rejects.
pub(super) fn summary(report: &Report, exit: Exit, look: &str) -> Vec<String> {
    let mut lines = vec![headline(report, exit)];
    // Where the server is away at the end, nobody knows what was done; a number would be a guess.
    let is_unknown = report.read == 0 && !report.status.is_complete();
    if is_unknown || report.status == Status::AlreadyRunning {
        lines.extend(report.shards.iter().map(shard));
        return lines;
    }
    lines.extend(counts(report));
    lines.push(batches(report));
    lines.extend(report.shards.iter().map(shard));
    lines.extend(report.share.as_ref().map(share));
    lines.extend(receipt::lines(report));
    if report.rejected > 0 {
        lines.push(format!("  the rejected rows: {look}"));
    }
    lines
}

fn headline(report: &Report, exit: Exit) -> String {
    let state = match report.status {
        Status::Complete => "complete",
        Status::AlreadyComplete => "already complete, nothing to do",
        Status::AlreadyRunning => "already running, nothing was done",
        Status::RejectLimit => "too many rejects, stopped; raise max_rejects and run it again",
        Status::Stopped => "stopped; run it again to carry on",
        Status::Failed if exit == Exit::Infrastructure => "failed; run it again to carry on",
        Status::Failed => "failed",
    };
    let params: Vec<_> =
        report.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let params =
        if params.is_empty() { String::new() } else { format!(" ({})", params.join(", ")) };
    format!("{}{params}: {state}", report.job)
}

/// One line for each number; those that are usually 0 only if they are not.
fn counts(report: &Report) -> Vec<String> {
    let always = [
        ("read", report.read),
        ("inserted", report.inserted),
        ("updated", report.updated),
        ("unchanged", report.unchanged),
        ("deleted", report.deleted),
    ];
    let sometimes = [("filtered", report.filtered), ("duplicates", report.duplicates)];
    let shown: Vec<_> = always
        .into_iter()
        .chain(sometimes.into_iter().filter(|(_, number)| *number > 0))
        .chain([("rejected", report.rejected)])
        .map(|(name, number)| (name, grouped(number)))
        .collect();
    let width = shown.iter().map(|(_, number)| number.len()).max().unwrap_or_default();
    shown.into_iter().map(|(name, number)| format!("  {name:<10} {number:>width$}")).collect()
}

/// What is committed on a shard, and what is not.
fn shard(shard: &ShardReport) -> String {
    let ShardReport { shard: name, batches, batches_done, .. } = shard;
    let all = counted(*batches, "batch", "batches");
    let done = match batches_done {
        Some(done) => format!("{} of {all} committed", grouped(*done)),
        None => format!("nobody knows how many of {all} are committed"),
    };
    let why = shard.error.as_ref().map_or(String::new(), |error| format!(": {error}"));
    if batches_done.is_none() || (shard.read == 0 && shard.error.is_some()) {
        return format!("  shard {name}: {done}{why}");
    }
    format!(
        "  shard {name}: {done}, {} read, {} inserted, {} updated, {} unchanged, {} rejected{why}",
        grouped(shard.read),
        grouped(shard.inserted),
        grouped(shard.updated),
        grouped(shard.unchanged),
        grouped(shard.rejected)
    )
}

/// What this process did, where there were others.
fn share(share: &Share) -> String {
    format!(
        "  of these by this process: {}, {} read, {} inserted, {} updated, {} rejected",
        counted(share.batches, "batch", "batches"),
        grouped(share.read),
        grouped(share.inserted),
        grouped(share.updated),
        grouped(share.rejected)
    )
}

fn batches(report: &Report) -> String {
    let mut batches = counted(report.batches, "batch", "batches");
    if !report.status.is_complete() {
        batches.insert_str(0, "of ");
    }
    let reused = match report.batches_reused {
        0 => String::new(),
        reused => format!(" ({} by earlier runs)", grouped(reused)),
    };
    let retries = match report.retries {
        0 => String::new(),
        retries => format!(", {}", counted(retries, "retry", "retries")),
    };
    let seconds = duration(report.seconds);
    let speed = match report.rows_per_second.round() as u64 {
        0 => String::new(),
        rows => format!(", {} rows/s", grouped(rows)),
    };
    format!("  {batches}{reused}{retries} in {seconds}{speed}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn report(status: Status) -> Report {
        let params = BTreeMap::from([("night".to_owned(), "2026-08-20".to_owned())]);
        let mut report = Report::new("runways", params);
        report.status = status;
        report.read = 47_213;
        report.inserted = 213;
        report.unchanged = 47_000;
        report.batches = 10;
        report.seconds = 1.25;
        report.rows_per_second = 37_770.4;
        report
    }

    #[test]
    fn a_good_night_fits_on_one_screen() {
        let expected = "\
runways (night=2026-08-20): complete
  read       47,213
  inserted      213
  updated         0
  unchanged  47,000
  deleted         0
  rejected        0
  10 batches in 1.2 s, 37,770 rows/s";
        assert_eq!(summary(&report(Status::Complete), Exit::Complete, "-").join("\n"), expected);
    }

    #[test]
    fn rejects_come_with_the_command_that_shows_them() {
        let report = Report {
            rejected: 2,
            retries: 1,
            duplicates: 3,
            batches_reused: 4,
            ..report(Status::Stopped)
        };
        let text = summary(&report, Exit::Stopped, "rowmill rejects list job.toml").join("\n");
        assert!(text.contains("stopped; run it again to carry on"), "{text}");
        assert!(text.contains("\n  duplicates      3\n"), "{text}");
        assert!(text.contains("10 batches (4 by earlier runs), 1 retry in"), "{text}");
        assert!(text.ends_with("the rejected rows: rowmill rejects list job.toml"), "{text}");
    }

    #[test]
    fn only_what_may_pass_is_worth_another_run() {
        let line = |exit| headline(&report(Status::Failed), exit);
        assert!(line(Exit::Infrastructure).ends_with("failed; run it again to carry on"));
        assert!(line(Exit::Internal).ends_with(": failed"));
    }

    #[test]
    fn a_run_that_did_nothing_counts_nothing() {
        assert_eq!(summary(&report(Status::AlreadyRunning), Exit::AlreadyRunning, "-").len(), 1);
    }
}
