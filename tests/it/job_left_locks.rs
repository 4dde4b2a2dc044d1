//! The files by which runs on SQLite show that they live: whatever a run left that was killed, the next takes
//! away.

use crate::support::loading::{Input, JobFile, JobText, Place};
use std::path::{Path, PathBuf};

const ROWS: usize = 20_000;
const BATCH_ROWS: u64 = 250;

struct Scene {
    input: Input,
    place: Place<'static>,
}

impl Scene {
    fn new() -> Self {
        let (input, place) = (Input::lineitem(ROWS, 1_999, false), Place::sqlite());
        place.create_lineitem(true);
        Self { input, place }
    }

    fn job(&self) -> JobFile {
        let mut text = JobText::of_mode("mirror", BATCH_ROWS);
        "workers = 2\n".clone_into(&mut text.limits);
        text.write(&self.input, &self.place)
    }

    /// Kills a run that has done `units` of its units, and says what it has left.
    fn kill_at(&self, job: &JobFile, units: u64) -> Vec<PathBuf> {
        let (mut run, mut probe) = (job.start(), self.place.probe());
        assert!(run.wait_until(|_| probe.units_done() >= units), "too fast: {}", run.stderr());
        let killed = run.kill();
        assert_eq!(killed.code, None, "too fast: {killed}");
        self.left()
    }

    /// The files of locks beside the database.
    fn left(&self) -> Vec<PathBuf> {
        let url = self.place.url();
        let database = Path::new(url.strip_prefix("sqlite:").unwrap());
        let files = std::fs::read_dir(database.parent().unwrap()).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|kind| kind == "lock")).collect()
    }

    fn runs(&self) -> Vec<String> {
        let mut runs = Vec::new();
        let sql = format!("select status from {} order by id", self.place.own("run"));
        self.place.texts(&sql, |status| runs.push(status.to_owned()));
        runs
    }
}

fn complete(scene: &Scene, job: &JobFile) {
    let run = job.start().wait();
    assert_eq!(run.code, Some(0), "{run}");
    scene.input.assert_exact(&scene.place, "completed");
}

#[test]
fn what_a_run_left_is_gone_before_the_ledger_says_that_it_crashed() {
    let scene = Scene::new();
    let job = scene.job();
    assert_eq!(scene.kill_at(&job, 3).len(), 2);
    let run = scene.place.own("run");
    scene.place.sql(&format!(
        "create trigger refuse before update on {run} when new.status = 'crashed' \
         begin select raise(abort, 'on purpose'); end"
    ));
    let refused = job.start().wait();
    assert_ne!(refused.code, Some(0), "{refused}");
    assert_eq!(scene.left(), Vec::<PathBuf>::new());
    assert_eq!(scene.runs(), ["running"]);
    scene.place.sql("drop trigger refuse");
    complete(&scene, &job);
    assert_eq!(scene.left(), Vec::<PathBuf>::new());
}

#[test]
fn what_a_run_left_that_was_killed_behind_its_last_word_is_taken_away() {
    let scene = Scene::new();
    let job = scene.job();
    assert_eq!(scene.kill_at(&job, 3).len(), 2);
    scene.place.sql(&format!("update {} set status = 'failed'", scene.place.own("run")));
    complete(&scene, &job);
    assert_eq!(scene.runs(), ["failed", "complete"]);
    assert_eq!(scene.left(), Vec::<PathBuf>::new());
}

#[test]
fn what_the_runs_of_a_job_left_that_is_given_up_is_taken_away() {
    let scene = Scene::new();
    let job = scene.job();
    scene.kill_at(&job, 3);
    assert_eq!(scene.kill_at(&job, 9).len(), 2);
    let text = std::fs::read_to_string(job.path()).unwrap();
    let text = text.replace("\"mirror\"", "\"replace\"");
    std::fs::write(job.path(), format!("on_change = \"restart\"\n{text}")).unwrap();
    let run = job.start().wait();
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(scene.runs(), ["crashed", "crashed", "complete"]);
    assert_eq!(scene.left(), Vec::<PathBuf>::new());
}
