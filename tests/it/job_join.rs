//! Several processes on one job: what each does is done once, whoever of them dies and whenever.
//!
//! `tests/faults job_join` runs the kills at full size. `ROWMILL_FAULT_ROWS` and
//! `ROWMILL_FAULT_KILLS` set the size, `ROWMILL_FAULT_SEED` repeats the choices of an earlier run.

use crate::support::loading::{Difference, Input, JobFile, JobText, Place};
use crate::support::trial::Random;
use crate::support::{Cluster, Finished, Running, shared};
use std::hash::{BuildHasher, RandomState};

const MEMBERS: usize = 8;

fn setting(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number")),
        Err(_) => default,
    }
}

/// A load that several processes share.
struct Load<'a> {
    input: Input,
    place: Place<'a>,
    job: JobFile,
}

impl<'a> Load<'a> {
    fn new(place: Place<'a>, mode: &'static str, rows: usize, limits: &str) -> Self {
        let input = Input::lineitem(rows, rows / 40 + 1, true);
        let mut text = JobText::of_mode(mode, (rows as u64 / 100).max(50));
        text.limits = format!("workers = 2\n{limits}");
        place.create_lineitem(text.keyed);
        if mode == "mirror" {
            place.sql(
                "insert into lineitem select -n, 1, 1, 1, 1, 1, 1, 1, 'N', 'O', '1996-03-13', \
                 '1996-03-13', '1996-03-13', 'x', 'x', 'gone' from generate_series(1, 2) n",
            );
        }
        let job = text.write(&input, &place);
        Self { input, place, job }
    }

    fn on_shared(mode: &'static str, rows: usize, limits: &str) -> Load<'static> {
        Load::new(Place::Postgres(shared().database("join")), mode, rows, limits)
    }

    fn start(&self, members: usize) -> Vec<Running> {
        (0..members).map(|member| self.job.join(member)).collect()
    }

    fn units_done(&self) -> u64 {
        self.place.probe().units_done()
    }
}

fn all_wait(members: Vec<Running>) -> Vec<Finished> {
    members.into_iter().map(Running::wait).collect()
}

/// batch R5, exactly-once 9a
#[test]
fn several_processes_do_one_job_and_each_says_what_it_did() {
    for mode in ["append", "upsert", "mirror"] {
        let load = Load::on_shared(mode, 20_000, "");
        for run in all_wait(load.start(4)) {
            assert_eq!(run.code, Some(0), "{mode}: {run}");
        }
        load.input.assert_exact(&load.place, mode);
        let reports: Vec<_> = (0..4).map(|member| load.job.share_report(member)).collect();
        for name in ["read", "inserted", "rejected", "batches"] {
            let of = |report: &serde_json::Value| report["share"][name].as_u64().unwrap_or(0);
            let total = reports[0][name].as_u64().unwrap();
            assert!(reports.iter().all(|report| report[name] == total), "{mode}: {name}");
            assert_eq!(reports.iter().map(of).sum::<u64>(), total, "{mode}: {name}");
        }
        let seals = "select count(*) from rowmill.batch where phase = 3 and done";
        assert_eq!(load.place.number(seals), u64::from(mode != "append"), "sealed once");
        let late = load.job.join(9).wait();
        assert_eq!(late.code, Some(0), "{late}");
        assert!(late.stderr.contains("already complete"), "{late}");
    }
}

/// Kills members at random and starts others in their place, until there were enough kills or the
/// job is through; returns how many there were.
fn kill_and_replace(load: &Load<'_>, random: &mut Random, kills: usize, seed: u64) -> usize {
    let mut members = load.start(MEMBERS);
    let mut killed = 0;
    let units: u64 = 100;
    for step in 0..kills as u64 {
        // One kill in each equal part of the work, at a random place of it.
        let at = (step * units + random.below(units)) / kills as u64;
        let victim = random.below(MEMBERS as u64) as usize;
        let reached = members[victim].wait_until(|_| load.units_done() >= at);
        if !reached {
            break;
        }
        let member = MEMBERS * (step as usize + 1) + victim;
        let run = std::mem::replace(&mut members[victim], load.job.join(member)).kill();
        match run.code {
            None => killed += 1,
            Some(code) => assert_eq!(code, 0, "seed {seed}: {run}"),
        }
    }
    for run in all_wait(members) {
        assert_eq!(run.code, Some(0), "seed {seed}: {run}");
    }
    killed
}

fn survives_kills(mode: &'static str) {
    let cluster = Cluster::durable();
    let seed = setting("ROWMILL_FAULT_SEED", RandomState::new().hash_one(0) as usize) as u64;
    let mut random = Random(seed);
    let wanted = setting("ROWMILL_FAULT_KILLS", 6);
    let rows = setting("ROWMILL_FAULT_ROWS", 40_000);
    let (mut kills, mut loads) = (0, 0);
    let (mut lost, mut rejects) = (Difference::default(), Difference::default());
    while kills < wanted {
        assert!(loads < 20, "too few kills hit: {kills}, seed {seed}");
        let load = Load::new(Place::Postgres(cluster.database("join")), mode, rows, "");
        kills += kill_and_replace(&load, &mut random, (wanted - kills).min(12), seed);
        loads += 1;
        lost += load.input.difference(&load.place);
        rejects += load.input.reject_difference(&load.place);
        let dead = "select count(*) from rowmill.run where status = 'running'";
        let alone = load.job.start().wait();
        assert_eq!(alone.code, Some(0), "seed {seed}: {alone}");
        let crashed = "select count(*) from rowmill.run where status = 'crashed'";
        eprintln!("{} found dead, {} unfound", load.place.value(crashed), load.place.value(dead));
    }
    eprintln!(
        "FAULTS join {mode} members={MEMBERS} rows={rows} seed={seed} kills={kills} loads={loads} \
         lost={} duplicated={} rejects_lost={} rejects_duplicated={}",
        lost.lost, lost.duplicated, rejects.lost, rejects.duplicated
    );
    assert_eq!((lost, rejects), Default::default(), "seed {seed}");
}

/// batch R5, exactly-once 9b
#[test]
fn eight_processes_that_append_without_a_key_survive_kills_at_random_moments() {
    survives_kills("append");
}

/// batch R5, exactly-once 9b
#[test]
fn eight_processes_that_upsert_survive_kills_at_random_moments() {
    survives_kills("upsert");
}

/// batch R5, exactly-once 9b
#[test]
fn eight_processes_that_mirror_survive_kills_at_random_moments() {
    survives_kills("mirror");
}

/// Members whose writing transactions wait for the lock that is returned.
fn held(load: &Load<'_>) -> postgres::Client {
    load.place.sql(
        "create function gate() returns trigger language plpgsql as $$ begin \
         perform pg_advisory_xact_lock_shared(4711); return null; end $$; \
         create trigger gate after insert on lineitem for each statement execute function gate()",
    );
    let Place::Postgres(database) = &load.place else { unreachable!() };
    let mut holder = database.connect();
    holder.batch_execute("select pg_advisory_lock(4711)").unwrap();
    holder
}

fn wait_until_held(runs: &mut [Running], holder: &mut postgres::Client, waiting: i64) {
    let sql = "select count(*) from pg_locks l join pg_database d on d.oid = l.database \
               where d.datname = current_database() and locktype = 'advisory' and objid = 4711 \
               and not granted";
    let reached =
        runs[0].wait_until(|_| holder.query_one(sql, &[]).unwrap().get::<_, i64>(0) >= waiting);
    assert!(reached, "it ended without being held: {}", runs[0].stderr());
}

#[test]
fn a_run_that_does_not_join_is_told_who_is_at_work_and_so_is_one_that_joins_it() {
    let load = Load::on_shared("append", 5_000, "");
    let mut holder = held(&load);
    let mut members = load.start(2);
    wait_until_held(&mut members, &mut holder, 4);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let alone = load.job.start().wait();
    assert_eq!(alone.code, Some(5), "{alone}");
    let at_work = format!("already running on {}, process", host.trim());
    assert!(alone.stderr.contains(&at_work), "{alone}");
    assert!(alone.stderr.contains("and by 1 more"), "{alone}");
    drop(holder);
    for run in all_wait(members) {
        assert_eq!(run.code, Some(0), "{run}");
    }
    load.input.assert_exact(&load.place, "two members");

    let load = Load::on_shared("append", 5_000, "");
    let mut holder = held(&load);
    let mut alone = [load.job.start()];
    wait_until_held(&mut alone, &mut holder, 2);
    let joins = load.job.join(1).wait();
    assert_eq!(joins.code, Some(5), "{joins}");
    let at_work = format!("already running on {}, process {}", host.trim(), alone[0].pid());
    assert!(joins.stderr.contains(&at_work), "{joins}");
    drop(holder);
    let [alone] = alone.map(Running::wait);
    assert_eq!(alone.code, Some(0), "{alone}");
    load.input.assert_exact(&load.place, "one alone");
}

/// F53
#[test]
fn the_limit_of_rejects_is_exact_over_all_processes() {
    let bad = Load::on_shared("append", 8_000, "").input.bad_rows();
    for (limit, code) in [(bad - 1, 3), (bad, 0)] {
        let load = Load::on_shared("append", 8_000, "");
        let text = std::fs::read_to_string(load.job.path()).unwrap();
        let text = text.replace("max_rejects = 100000", &format!("max_rejects = {limit}"));
        std::fs::write(load.job.path(), text).unwrap();
        let runs = all_wait(load.start(4));
        assert!(runs.iter().all(|run| run.code == Some(code)), "{code}: {}", runs[0]);
        let stored = load.place.number("select count(*) from rowmill.reject");
        assert!(stored <= limit, "{stored} of at most {limit}");
        assert_eq!(load.place.number("select rejected from rowmill.job"), stored);
        assert_eq!(load.place.number("select sum(rejected) from rowmill.batch"), stored);
        if code == 0 {
            load.input.assert_exact(&load.place, "at the limit");
        }
    }
}

/// exactly-once 2c
#[test]
fn the_limit_of_a_kind_of_rejects_is_exact_over_all_processes() {
    let load = Load::on_shared("append", 4_000, "");
    assert!(all_wait(load.start(1)).iter().all(|run| run.code == Some(0)));
    let of_kind = "select count(*) from rowmill.reject where stage = 'convert'";
    let bad = load.place.number(of_kind);
    assert!(0 < bad && bad < load.input.bad_rows(), "{bad}");
    for (limit, code) in [(bad - 1, 3), (bad, 0)] {
        let load =
            Load::on_shared("append", 4_000, &format!("on = {{ convert = {limit}, \"53\" = 0 }}"));
        let runs = all_wait(load.start(4));
        assert!(runs.iter().all(|run| run.code == Some(code)), "{code}: {}", runs[0]);
        let (of_kind, all) =
            (load.place.number(of_kind), load.place.number("select count(*) from rowmill.reject"));
        assert!(of_kind <= limit, "{of_kind} of at most {limit}");
        assert_eq!(load.place.number("select rejected from rowmill.job"), all);
        if code == 3 {
            let told = runs[0].stderr.contains("rows rejected by convert");
            assert!(told && runs[0].stderr.contains("are allowed"), "{}", runs[0]);
        } else {
            load.input.assert_exact(&load.place, "at the limit");
        }
    }
}

/// A process that stands still between two batches: one that holds a batch holds up the end of the job,
/// as it must. `None` if it came to its end without being met there.
fn asleep_between_two_batches(mode: &'static str) -> Option<(Load<'static>, Running)> {
    let load = Load::on_shared(mode, 20_000, "");
    let mut sleeper = load.job.join(0);
    if !sleeper.wait_until(|_| load.units_done() >= 5) {
        return None;
    }
    let Place::Postgres(database) = &load.place else { unreachable!() };
    let mut looker = database.connect();
    let busy = "select exists (select from pg_stat_activity where pid <> pg_backend_pid() \
                and datname = current_database() and xact_start is not null)";
    while sleeper.is_running() {
        sleeper.freeze();
        if !looker.query_one(busy, &[]).unwrap().get::<_, bool>(0) {
            return Some((load, sleeper));
        }
        sleeper.signal("CONT");
        std::thread::yield_now();
    }
    None
}

#[test]
fn a_process_that_is_stopped_in_its_tracks_and_wakes_when_all_is_done_does_no_harm() {
    for mode in ["append", "mirror"] {
        let asleep = (0..20).find_map(|_| asleep_between_two_batches(mode));
        let (load, sleeper) = asleep.expect("it never rested");
        let other = load.job.join(1).wait();
        assert_eq!(other.code, Some(0), "{mode}: {other}");
        load.input.assert_exact(&load.place, mode);
        sleeper.signal("CONT");
        let sleeper = sleeper.wait();
        assert_eq!(sleeper.code, Some(0), "{mode}: {sleeper}");
        load.input.assert_exact(&load.place, mode);
    }
}

#[test]
fn sqlite_has_one_writer_and_refuses_to_be_shared() {
    let input = Input::lineitem(100, 50, false);
    let place = Place::sqlite();
    place.create_lineitem(false);
    let run = JobText::of_mode("append", 50).write(&input, &place).join(0).wait();
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("cannot share a job here"), "{run}");
    assert!(run.stderr.contains("run it without --join"), "{run}");
}
