//! The runs of all shards, side by side.

use super::feed::ShardFeed;
use super::part::Part;
use super::progress::{OneOf, Progress};
use super::reading::Reading;
use super::report::{Ended, put_together};
use super::spread::Spread;
use super::survey::{self, Found, Survey, batches};
use super::tally::Tally;
use crate::backend::JobLock;
use crate::batch::begin::already_running;
use crate::batch::change::{self, OnChange};
use crate::batch::ending::{Ending, EndingOptions};
use crate::batch::identity::Identity;
use crate::batch::job::{Declared, Joins};
use crate::batch::ledger::LedgerName;
use crate::batch::limits::{Limits, MaxRejects, RejectClass};
use crate::batch::observer::Observer;
use crate::batch::plan::Plan;
use crate::batch::report::Report;
use crate::batch::run::{self, Start, status_of};
use crate::engine::{Acquire, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pooled;
use crate::sharding::{ShardId, ShardedEngine};
use crate::source::stateful::Surroundings;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// What a run over shards is started with.
pub(in crate::batch) struct Whole<'a> {
    pub(in crate::batch) identity: &'a Identity,
    pub(in crate::batch) ledger: &'a LedgerName,
    pub(in crate::batch) declared: Declared,
    pub(in crate::batch) key: Option<&'a str>,
    pub(in crate::batch) limits: Limits,
    pub(in crate::batch) class_limits: &'a [(RejectClass, MaxRejects)],
    pub(in crate::batch) joins: Option<Joins>,
    pub(in crate::batch) on_change: OnChange,
    pub(in crate::batch) shards: &'a ShardedEngine,
    pub(in crate::batch) ending: &'a EndingOptions,
    pub(in crate::batch) observer: &'a dyn Observer,
    pub(in crate::batch) parallel: bool,
}

/// Runs a job over shards. The report says what was done where, also if there is an error.
pub(in crate::batch) fn run(whole: &Whole<'_>) -> (Report, Option<Error>) {
    let began = Instant::now();
    let mut report = Report::new(&whole.identity.name, whole.identity.params.clone());
    let ending = Ending::of(whole.ending);
    let done = ending.watched(|| run_with_source(whole, &ending));
    let error = match done {
        Ok(ended) => {
            report.seconds = began.elapsed().as_secs_f64();
            let rows: f64 =
                ended.iter().map(|one| one.report.rows_per_second * one.report.seconds).sum();
            report.rows_per_second = rows / report.seconds.max(f64::EPSILON);
            put_together(&ended, &mut report)
        }
        Err(error) => {
            report.status = status_of(&error);
            Some(error)
        }
    };
    let name = || Some(whole.identity.name.clone());
    (report, error.map(|error| error.locate(|place| place.job = name())))
}

/// A source that names no database is in that of the target, of which there are several here.
#[derive(Debug)]
struct Nowhere;

impl Acquire for Nowhere {
    fn acquire(&self, _: Intent) -> Result<Pooled> {
        Err(Error::new(
            ErrorKind::Config,
            "the source names no database, and the target is several",
        )
        .with_hint("say which one it is read from: `on` an engine, or [source] url"))
    }

    fn capacity(&self) -> u32 {
        1
    }
}

fn run_with_source(whole: &Whole<'_>, ending: &Ending) -> Result<Vec<Ended>> {
    refuse(whole)?;
    let Declared { feed, target } = &whole.declared;
    let spread = Arc::new(Spread::of(whole.key, whole.shards.map(), target)?);
    let shards = whole.shards.map().shards().len();
    let limits = whole.limits.shared_by(shards);
    let workers = if whole.parallel { limits.workers.unwrap_or(1) } else { 1 };
    // Half of the bytes in flight are on their way, as many wait for a shard.
    let room = whole.limits.in_flight_bytes / 2;
    let reading = Reading::new(Arc::clone(feed), Arc::clone(&spread), shards, room, workers * 2);
    let all = All { whole, ending, spread: &spread, reading: Arc::new(reading), limits };
    let Some(stateful) = feed.stateful() else { return all.run() };
    let mut surroundings = Surroundings::new(Arc::new(Nowhere), workers * shards);
    surroundings.stop = ending.token();
    surroundings.identity = whole.identity.hash();
    let done = stateful.begin(&surroundings).and_then(|()| all.run());
    stateful.end(done.as_ref().is_ok_and(|ended| ended.iter().all(|one| one.error.is_none())));
    done
}

fn refuse(whole: &Whole<'_>) -> Result<()> {
    if whole.joins.is_some() {
        let message = "several processes cannot share a job over shards";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("one process writes to all shards in parallel"));
    }
    if whole.on_change == OnChange::Restart {
        let message = "a job over shards is not begun again by itself: it may be done on some";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("leave on_change out; give what changed another name or parameter"));
    }
    Ok(())
}

/// What the runs of all shards have in common.
struct All<'a> {
    whole: &'a Whole<'a>,
    ending: &'a Ending,
    spread: &'a Spread,
    reading: Arc<Reading>,
    limits: Limits,
}

impl All<'_> {
    fn run(&self) -> Result<Vec<Ended>> {
        let reached = survey::reach(self.whole)?;
        let _kept_away = self.keep_others_away(&reached)?;
        // ORDER: nobody changes what is seen from here on.
        let survey = Survey::of(self.whole, &reached)?;
        let plan = if survey.is_complete() { None } else { self.plan(&survey)? };
        let totals = plan.as_ref().map_or_else(
            || survey.planned().map_or([0; 3], |(_, found)| totals(found)),
            |plan| plan.totals(),
        );
        let open: Vec<_> = survey.0.iter().filter_map(|found| open(found, totals)).collect();
        let progress = Progress::of(self.whole.observer, open.len());
        if !open.is_empty() {
            progress.planned(totals, &open);
        }
        let tally = Tally::default();
        survey.count_rejects(&tally);
        let options = self.ending.of_parts(self.whole.ending);
        let shared = Shared { all: self, plan, progress: &progress, tally: &tally, options };
        let ids: Vec<_> = self.whole.shards.ids().collect();
        let one = |shard: ShardId| shared.run(shard, &survey.0[shard.index()], totals[0]);
        if !self.whole.parallel {
            return Ok(ids.into_iter().map(one).collect());
        }
        // ORDER: all of them, before the first one reads.
        ids.iter().filter(|id| survey.0[id.index()].is_ok()).for_each(|id| {
            self.reading.enter(id.index());
        });
        side_by_side(&ids, one)
    }

    /// Keeps other runs of the job away, on the first shard that was reached; each run of a shard has
    /// the lock of its own as well.
    fn keep_others_away(&self, reached: &[Result<()>]) -> Result<Option<Box<dyn JobLock>>> {
        let Whole { shards, identity, ledger, .. } = self.whole;
        let first = shards.ids().find(|shard| reached[shard.index()].is_ok());
        let Some(shard) = first else { return Ok(None) };
        let engine = shards.engine(shard);
        let lock = shards.at(shard, engine.lock_job(identity.shards_key(ledger)))?;
        if lock.is_none() {
            let mut connection = shards.at(shard, engine.get())?;
            return Err(already_running(&mut *connection, &self.start(shard, None)));
        }
        Ok(lock)
    }

    /// The plan for shards that have none, where there are any; it is that of the others.
    fn plan(&self, survey: &Survey) -> Result<Option<Arc<Plan>>> {
        let Whole { shards, declared, observer, .. } = self.whole;
        let feed = &*declared.feed;
        let mut plan = None;
        if let Some((place, found)) = survey.planned()
            && let Some(shard) = shards.ids().nth(place)
        {
            plan = shards.at(shard, self.planned_on(shard, found))?;
        }
        let is_kept = plan.is_some();
        let plan = match plan {
            Some(plan) => plan,
            // Nobody needs one, and those that are through have pruned theirs.
            None if !survey.lacks_plan() => return Ok(None),
            None => Plan::make(feed, self.whole.limits.batch, *observer, self.ending)?,
        };
        if let Some(stateful) = feed.stateful() {
            if !is_kept {
                // Nobody has set it.
                let _ = self.reading.memo.set(stateful.memo()?);
            }
            let memo = self.reading.memo.get().map_or("", String::as_str);
            stateful.recall(memo, survey.has_begun())?;
        }
        Ok(survey.lacks_plan().then(|| Arc::new(plan)))
    }

    /// The plan that a shard has, held against what the job is now; none if it is not kept whole.
    fn planned_on(&self, shard: ShardId, found: &Found) -> Result<Option<Plan>> {
        let shards = self.whole.shards;
        let planned = || shards.with_on(shard, |connection| batches(found, connection));
        let tally = Tally::default();
        let part = self.part(shard, &tally, None);
        let start = self.start(shard, Some(&part));
        let of_old = || Ok(planned()?.unwrap_or_default());
        if let Some(change) = change::find(&start, &found.job, of_old)? {
            return Err(change);
        }
        let Some(batches) = planned()? else { return Ok(None) };
        if self.whole.declared.feed.stateful().is_some() {
            let (memo, _) =
                shards.with_on(shard, |connection| found.ledger.memo(connection, found.job.id))?;
            // Nobody has set it.
            let _ = self.reading.memo.set(memo);
        }
        Ok(Some(Plan::of_ledger(&found.job, batches)))
    }

    fn part<'p>(&'p self, shard: ShardId, tally: &'p Tally, plan: Option<Arc<Plan>>) -> Part<'p> {
        Part { shards: self.whole.shards, shard, spread: self.spread, plan, tally }
    }

    fn start<'s>(&'s self, shard: ShardId, part: Option<&'s Part<'s>>) -> Start<'s> {
        let Whole { identity, ledger, declared, class_limits, shards, .. } = self.whole;
        let feed = ShardFeed { reading: Arc::clone(&self.reading), shard };
        Start {
            identity,
            ledger,
            declared: Declared { feed: Arc::new(feed), target: declared.target.clone() },
            limits: self.limits,
            class_limits,
            joins: None,
            on_change: OnChange::Refuse,
            engine: shards.engine(shard),
            ending: self.whole.ending,
            observer: self.whole.observer,
            parallel: self.whole.parallel,
            part,
        }
    }
}

/// What each run of a shard is made of.
struct Shared<'a> {
    all: &'a All<'a>,
    plan: Option<Arc<Plan>>,
    progress: &'a Progress<'a>,
    tally: &'a Tally,
    options: EndingOptions,
}

impl Shared<'_> {
    fn run(&self, shard: ShardId, found: &Result<Option<Found>>, batches: u64) -> Ended {
        let All { whole, reading, .. } = self.all;
        let name = whole.shards.map().name_of(shard).to_owned();
        if let Err(error) = found {
            let mut report = Report::new(&whole.identity.name, whole.identity.params.clone());
            report.status = status_of(error);
            report.batches = batches;
            let error = Some(error.without_source());
            return Ended { shard: name, report, error, batches_done: None };
        }
        let one = OneOf { all: self.progress, batches: AtomicU64::new(0) };
        let part = self.all.part(shard, self.tally, self.plan.clone());
        let mut start = self.all.start(shard, Some(&part));
        (start.ending, start.observer) = (&self.options, &one);
        reading.enter(shard.index());
        let _left = Left(reading, shard);
        let (mut report, error) = run::run(&start);
        report.batches = report.batches.max(batches);
        let earlier = found.as_ref().ok().and_then(Option::as_ref);
        let earlier = earlier.map_or(0, |found| found.job.batches - found.open[0]);
        let done = match report.status.is_complete() {
            true => report.batches,
            false => (earlier + one.batches.load(Ordering::Relaxed)).min(report.batches),
        };
        let error = whole.shards.at(shard, error.map_or(Ok(()), Err)).err();
        Ended { shard: name, report, error, batches_done: Some(done) }
    }
}

/// Nothing is kept any more for a shard whose run is over, however it ended.
struct Left<'a>(&'a Reading, ShardId);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.leave(self.1.index());
    }
}

fn side_by_side(ids: &[ShardId], one: impl Fn(ShardId) -> Ended + Sync) -> Result<Vec<Ended>> {
    let one = &one;
    thread::scope(|scope| {
        let mut runs = Vec::with_capacity(ids.len());
        for &shard in ids {
            let run = thread::Builder::new()
                .name(format!("rowmill-shard-{}", shard.index()))
                .spawn_scoped(scope, move || one(shard));
            runs.push(run.map_err(|error| {
                Error::new(ErrorKind::Config, "a thread cannot be started").with_source(error)
            })?);
        }
        let panicked = |_| Error::new(ErrorKind::Panic, "the run of a shard panicked");
        runs.into_iter().map(|run| run.join().map_err(panicked)).collect()
    })
}

fn totals(found: &Found) -> [u64; 3] {
    [found.job.batches, found.job.rows, found.job.bytes]
}

/// What is to be done on a shard; none if it is through, or cannot be asked.
fn open(found: &Result<Option<Found>>, totals: [u64; 3]) -> Option<[u64; 3]> {
    match found {
        Ok(None) => Some(totals),
        Ok(Some(found)) if !found.job.complete => Some(found.open),
        _ => None,
    }
}
