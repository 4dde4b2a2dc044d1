//! `kill -9` at random moments of a load, and the same command again until it is through.
//!
//! `tests/faults` runs these at full size. `ROWMILL_FAULT_ROWS` and `ROWMILL_FAULT_KILLS` set the
//! size, `ROWMILL_FAULT_SEED` repeats the moments of an earlier run.

use crate::support::loading::{Difference, Input, JobFile, JobText, Place};
use crate::support::{Cluster, Running, TestDb};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// Good rows between two bad ones.
const BAD_STEP: usize = 9_973;

pub fn setting(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number")),
        Err(_) => default,
    }
}

/// batch R2, F43
#[test]
fn append_on_postgresql_survives_kills_at_random_moments() {
    let cluster = Cluster::durable();
    Campaign::new("append", 2).run(&|| Place::Postgres(cluster.database("kill")));
}

/// batch R2, F43
#[test]
fn upsert_on_postgresql_survives_kills_at_random_moments() {
    let cluster = Cluster::durable();
    Campaign::new("upsert", 2).run(&|| Place::Postgres(cluster.database("kill")));
}

/// batch R2, F43
#[test]
fn append_on_sqlite_survives_kills_at_random_moments() {
    Campaign::new("append", 2).run(&Place::sqlite);
}

/// batch R2, F43
#[test]
fn upsert_on_sqlite_survives_kills_at_random_moments() {
    Campaign::new("upsert", 2).run(&Place::sqlite);
}

/// A number of kills, spread over loads of one file.
pub struct Campaign {
    input: Input,
    text: JobText,
    workers: u64,
    /// How many batches one kill may cost.
    in_flight: u64,
    kills: usize,
    seed: u64,
    random: Random,
}

/// What a campaign came to.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    loads: u64,
    batches: u64,
    /// `None` where it cannot be counted.
    redone: Option<u64>,
    rows: Difference,
    rejects: Difference,
}

impl Campaign {
    pub fn new(mode: &'static str, workers: u64) -> Self {
        let kills = setting("ROWMILL_FAULT_KILLS", 6);
        Self::of(mode, workers, setting("ROWMILL_FAULT_ROWS", 100_000), kills)
    }

    /// So many kills, of loads of so many rows.
    pub fn of(mode: &'static str, workers: u64, rows: usize, kills: usize) -> Self {
        let seed = setting("ROWMILL_FAULT_SEED", RandomState::new().hash_one(0) as usize) as u64;
        let mut text = JobText::of_mode(mode, (rows as u64 / 60).clamp(500, 5_000));
        // Every second one has a transaction for each batch. Of the others, a group that meets a bad
        // row is begun in vain, too.
        let together = if seed.is_multiple_of(2) { 1 } else { 16 };
        text.limits = format!("workers = {workers}\nbatches_a_transaction = {together}\n");
        Self {
            input: Input::lineitem(rows, BAD_STEP, true),
            text,
            workers,
            in_flight: workers * together,
            kills,
            seed,
            random: Random(seed),
        }
    }

    /// The same, of loads that read a table of `source` instead of a file. None of its rows is bad:
    /// what a file has as text, a table has as values.
    pub fn of_table(
        source: &TestDb<'_>,
        mode: &'static str,
        workers: u64,
        rows: usize,
        kills: usize,
    ) -> Self {
        let mut campaign = Self::of(mode, workers, rows, kills);
        campaign.input = Input::lineitem(rows, usize::MAX, true);
        campaign.input.copy_to(source);
        campaign.text.source_url = Some(source.url());
        campaign
    }

    pub fn run<'a>(mut self, fresh: &dyn Fn() -> Place<'a>) {
        let (expected, timeline) = self.undisturbed(&fresh());
        let mut tally = Tally::default();
        // A load that is through before its last kill leaves kills for another.
        while tally.kills < self.kills {
            assert!(tally.loads < 20, "too few kills hit: {tally:?}");
            let place = fresh();
            self.load(&place, &timeline, &mut tally);
            self.check(&place, &expected, &mut tally);
        }
        let Self { text, seed, input, workers, .. } = &self;
        let most = tally.kills as u64 * self.in_flight;
        let share = |redone: u64| format!("{:.1}%", redone as f64 * 100.0 / tally.batches as f64);
        eprintln!(
            "FAULTS {} {} {} workers={workers} rows={} undisturbed={:.1}s seed={seed} kills={} loads={} batches={} \
             redone={} (at most {most}) redone_share={} lost={} duplicated={} rejects_lost={} rejects_duplicated={}",
            fresh().name(),
            text.mode,
            if text.source_url.is_some() { "table" } else { "csv" },
            input.good_rows(),
            timeline.end.as_secs_f64(),
            tally.kills,
            tally.loads,
            tally.batches,
            tally.redone.map_or("uncounted".to_owned(), |redone| redone.to_string()),
            tally.redone.map_or("uncounted".to_owned(), share),
            tally.rows.lost,
            tally.rows.duplicated,
            tally.rejects.lost,
            tally.rejects.duplicated,
        );
        let exact = Difference::default();
        assert_eq!((tally.rows, tally.rejects), (exact, exact), "seed {seed}");
        assert!(tally.redone <= Some(most), "seed {seed}: {tally:?}");
    }

    /// The report of a load that nobody disturbs, and when it did what.
    fn undisturbed(&self, place: &Place<'_>) -> (serde_json::Value, Timeline) {
        place.create_lineitem(self.text.keyed);
        let job = self.text.write(&self.input, place);
        let timeline = Timeline::of(job.start(), place);
        self.input.assert_exact(place, "undisturbed");
        (job.report(), timeline)
    }

    /// Kills and starts again until the load is through.
    fn load(&mut self, place: &Place<'_>, timeline: &Timeline, tally: &mut Tally) {
        place.create_lineitem(self.text.keyed);
        let begun = Begun::count(place);
        let job = self.text.write(&self.input, place);
        let wanted = self.kills - tally.kills;
        let mut killed = 0;
        for moment in self.random.spread(wanted, timeline.end) {
            if !kill_at(&job, place, timeline, moment, self.seed) {
                break;
            }
            killed += 1;
        }
        if killed == wanted {
            let run = job.start().wait();
            assert_eq!(run.code, Some(0), "seed {}: {run}", self.seed);
        }
        tally.kills += killed;
        tally.loads += 1;
        tally.batches += job.report()["batches"].as_u64().unwrap();
        tally.redone = begun.map(|begun| tally.redone.unwrap_or(0) + begun.more_than_once(place));
    }

    fn check(&self, place: &Place<'_>, expected: &serde_json::Value, tally: &mut Tally) {
        tally.rows += self.input.difference(place);
        tally.rejects += self.input.reject_difference(place);
        let job = self.text.write(&self.input, place);
        let report = job.report();
        // The last kill may have met a run that had nothing left to do but to say so.
        let status = report["status"].as_str().unwrap_or_default();
        assert!(["complete", "already_complete"].contains(&status), "{status}, seed {}", self.seed);
        for name in ["read", "inserted", "updated", "unchanged", "rejected", "batches"] {
            assert_eq!(report[name], expected[name], "{name}, seed {}", self.seed);
        }
        let runs = format!(
            "select count(*) from {} where status not in ('crashed', 'complete')",
            place.own("run")
        );
        assert_eq!(place.number(&runs), 0, "seed {}", self.seed);
    }
}

/// Starts the job and kills it at a moment of the undisturbed run: at the same progress, and as
/// long after it. `false` if it was through before.
fn kill_at(
    job: &JobFile,
    place: &Place<'_>,
    timeline: &Timeline,
    moment: Duration,
    seed: u64,
) -> bool {
    let (units, rest) = timeline.progress_at(moment);
    let mut probe = place.probe();
    let mut reached = None;
    let mut run = job.start();
    let running = run.wait_until(|_| {
        if reached.is_none() && probe.units_done() >= units {
            reached = Some(Instant::now());
        }
        reached.is_some_and(|at| at.elapsed() >= rest)
    });
    // What was seen to be committed stays, whatever dies.
    let last_look = probe.units_done();
    if !running {
        let run = run.wait();
        assert_eq!(run.code, Some(0), "seed {seed}: {run}");
        return false;
    }
    let run = run.kill();
    if run.code.is_some() {
        assert_eq!(run.code, Some(0), "seed {seed}: {run}");
        return false;
    }
    assert!(probe.units_done() >= last_look, "seed {seed}: a commit was forgotten");
    true
}

/// When how many units of a run were done.
struct Timeline {
    steps: Vec<(Duration, u64)>,
    end: Duration,
}

impl Timeline {
    fn of(mut run: Running, place: &Place<'_>) -> Self {
        let start = Instant::now();
        let mut probe = place.probe();
        let mut steps = vec![(Duration::ZERO, 0)];
        run.watch(|_| {
            let units = probe.units_done();
            if steps.last().is_none_or(|(_, last)| *last != units) {
                steps.push((start.elapsed(), units));
            }
        });
        let end = start.elapsed();
        let run = run.wait();
        assert_eq!(run.code, Some(0), "{run}");
        Self { steps, end }
    }

    /// How many units were done at a moment, and how long ago the last of them.
    fn progress_at(&self, moment: Duration) -> (u64, Duration) {
        let before = self.steps.iter().rev().find(|(at, _)| *at <= moment);
        before.map_or((0, moment), |(at, units)| (*units, moment.saturating_sub(*at)))
    }
}

/// Counts the transactions that began to write rows of a batch or of a bucket, also those that were
/// rolled back: a sequence forgets nothing. SQLite has none, nor anything else that a killed
/// transaction leaves.
struct Begun;

impl Begun {
    fn count(place: &Place<'_>) -> Option<Self> {
        if !matches!(place, Place::Postgres(_)) {
            return None;
        }
        // What was refused is looked for under savepoints, in one transaction: what tells that it is
        // counted must outlast them. A lock of the session does; no other transaction asks for it.
        // A stage is made by the job: it gets its trigger as soon as it is there.
        place.sql(
            "create sequence begun; \
             create function begin_unit() returns trigger language plpgsql as $$ \
             declare transaction integer := txid_current() % 1000000000; begin \
             if not exists (select 1 from pg_locks where locktype = 'advisory' \
             and pid = pg_backend_pid() and classid = 42 and objid = transaction) then \
             perform nextval('public.begun'); \
             perform pg_advisory_lock(42, transaction); \
             end if; return null; end $$; \
             create trigger begin_unit before insert or update on lineitem \
             for each statement execute function begin_unit(); \
             create function count_stage() returns event_trigger language plpgsql as $$ \
             declare made record; begin \
             for made in select * from pg_event_trigger_ddl_commands() loop \
             if made.object_identity like 'rowmill.stage%' then \
             execute 'create trigger begin_unit before insert on ' || made.object_identity \
             || ' for each statement execute function public.begin_unit()'; \
             end if; end loop; end $$; \
             create event trigger count_stage on ddl_command_end when tag in ('CREATE TABLE') \
             execute function count_stage()",
        );
        Some(Self)
    }

    #[expect(clippy::unused_self, reason = "whoever asks has set up the counting")]
    fn more_than_once(&self, place: &Place<'_>) -> u64 {
        // Batches that share a transaction are marked by it.
        let done = place.number(
            "select count(distinct xmin::text) from rowmill.batch where done and phase < 2",
        );
        let begun =
            place.number("select last_value from begun where is_called union all select 0 limit 1");
        begun.checked_sub(done).expect("every unit was begun")
    }
}

/// Random numbers that a seed repeats (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64
    }

    /// `count` moments before `end`, one in each equal part of the time, in order.
    fn spread(&mut self, count: usize, end: Duration) -> Vec<Duration> {
        (0..count).map(|part| end.mul_f64((part as f64 + self.next()) / count as f64)).collect()
    }
}
