//! The server goes away in the middle of a load, and processes die at exact places of a batch.
//!
//! The places are held open by locks: a trigger waits for a lock that the test holds, so that the
//! kill meets the load exactly there.

use crate::support::loading::{Input, JobFile, JobText, Place};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Cluster, Gate, Running, TestDb};
use rowmill::batch::ledger::{Ledger, LedgerName};
use rowmill::{Append, BatchDone, Engine, Entity, ErrorKind, Iter, Job, Observer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const ROWS: usize = 12_000;
const BATCH_ROWS: u64 = 500;

/// Each batch is seen as soon as it is done.
const ONE_BY_ONE: &str = "batches_a_transaction = 1\n";

/// A load on a server of its own, and what holds it up.
struct Scene<'a> {
    input: Input,
    place: Place<'a>,
    job: JobFile,
}

impl<'a> Scene<'a> {
    fn new(cluster: &'a Cluster, mode: &'static str, limits: &str) -> Self {
        let input = Input::lineitem(ROWS, 997, true);
        let place = Place::Postgres(cluster.database("stop"));
        let mut text = JobText::of_mode(mode, BATCH_ROWS);
        text.limits = format!("workers = 2\n{limits}");
        place.create_lineitem(text.keyed);
        place.sql("create index by_part on lineitem (l_partkey)");
        if mode == "replace" {
            "indexes = \"rebuild\"\n".clone_into(&mut text.target);
        }
        let job = text.write(&input, &place);
        let scene = Self { input, place, job };
        scene.prepare(mode);
        scene
    }

    /// Makes the ledger, so that it can have triggers, and a function for them that waits while
    /// somebody holds the lock of its name. A table with a key has two rows that are not in the
    /// input; only `mirror` deletes them.
    fn prepare(&self, mode: &str) {
        let engine = Engine::open(&self.place.url()).unwrap();
        Ledger::open(&mut *engine.get().unwrap(), &LedgerName::default()).unwrap();
        self.place.sql(
            "create function gate() returns trigger language plpgsql as $$ begin \
             perform pg_advisory_xact_lock_shared(hashtext(tg_argv[0])); return null; end $$",
        );
        if mode == "mirror" {
            self.place.sql(
                "insert into lineitem select -n, 1, 1, 1, 1, 1, 1, 1, 'N', 'O', '1996-03-13', \
                 '1996-03-13', '1996-03-13', 'x', 'x', 'gone' from generate_series(1, 2) n",
            );
        }
    }

    fn database(&self) -> &TestDb<'a> {
        let Place::Postgres(database) = &self.place else { unreachable!() };
        database
    }

    fn hold(&self, gate: &str) -> postgres::Client {
        let mut holder = self.database().connect();
        let sql = format!("select pg_advisory_lock(hashtext('{gate}'))");
        holder.batch_execute(&sql).unwrap();
        holder
    }

    /// Lets the load, of one batch a transaction, not come to its end while the lock is held.
    fn hold_the_end(&self) -> postgres::Client {
        self.place.sql(
            "create trigger last after update on rowmill.batch for each row \
             when (new.phase = 0 and new.number = 20) execute function gate('last')",
        );
        self.hold("last")
    }

    /// Waits until a session of the load waits for a lock.
    fn wait_until_held(&self, run: &mut Running) {
        let mut looker = self.database().connect();
        let sql = "select exists (select from pg_locks l join pg_database d on d.oid = l.database \
                   where d.datname = current_database() and not granted)";
        let waits = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' \
                     and datname = current_database())";
        let reached = run.wait_until(|_| {
            let held = |client: &mut postgres::Client, sql: &str| -> bool {
                client.query_one(sql, &[]).unwrap().get(0)
            };
            held(&mut looker, sql) || held(&mut looker, waits)
        });
        assert!(reached, "it ended without being held: {}", run.stderr());
    }

    fn wait_until_units(&self, run: &mut Running, units: u64) {
        let mut probe = self.place.probe();
        assert!(run.wait_until(|_| probe.units_done() >= units), "too fast: {}", run.stderr());
    }

    fn complete(&self, told: &str) {
        let run = self.job.start().wait();
        assert_eq!(run.code, Some(0), "{told}: {run}");
        self.input.assert_exact(&self.place, told);
        let index = "select count(*) from pg_index where indexrelid = to_regclass('by_part')";
        assert_eq!(self.place.number(index), 1, "{told}");
    }
}

/// A place in the life of a load, and the trigger that holds it there.
struct Stop {
    name: &'static str,
    mode: &'static str,
    trigger: &'static str,
}

const STOPS: [Stop; 7] = [
    Stop {
        name: "rows of a batch are sent",
        mode: "append",
        trigger: "before insert on lineitem for each statement execute function gate('here')",
    },
    Stop {
        name: "a batch is in and marked",
        mode: "append",
        trigger: "after update on rowmill.batch for each row when (new.phase = 0) \
                  execute function gate('here')",
    },
    Stop {
        name: "a bucket is merged",
        mode: "upsert",
        trigger: "after insert on lineitem for each statement execute function gate('here')",
    },
    Stop {
        name: "a bucket is merged and marked",
        mode: "upsert",
        trigger: "after update on rowmill.batch for each row when (new.phase = 1) \
                  execute function gate('here')",
    },
    Stop {
        name: "missing keys are deleted",
        mode: "mirror",
        trigger: "after delete on lineitem for each statement execute function gate('here')",
    },
    Stop {
        name: "the end is marked",
        mode: "mirror",
        trigger: "after update on rowmill.batch for each row when (new.phase = 2) \
                  execute function gate('here')",
    },
    Stop {
        name: "a table without its indexes is filled",
        mode: "replace",
        trigger: "after insert on lineitem for each statement execute function gate('here')",
    },
];

/// batch R1, F45
#[test]
fn a_load_that_is_killed_at_an_exact_place_is_carried_on() {
    let cluster = Cluster::durable();
    for Stop { name, mode, trigger } in &STOPS {
        let scene = Scene::new(&cluster, mode, "");
        scene.place.sql(&format!("create trigger gate {trigger}"));
        let holder = scene.hold("here");
        let mut run = scene.job.start();
        scene.wait_until_held(&mut run);
        assert_eq!(run.kill().code, None, "{name}");
        drop(holder);
        scene.complete(name);
    }
}

/// exactly-once 2c
#[test]
fn a_process_that_wakes_up_after_another_has_finished_its_work_does_no_harm() {
    let cluster = Cluster::durable();
    for Stop { name, mode, trigger } in &STOPS {
        let scene = Scene::new(&cluster, mode, "");
        scene.place.sql(&format!("create trigger gate {trigger}"));
        let holder = scene.hold("here");
        let mut sleeper = scene.job.start();
        scene.wait_until_held(&mut sleeper);
        sleeper.freeze();
        // Nobody else can work on the job as long as its sessions are there.
        let others = "select pg_terminate_backend(pid, 60000) from pg_stat_activity \
                      where datname = current_database() and application_name like 'rowmill%'";
        scene.place.sql(others);
        drop(holder);
        scene.complete(name);
        sleeper.signal("CONT");
        let sleeper = sleeper.wait();
        assert_eq!(sleeper.code, Some(0), "{name}: {sleeper}");
        scene.input.assert_exact(&scene.place, name);
    }
}

#[test]
fn a_load_that_is_killed_before_it_has_claimed_a_batch_is_carried_on() {
    let cluster = Cluster::durable();
    let scene = Scene::new(&cluster, "append", "");
    // The claim waits for whoever has the row of the batch.
    scene.place.sql("create trigger gate before insert on lineitem for each statement execute function gate('here')");
    let gate = scene.hold("here");
    let mut run = scene.job.start();
    scene.wait_until_held(&mut run);
    let mut holder = scene.database().connect();
    let mut transaction = holder.transaction().unwrap();
    transaction.execute("select from rowmill.batch where number = 5 for update", &[]).unwrap();
    drop(gate);
    scene.wait_until_units(&mut run, 5);
    scene.wait_until_held(&mut run);
    assert_eq!(run.kill().code, None);
    transaction.rollback().unwrap();
    scene.complete("before the claim");
}

/// batch R7: what the server forgets with it is done again, and nothing is merged that it could
/// forget.
#[test]
fn a_server_that_stops_at_an_exact_place_and_comes_back_is_waited_for() {
    let cluster = Cluster::forgetful();
    for Stop { name, mode, trigger } in &STOPS {
        let scene = Scene::new(&cluster, mode, "");
        scene.place.sql(&format!("create trigger gate {trigger}"));
        let holder = scene.hold("here");
        let _held = cluster.hold_log();
        let mut run = scene.job.start();
        scene.wait_until_held(&mut run);
        // The gate is gone with its holder.
        cluster.stop_immediate();
        drop(holder);
        cluster.restart();
        let run = run.wait();
        assert_eq!(run.code, Some(0), "{name}: {run}");
        scene.input.assert_exact(&scene.place, name);
    }
}

#[test]
fn a_server_that_is_away_for_a_while_is_waited_for() {
    let cluster = Cluster::durable();
    for mode in ["append", "upsert"] {
        let scene = Scene::new(&cluster, mode, ONE_BY_ONE);
        let _held = scene.hold_the_end();
        let mut run = scene.job.start();
        scene.wait_until_units(&mut run, 5);
        cluster.stop_immediate();
        // Long enough for attempts of every worker to fail.
        std::thread::sleep(Duration::from_secs(2));
        assert!(run.is_running(), "{mode}: {}", run.stderr());
        cluster.restart();
        let run = run.wait();
        assert_eq!(run.code, Some(0), "{mode}: {run}");
        scene.input.assert_exact(&scene.place, mode);
    }
}

/// exactly-once 4c
#[test]
fn a_server_that_is_away_for_longer_than_the_patience_ends_the_run_and_the_next_completes() {
    let cluster = Cluster::durable();
    let limits = format!("{ONE_BY_ONE}retry_for = \"1s\"\n");
    let scene = Scene::new(&cluster, "append", &limits);
    let _held = scene.hold_the_end();
    let mut run = scene.job.start();
    scene.wait_until_units(&mut run, 5);
    cluster.stop_immediate();
    let stopped = std::time::Instant::now();
    let run = run.wait();
    assert_eq!(run.code, Some(4), "{run}");
    let waited = stopped.elapsed();
    assert!(waited.as_secs() < 15, "retry_for is 1 s, and it waited {waited:?}");
    cluster.restart();
    scene.complete("after the patience");
}

#[derive(Debug, Entity)]
#[entity(table = "numbers")]
struct Number {
    id: i64,
}

/// Stops the run at a gate once its second batch is in.
struct SecondBatch {
    gate: Gate,
    done: AtomicU32,
}

impl Observer for SecondBatch {
    fn batch_done(&self, _: &BatchDone) {
        if self.done.fetch_add(1, Ordering::Relaxed) == 1 {
            self.gate.pass();
        }
    }
}

/// Twenty numbers in two batches, one after the other; stops at the gate within the second, while
/// no connection is held.
fn two_batches(gate: Option<Gate>) -> Job {
    Job::named("unnoticed")
        .read(Iter::new("numbers", || (0..20).map(|id| Number { id })))
        .map(move |number: Number| {
            if let Some(gate) = gate.as_ref().filter(|_| number.id == 15) {
                gate.pass();
            }
            Ok(number)
        })
        .write(Append::<Number>::new().create(true))
        .batch_rows(10)
        .workers(1)
}

#[test]
fn a_run_that_never_noticed_that_the_server_was_away_holds_its_lock_all_the_same() {
    let cluster = Cluster::durable();
    let database = cluster.database("unnoticed");
    let (away, second) = (Gate::closed(), Gate::closed());
    let observer = SecondBatch { gate: second.clone(), done: AtomicU32::new(0) };
    let first = two_batches(Some(away.clone())).observer(Arc::new(observer));
    std::thread::scope(|scope| {
        let engine = Engine::builder(&database.url()).pre_ping(true);
        let engine = engine.pool(|pool| pool.ping_bypass(Duration::ZERO)).build().unwrap();
        let first = scope.spawn(move || first.run(&engine));
        away.wait_until_reached();
        cluster.restart();
        away.open();
        // The pool has replaced the connection that broke, and no statement ever failed.
        second.wait_until_reached();
        let other = two_batches(None).run(&Engine::open(&database.url()).unwrap()).unwrap_err();
        second.open();
        assert_eq!(other.kind(), ErrorKind::AlreadyRunning, "{other}");
        let report = first.join().unwrap().unwrap();
        assert_eq!((report.inserted, report.retries), (20, 0));
    });
}

#[test]
fn a_run_that_lost_the_server_holds_its_lock_again_when_it_goes_on() {
    let cluster = Cluster::durable();
    let scene = Scene::new(&cluster, "append", ONE_BY_ONE);
    scene.place.sql("create trigger gate before insert on lineitem for each statement execute function gate('here')");
    let _held = scene.hold_the_end();
    let proxy = Proxy::to(cluster.port());
    let url = proxy.instead_of(&scene.place.url());
    let mut run = scene.job.run().env("ROWMILL_TARGET", &url).spawn();
    scene.wait_until_units(&mut run, 3);
    // It does not find the server again before the test holds it up.
    proxy.set(Fault::TurnAway);
    cluster.stop_immediate();
    std::thread::sleep(Duration::from_secs(2));
    cluster.restart();
    let holder = scene.hold("here");
    proxy.set(Fault::Pass);
    scene.wait_until_held(&mut run);
    let second = scene.job.start().wait();
    assert_eq!(second.code, Some(5), "{second}");
    drop(holder);
    let run = run.wait();
    assert_eq!(run.code, Some(0), "{run}");
    scene.input.assert_exact(&scene.place, "after the second start");
}
