//! `rowmill run`

use super::args::RunArguments;
use super::console::Console;
use super::exit::Exit;
use super::job_file::JobFile;
use super::{progress, signals, summary};
use crate::batch::observer::Observer;
use crate::batch::report::{Report, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::stop::StopToken;
use std::path::Path;
use std::sync::Arc;

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
    let stop = StopToken::new();
    let listening =
        signals::listen(stop.clone(), move |asked| console.note(signals::answer(asked)))?;
    let outcome = perform(&job, progress::observer(console), stop);
    drop(listening);
    finish(&outcome, arguments, console)
}

/// Runs the job. The observer is gone when this returns, and its bar with it.
fn perform(job: &JobFile, observer: Arc<dyn Observer>, stop: StopToken) -> Outcome {
    let _ = (observer, stop);
    let error = Error::new(ErrorKind::Unsupported, "jobs cannot be run yet");
    Outcome { report: Report::new(&job.name, job.params.clone()), error: Some(error) }
}

/// Says what was done: the summary, the error, the report, the exit code.
fn finish(outcome: &Outcome, arguments: &RunArguments, console: Console) -> Result<Exit> {
    let Outcome { report, error } = outcome;
    for line in summary::summary(report, &look(arguments)) {
        console.note(line);
    }
    // ORDER: the report before the exit code: a run whose report cannot be written says so.
    if let Some(error) = error {
        console.error(error);
    }
    if let Some(path) = &arguments.report {
        write_report(report, path)?;
    }
    Ok(exit_of(report, error.as_ref()))
}

fn exit_of(report: &Report, error: Option<&Error>) -> Exit {
    match (error, report.status) {
        (Some(error), _) => Exit::of(error),
        (None, Status::Complete | Status::AlreadyComplete) => Exit::Complete,
        (None, Status::RejectLimit) => Exit::RejectLimit,
        (None, Status::AlreadyRunning) => Exit::AlreadyRunning,
        (None, Status::Stopped) => Exit::Stopped,
        (None, Status::Failed) => Exit::Internal,
    }
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

fn write_report(report: &Report, path: &Path) -> Result<()> {
    let refused = |why: String| {
        Error::new(ErrorKind::Config, format!("the report {}: {why}", path.display()))
    };
    let mut json = serde_json::to_string_pretty(report).map_err(|why| refused(why.to_string()))?;
    json.push('\n');
    std::fs::write(path, json).map_err(|why| refused(why.to_string()))
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
    fn the_report_is_one_json_object_in_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write_report(&report(Status::Complete), &path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["status"], "complete");
        let error = write_report(&report(Status::Complete), folder.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
