//! `rowmill run`

use super::args::RunArguments;
use super::console::Console;
use super::deadline::DeadlineSpec;
use super::exit::Exit;
use super::figures::duration;
use super::job_file::JobFile;
use super::plan::Plan;
use super::progress::{self, Beside};
use super::{signals, summary};
use crate::batch::observer::Observer;
use crate::batch::report::{Report, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::stop::StopToken;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How a run ended: what it did so far, and what ended it.
struct Outcome {
    report: Report,
    error: Option<Error>,
}

pub(super) fn run(arguments: &RunArguments, console: Console) -> Result<Exit> {
    let mut job = JobFile::read(&arguments.job, &arguments.settings.overrides())?;
    if let Some(workers) = arguments.workers {
        job.limits.workers = Some(workers.get());
    }
    if let Some(path) = &arguments.report {
        // What cannot be written is told before the work, not after it; and no old report is
        // taken for that of a run that was killed.
        write_report("", path)?;
    }
    let stop = StopToken::new();
    let (observer, beside) = progress::observer(console);
    let echo = arguments.echo.then(|| beside.clone());
    let late = arguments.deadline.clone().map(|deadline| (deadline, beside.clone()));
    let listening =
        signals::listen(stop.clone(), move |asked| beside.note(signals::answer(asked)))?;
    let outcome = perform(&job, arguments, console, echo, Ends { observer, stop, late });
    drop(listening);
    finish(&outcome, arguments, console)
}

/// What a run tells, and what ends it.
struct Ends {
    observer: Arc<dyn Observer>,
    stop: StopToken,
    late: Option<(DeadlineSpec, Beside)>,
}

/// Tells that the deadline will be missed.
struct Late {
    deadline: DeadlineSpec,
    beside: Beside,
}

impl Observer for Late {
    fn will_be_late(&self, by: Duration) {
        let by = duration(by.as_secs_f64());
        self.beside.note(&format!("will miss {} by {by} at this rate", self.deadline));
    }
}

/// Runs the job. The observer is gone when this returns, and its bar with it.
fn perform(
    file: &JobFile,
    arguments: &RunArguments,
    console: Console,
    echo: Option<Beside>,
    ends: Ends,
) -> Outcome {
    let Ends { observer, stop, late } = ends;
    let plan = match echo {
        Some(echo) => Plan::told(file, move |statement| echo.note(&statement.to_string())),
        None => Plan::of(file),
    };
    // ORDER: before the run begins, which waits longer for a server and makes a file of its own.
    let reached = plan.and_then(|plan| plan.reach(console).map(|_| plan));
    let (report, error) = match reached {
        Ok(plan) => {
            let mut job = plan.job(file).stop(stop).observer(observer);
            if let Some((deadline, beside)) = late {
                job = job.deadline(deadline.deadline());
                job = job.observer(Arc::new(Late { deadline, beside }));
            }
            if arguments.join {
                job = job.join(place_among_others(&|name| std::env::var(name).ok()));
            }
            plan.report(&job)
        }
        Err(error) => (Report::new(&file.name, file.params.clone()), Some(error)),
    };
    Outcome { report, error }
}

/// The number that a scheduler gave this process among those that it started: an array job of
/// Slurm, an indexed job of Kubernetes.
fn place_among_others(environment: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"]
        .into_iter()
        .find_map(|name| environment(name)?.parse().ok())
}

/// Says what was done: the summary, the error, the report, the exit code.
fn finish(outcome: &Outcome, arguments: &RunArguments, console: Console) -> Result<Exit> {
    let Outcome { report, error } = outcome;
    let exit = exit_of(report, error.as_ref());
    // A run that did not begin has nothing to tell but why.
    let began = error.is_none() || report.batches > 0;
    if began {
        for line in summary::summary(report, exit, &look(arguments)) {
            console.note(line);
        }
    }
    // The first line of the summary has said already that the run was stopped.
    let is_told = began && !console.is_quiet() && exit == Exit::Stopped;
    if let Some(error) = error.as_ref().filter(|_| !is_told) {
        console.error(error);
    }
    let Some(path) = &arguments.report else { return Ok(exit) };
    match write_report(&json(report)?, path) {
        Err(refused) if exit != Exit::Complete => {
            // The exit code of the run says more than that of its report.
            console.error(refused);
            Ok(exit)
        }
        written => written.map(|()| exit),
    }
}

fn exit_of(report: &Report, error: Option<&Error>) -> Exit {
    match (error, report.status) {
        // What is missing on one shard is done by the next run, once its map is right.
        (Some(error), _) if error.kind() == ErrorKind::Shard && got_on(report) => {
            Exit::Infrastructure
        }
        (Some(error), _) => Exit::of(error),
        (None, Status::Complete | Status::AlreadyComplete) => Exit::Complete,
        (None, Status::RejectLimit) => Exit::RejectLimit,
        (None, Status::AlreadyRunning) => Exit::AlreadyRunning,
        (None, Status::Stopped) => Exit::Stopped,
        (None, Status::Failed) => Exit::Internal,
    }
}

/// Whether some shards are through and others are not.
fn got_on(report: &Report) -> bool {
    report.shards.iter().any(|shard| shard.status.is_complete())
}

/// The command that shows the rejects of this run; the URL may contain a password and is left to
/// the reader.
fn look(arguments: &RunArguments) -> String {
    let mut words = vec![format!("rowmill rejects list {}", arguments.job.display())];
    words
        .extend(arguments.settings.params.iter().map(|(name, value)| format!("-p {name}={value}")));
    words.extend(arguments.settings.target.iter().map(|_| "--target URL".to_owned()));
    words.join(" ")
}

fn json(report: &Report) -> Result<String> {
    let refused = |why| Error::new(ErrorKind::Internal, "the report is no JSON").with_source(why);
    serde_json::to_string_pretty(report).map(|json| json + "\n").map_err(refused)
}

fn write_report(text: &str, path: &Path) -> Result<()> {
    std::fs::write(path, text).map_err(|why| {
        let message = format!("the report {} cannot be written: {why}", path.display());
        Error::new(ErrorKind::Config, message).with_source(why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn report(status: Status) -> Report {
        let mut report = Report::new("runways", BTreeMap::new());
        report.status = status;
        report
    }

    #[test]
    fn the_exit_code_follows_the_status_and_the_error_is_stronger() {
        for (status, code) in [
            (Status::Complete, 0),
            (Status::AlreadyComplete, 0),
            (Status::Failed, 1),
            (Status::RejectLimit, 3),
            (Status::AlreadyRunning, 5),
            (Status::Stopped, 6),
        ] {
            assert_eq!(exit_of(&report(status), None).code(), code);
        }
        let lost = Error::new(ErrorKind::Disconnect, "lost");
        assert_eq!(exit_of(&report(Status::Complete), Some(&lost)), Exit::Infrastructure);
    }

    #[test]
    fn a_scheduler_tells_a_process_its_place() {
        let place = |set: &str| place_among_others(&|name| (name == set).then(|| "7".to_owned()));
        assert_eq!(place("SLURM_ARRAY_TASK_ID"), Some(7));
        assert_eq!(place("JOB_COMPLETION_INDEX"), Some(7));
        assert_eq!(place("INDEX"), None);
    }

    #[test]
    fn the_report_is_one_json_object_in_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write_report(&json(&report(Status::Complete)).unwrap(), &path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["status"], "complete");
        let error = write_report("", folder.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
