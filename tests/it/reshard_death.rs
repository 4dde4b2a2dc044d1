//! Whoever moves buckets dies, is stopped, or is overtaken.

use crate::support::reshard::{
    Sale, assert_nothing_is_left, grown, reshard, rows, sales, with_sales,
};
use crate::support::shards::{Shards, on_both_shards};
use crate::support::{Gate, Invocation, TestDb, rowmill};
use rowmill::{Delete, ErrorKind, MoveStep, ShardMap, ShardedEngine, Update};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// Something of a database that the move needs, held by somebody else, and how that shows.
struct Hold {
    name: &'static str,
    database: usize,
    sql: &'static str,
}

/// All the places at which it is killed, in the order in which it comes to them: in the middle of each
/// step, and between its end and the record of the next.
const HOLDS: &[Hold] = &[
    hold("recording the beginning", 0, "lock rowmill.shard_move in exclusive mode"),
    hold("capturing", 0, "lock sale in row exclusive mode"),
    hold("copying", 1, "lock rowmill.batch in exclusive mode"),
    hold("ending the copy", 0, "select pg_advisory_xact_lock(hashtext('catch-up'))"),
    hold("catching up", 1, "lock rowmill.shard_stage_1 in share mode"),
    hold("trying whether it fits", 1, "lock sale in share mode"),
    hold("ending the catch-up", 0, "select pg_advisory_xact_lock(hashtext('switch'))"),
    hold("switching who gives", 0, "select from rowmill.shard_map for share"),
    hold("bringing over what is left", 1, "lock rowmill.shard_stage_1 in share mode"),
    hold("ending the switch", 0, "select pg_advisory_xact_lock(hashtext('merge'))"),
    hold("deleting", 0, "select pg_advisory_xact_lock(hashtext('delete'))"),
    hold("bringing the rows in", 1, "lock sale in share mode"),
    hold("switching who takes", 1, "select from rowmill.shard_map for share"),
    hold("ending the merge", 0, "select pg_advisory_xact_lock(hashtext('clean'))"),
    hold("cleaning up", 0, "lock sale in row share mode"),
    hold("ending it", 0, "select pg_advisory_xact_lock(hashtext('done'))"),
];

/// While it is killed at these, nobody can write to what is moved.
const SWITCHING: [&str; 6] = [
    "bringing over what is left",
    "ending the switch",
    "deleting",
    "bringing the rows in",
    "switching who takes",
    "ending the merge",
];

const fn hold(name: &'static str, database: usize, sql: &'static str) -> Hold {
    Hold { name, database, sql }
}

/// Triggers of the test: whoever enters a step, or deletes a sale, waits for whoever holds its lock.
const STOP_AT_STEPS: &str = "create function stop() returns trigger language plpgsql as \
    'begin if new.step <> old.step then perform pg_advisory_xact_lock(hashtext(new.step)); end if; \
     return new; end'; \
    create trigger stop before update on rowmill.shard_move for each row execute function stop(); \
    create function stop_delete() returns trigger language plpgsql as \
    'begin perform pg_advisory_xact_lock_shared(hashtext(''delete'')); return old; end'; \
    create trigger stop before delete on sale for each row execute function stop_delete()";

fn command(shards: &Shards, words: &[&str]) -> Invocation {
    let named = shards.urls().iter().map(|(name, url)| format!("{name}={url}"));
    let command = words.iter().fold(rowmill(["shards"]), Invocation::arg);
    named.fold(command, |command, named| command.arg("--shard").arg(named))
}

fn wait_until_somebody_waits(database: &TestDb<'_>) {
    database.wait_until(
        "select exists (select from pg_stat_activity \
         where datname = current_database() and wait_event_type = 'Lock')",
    );
}

/// Waits until the server has noticed that whoever held locks of its own is dead.
fn wait_until_nobody_has_a_lock(shards: &Shards) {
    for database in shards.databases() {
        database.wait_until(
            "select not exists (select from pg_locks l join pg_database d on d.oid = l.database \
             where l.locktype = 'advisory' and d.datname = current_database())",
        );
    }
}

/// Changes rows by the map that holds, whichever that is.
fn change(shards: &Shards, model: &mut Vec<Sale>, round: i64) {
    let any = ShardedEngine::builder(ShardMap::hashed(["a", "b"]).unwrap());
    let any = shards.urls().iter().fold(any, |builder, (name, url)| builder.shard(name, url));
    let any = any.build().unwrap();
    let engine = any.with_map(any.stored_map().unwrap()).build().unwrap();
    let raise = Update::<Sale>::new().set(Sale::cents, round).filter(Sale::id.lt(40 * round));
    engine.writer().update(&raise).unwrap().all().unwrap();
    let drop = Delete::<Sale>::new().filter(Sale::id.eq(1_000 - round));
    engine.writer().delete(&drop).unwrap().all().unwrap();
    model.iter_mut().filter(|sale| sale.id < 40 * round).for_each(|sale| sale.cents = round);
    model.retain(|sale| sale.id != 1_000 - round);
}

#[test]
fn killed_at_every_step_and_started_again_it_goes_on_and_every_row_is_there_once() {
    let shards = Shards::postgres(2);
    let mut model = sales(1_001);
    let before = with_sales(&shards, 2, &model);
    let b = before.map().shard_named("b").unwrap();
    // One small move makes the record, on which the holds stand.
    let first = before.with_map(before.map().with_buckets_on([0], b).unwrap()).build().unwrap();
    reshard(&first).run().unwrap();
    shards.databases()[0].sql(STOP_AT_STEPS);

    let begin = ["move", "--buckets", "1-20", "--to", "b", "--table", "sale=customer"];
    let words = [&begin[..], &["--batch-rows", "100", "--workers", "2"]].concat();
    for (round, hold) in (1..).zip(HOLDS) {
        eprintln!("killed while {}", hold.name);
        let database = &shards.databases()[hold.database];
        let mut holder = database.connect();
        holder.batch_execute(&format!("begin; {}", hold.sql)).unwrap();
        let running = command(&shards, &words).spawn();
        wait_until_somebody_waits(database);
        let killed = running.kill();
        assert_eq!(killed.stdout, "", "{killed}");
        drop(holder);
        wait_until_nobody_has_a_lock(&shards);
        if !SWITCHING.contains(&hold.name) {
            change(&shards, &mut model, round);
        }
    }
    let ended = command(&shards, &words).finish();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stdout.contains("move to version 3: done"), "{ended}");
    let map = first.map().with_buckets_on(1..=20, b).unwrap();
    assert_eq!(rows(&first.with_map(map).build().unwrap()), model);
    assert_nothing_is_left(&shards);
    // And once more, it is done.
    let again = command(&shards, &words).finish();
    assert!(again.code == Some(0) && again.stdout.contains("version 3: done"), "{again}");
}

/// It unwinds as if the thread had died there; what is open is rolled back.
#[test]
fn a_mover_that_fails_wherever_it_tells_something_is_carried_on_by_the_next_one() {
    on_both_shards(3, |shards| {
        let before = with_sales(shards, 2, &sales(400));
        let after = grown(shards, &before);
        // Each gets one step further than the one before, at least.
        for place in 0.. {
            let told = AtomicU64::new(0);
            let dying = reshard(&after).on_progress(move |_| {
                assert!(told.fetch_add(1, Ordering::Relaxed) < place, "on purpose");
            });
            match catch_unwind(AssertUnwindSafe(|| dying.run())) {
                Ok(done) => {
                    assert_eq!(done.unwrap().step, MoveStep::Done);
                    break;
                }
                Err(_) => assert!(place < 40, "it does not get on"),
            }
        }
        assert_eq!(rows(&after), sales(400));
        assert_nothing_is_left(shards);
    });
}

#[test]
fn of_two_movers_one_runs_and_the_other_one_says_so() {
    on_both_shards(3, |shards| {
        let before = with_sales(shards, 2, &sales(200));
        let after = grown(shards, &before);
        let gate = Gate::closed();
        std::thread::scope(|scope| {
            let stands = gate.clone();
            let first = reshard(&after).on_progress(move |status| {
                if status.step == MoveStep::CatchUp {
                    stands.pass();
                }
            });
            let first = scope.spawn(move || first.run());
            gate.wait_until_reached();
            for second in [reshard(&after).run(), reshard(&after).cancel()] {
                let error = second.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AlreadyRunning, "{error}");
            }
            gate.open();
            assert_eq!(first.join().unwrap().unwrap().step, MoveStep::Done);
        });
        assert_eq!(rows(&after), sales(200));
    });
}

/// Its lock is lost without its noticing, and another one does all the work meanwhile.
#[test]
fn a_mover_that_was_overtaken_writes_nothing_any_more() {
    let shards = Shards::postgres(3);
    let before = with_sales(&shards, 2, &sales(300));
    let after = grown(&shards, &before);
    let gate = Gate::closed();
    std::thread::scope(|scope| {
        let stands = gate.clone();
        let first = reshard(&after).on_progress(move |status| {
            if status.step == MoveStep::CatchUp {
                stands.pass();
            }
        });
        let first = scope.spawn(move || first.run());
        gate.wait_until_reached();
        shards.databases()[0].sql(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' \
             and database = (select oid from pg_database where datname = current_database())",
        );
        shards.databases()[0].wait_until(
            "select not exists (select from pg_locks l join pg_database d on d.oid = l.database \
             where l.locktype = 'advisory' and d.datname = current_database())",
        );
        assert_eq!(reshard(&after).run().unwrap().step, MoveStep::Done);
        let all = Update::<Sale>::new().set(Sale::cents, 77).every_row();
        after.writer().update(&all).unwrap().all().unwrap();
        gate.open();
        let error = first.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyRunning, "{error}");
        assert!(error.to_string().contains("taken this move over"), "{error}");
    });
    let expected: Vec<_> = sales(300).into_iter().map(|sale| Sale { cents: 77, ..sale }).collect();
    assert_eq!(rows(&after), expected);
}
