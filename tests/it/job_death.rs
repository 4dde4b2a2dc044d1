//! The process of a load dies, or is asked to end, at every place that can be told from outside:
//! before each message that it sends, behind each COMMIT, together with its server, at any moment.
//!
//! `ROWMILL_FAULT_POOL=full` (`tests/faults death`) puts it through every message and 200 signals.

use crate::support::loading::{Input, JobFile, JobText, Place};
use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::trial::{Random, is_full, seed, sized};
use crate::support::{Cluster, Running, shared};
use std::time::{Duration, Instant};

/// A load of a few batches, whose every message passes a proxy.
struct Watched {
    input: Input,
    mode: &'static str,
    proxy: Proxy,
}

/// What one load came to.
struct Cell<'a> {
    place: Place<'a>,
    job: JobFile,
    url: String,
}

impl Watched {
    fn new(input: Input, mode: &'static str) -> Self {
        Self { input, mode, proxy: Proxy::to(shared().port()) }
    }

    fn cell(&self) -> Cell<'static> {
        let place = Place::Postgres(shared().database("death"));
        let mut text = JobText::of_mode(self.mode, 40);
        "workers = 2\n".clone_into(&mut text.limits);
        place.create_lineitem(text.keyed);
        let (job, url) = (text.write(&self.input, &place), self.proxy.instead_of(&place.url()));
        Cell { place, job, url }
    }

    /// How many messages an undisturbed load sends, and how many of them are COMMIT.
    fn undisturbed(&self) -> (u64, u64) {
        let cell = self.cell();
        self.proxy.set(Fault::Pass);
        assert_eq!(cell.start().wait().code, Some(0));
        self.input.assert_exact(&cell.place, "undisturbed");
        (self.proxy.client_messages(), self.proxy.commits())
    }

    /// Runs a load that dies where `faults` say, one after the other, and is then left alone. How
    /// many of them it met.
    fn dies_at(&self, faults: &[(u64, Fault)], told: &str) -> u64 {
        let (cell, mut met) = (self.cell(), 0);
        for (spared, fault) in faults {
            self.proxy.set_after_commits(*spared, *fault);
            let mut run = cell.start();
            let is_there = run.wait_until(|_| self.proxy.fault() == Fault::Pass);
            let run = if is_there { run.kill() } else { run.wait() };
            met += u64::from(run.code.is_none());
            assert!(matches!(run.code, None | Some(0)), "{told}: {run}");
        }
        self.proxy.set(Fault::Pass);
        let run = cell.start().wait();
        assert_eq!(run.code, Some(0), "{told}: {run}");
        self.input.assert_exact(&cell.place, told);
        let open = "select count(*) from rowmill.batch where not done";
        assert_eq!(cell.place.number(open), 0, "{told}");
        met
    }

    /// Dies once before each of the messages, or before some of them; these are none of the last fifth, for
    /// how many there are is not always the same, and a run is soon over behind them.
    fn sweep(&self, id: &str, some: u64) {
        let seed = seed();
        let mut random = Random(seed);
        let (messages, commits) = self.undisturbed();
        let at_message =
            |number| Fault::Cut { at: Moment::ClientMessage(number), end: End::Silence };
        let chosen: Vec<u64> = match is_full() {
            true => (1..=messages).collect(),
            false => (0..some).map(|_| 1 + random.below(messages * 4 / 5)).collect(),
        };
        let mut met = 0;
        for message in &chosen {
            let told = format!("message {message} of {messages}, seed {seed}");
            met += self.dies_at(&[(0, at_message(*message))], &told);
        }
        let behind: Vec<u64> = match is_full() {
            true => (0..commits).collect(),
            false => (0..some / 4).map(|_| random.below(commits * 4 / 5)).collect(),
        };
        for spared in &behind {
            let fault = Fault::Cut { at: Moment::AfterCommit, end: End::Silence };
            met += self.dies_at(&[(*spared, fault)], &format!("COMMIT {spared}, seed {seed}"));
        }
        let all = (chosen.len() + behind.len()) as u64;
        eprintln!(
            "FAULTS {id} {} messages={messages} commits={commits} deaths={met} of {all} failed=0 seed={seed}",
            self.mode
        );
        assert!(met * 10 >= all * 7, "{met} of {all} deaths, seed {seed}");
    }
}

impl Cell<'_> {
    fn start(&self) -> Running {
        self.job.run().env("ROWMILL_TARGET", &self.url).spawn()
    }
}

/// F45, batch R1, R2: the process dies before a message that it was about to send, or behind a
/// COMMIT of which it does not hear, wherever in its life that is.
#[test]
fn a_load_that_dies_before_any_message_is_carried_on() {
    Watched::new(Input::lineitem(150, 1_000_000, false), "append").sweep("F45", 6);
    Watched::new(Input::lineitem(150, 1_000_000, false), "mirror").sweep("F45", 4);
}

/// F54: most messages of this load look for bad rows or write them down.
#[test]
fn a_load_that_dies_while_bad_rows_are_looked_for_keeps_each_reject_once() {
    Watched::new(Input::lineitem(120, 6, true), "append").sweep("F54", 4);
    Watched::new(Input::lineitem(120, 6, true), "upsert").sweep("F54", 4);
}

/// F46: it dies again while it is carried on, three times in a row.
#[test]
fn a_load_that_dies_three_times_in_a_row_is_carried_on() {
    let watched = Watched::new(Input::lineitem(150, 40, true), "append");
    let (messages, _) = watched.undisturbed();
    let seed = seed();
    let (mut random, mut met) = (Random(seed), 0);
    let rounds = sized(3, 30);
    for _ in 0..rounds {
        let deaths: Vec<_> = (0..3)
            .map(|_| Moment::ClientMessage(1 + random.below(messages / 2)))
            .map(|at| (0, Fault::Cut { at, end: End::Silence }))
            .collect();
        met += watched.dies_at(&deaths, &format!("{deaths:?}, seed {seed}"));
    }
    eprintln!("FAULTS F46 deaths={met} of {} seed={seed}", 3 * rounds);
    assert!(met >= rounds, "{met}, seed {seed}");
}

/// A load that is large enough to be met in the middle.
fn long_load<'a>(place: Place<'a>, mode: &'static str) -> (Input, Place<'a>, JobFile) {
    let input = Input::lineitem(10_000, 997, true);
    let mut text = JobText::of_mode(mode, 250);
    "workers = 2\n".clone_into(&mut text.limits);
    place.create_lineitem(text.keyed);
    let job = text.write(&input, &place);
    (input, place, job)
}

/// F46, batch R7: the process and its server are killed together. The server forgets commits that
/// had not reached its disk, the marks of their batches among them; never one of a run that had
/// said that it is complete.
#[test]
fn a_load_that_is_killed_together_with_its_server_is_carried_on() {
    let cluster = Cluster::forgetful();
    let seed = seed();
    let (mut random, mut kills, mut forgotten) = (Random(seed), 0, 0);
    for mode in ["append", "upsert"] {
        let (input, place, job) = long_load(Place::Postgres(cluster.database("both")), mode);
        for _ in 0..sized(2, 20) {
            let mut probe = place.probe();
            let units = probe.units_done() + 1 + random.below(8);
            let _held = cluster.hold_log();
            let mut run = job.start();
            let is_there = run.wait_until(|_| probe.units_done() >= units);
            let done = probe.units_done();
            cluster.kill();
            let run = if is_there { run.kill() } else { run.wait() };
            cluster.restart();
            kills += 1;
            forgotten += done.saturating_sub(place.probe().units_done());
            if run.code == Some(0) {
                input.assert_exact(&place, &format!("{mode} is complete, seed {seed}"));
                break;
            }
        }
        let run = job.start().wait();
        assert_eq!(run.code, Some(0), "{mode}, seed {seed}: {run}");
        input.assert_exact(&place, &format!("{mode}, seed {seed}"));
    }
    eprintln!("FAULTS F46 server kills={kills} units_forgotten={forgotten} seed={seed}");
    assert!(forgotten > 0, "the server forgot nothing: nothing is proven, seed {seed}");
}

/// batch R7: the end of a load waits for the disk, and everything before it with it. The load is
/// carried on: one that does all of it in one run writes down behind its end how long that took, and
/// waits for the disk once more.
#[test]
fn a_load_that_is_complete_is_not_forgotten_with_its_server() {
    let cluster = Cluster::forgetful();
    for mode in ["append", "upsert", "mirror"] {
        let (input, place, job) = long_load(Place::Postgres(cluster.database("complete")), mode);
        let mut probe = place.probe();
        let mut run = job.start();
        assert!(run.wait_until(|_| probe.units_done() >= 3), "{mode}: {}", run.stderr());
        assert_eq!(run.kill().code, None, "{mode}");
        let _held = cluster.hold_log();
        let run = job.start().wait();
        cluster.kill();
        cluster.restart();
        assert_eq!(run.code, Some(0), "{mode}: {run}");
        input.assert_exact(&place, mode);
    }
}

/// F44: it is asked to end at any moment, half of the times once more right behind: it ends with a
/// code of its own, no batch is half in, and what is left is done by the next start.
#[test]
fn a_load_that_is_asked_to_end_at_any_moment_ends_in_order() {
    let seed = seed();
    let mut random = Random(seed);
    let (mut asked, mut stopped, mut longest) = (0, 0, Duration::ZERO);
    while asked < sized(6, 200) {
        let place = match random.below(4) {
            0 => Place::sqlite(),
            _ => Place::Postgres(shared().database("asked")),
        };
        let mode = ["append", "upsert"][random.below(2) as usize];
        let (input, place, job) = long_load(place, mode);
        loop {
            let mut probe = place.probe();
            let units = probe.units_done() + random.below(12);
            let mut run = job.start();
            if run.wait_until(|_| probe.units_done() >= units) {
                asked += 1;
                run.signal(["TERM", "INT"][random.below(2) as usize]);
                let since = Instant::now();
                if random.below(2) == 0
                    && run.wait_until(|run| run.stderr().contains("in flight are"))
                {
                    run.signal("TERM");
                }
                let run = run.wait();
                longest = longest.max(since.elapsed());
                // One that had not come to listen yet dies of it; one that was through says so.
                assert!(matches!(run.code, Some(6 | 0) | None), "seed {seed}: {run}");
                stopped += u64::from(run.code == Some(6));
                assert_no_partial_batch(&place, seed);
                if run.code != Some(0) {
                    continue;
                }
            }
            break;
        }
        let run = job.start().wait();
        assert_eq!(run.code, Some(0), "seed {seed}: {run}");
        input.assert_exact(&place, &format!("{mode}, seed {seed}"));
    }
    eprintln!("FAULTS F44 signals={asked} stopped={stopped} longest={longest:?} seed={seed}");
    assert!(stopped > 0, "seed {seed}");
}

/// What is in the table, or in the stage, is what the batches say that are done.
fn assert_no_partial_batch(place: &Place<'_>, seed: u64) {
    if place.probe().units_done() == 0 {
        return;
    }
    let counted = format!("select coalesce(sum(rejected), 0) from {}", place.own("batch"));
    let stored = format!("select count(*) from {}", place.own("reject"));
    assert_eq!(place.number(&stored), place.number(&counted), "rejects, seed {seed}");
    let counted = format!("select coalesce(sum(inserted), 0) from {}", place.own("batch"));
    let there = place.number("select count(*) from lineitem");
    assert_eq!(there, place.number(&counted), "rows, seed {seed}");
}
