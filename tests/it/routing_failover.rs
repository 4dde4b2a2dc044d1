//! Promotions, and servers that come back.

use crate::support::cluster::Cluster;
use crate::support::trial::sized;
use crate::support::trio::{Trio, one, until, until_node};
use rowmill::{
    Engine, ErrorKind, Executor, Intent, NodeHealth, RoutingOptions, TransactionOptions,
};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

fn make_table(trio: &Trio) {
    trio.primary.sql("create table writes (id bigint primary key)");
    trio.catch_up();
}

fn write(engine: &Engine, id: i64) -> rowmill::Result<u64> {
    engine.execute("insert into writes values ($1)", &[id.into()])
}

fn rows(cluster: &Cluster) -> i64 {
    one(cluster, "select count(*) from writes").parse().unwrap()
}

fn highest(cluster: &Cluster) -> i64 {
    one(cluster, "select coalesce(max(id), 0) from writes").parse().unwrap()
}

/// Writes and reads all the time while the servers change; says which writes were acknowledged.
struct Load<'a> {
    engine: &'a Engine,
    next: AtomicI64,
    is_over: AtomicBool,
}

impl<'a> Load<'a> {
    fn new(engine: &'a Engine) -> Self {
        Self { engine, next: AtomicI64::new(1), is_over: AtomicBool::new(false) }
    }

    /// Writes until it is over: what was acknowledged, and when.
    fn write(&self) -> Vec<(i64, Instant)> {
        let mut acknowledged = Vec::new();
        while !self.is_over.load(Ordering::SeqCst) {
            let id = self.next.fetch_add(1, Ordering::SeqCst);
            if write(self.engine, id).is_ok() {
                acknowledged.push((id, Instant::now()));
            }
        }
        acknowledged
    }

    fn read(&self) -> (u64, Vec<String>) {
        let (mut reads, mut failures) = (0, Vec::new());
        while !self.is_over.load(Ordering::SeqCst) {
            match self.engine.with(Intent::Read, |connection| connection.run("select 1")) {
                Ok(()) => reads += 1,
                Err(error) => failures.push(error.to_string()),
            }
        }
        (reads, failures)
    }
}

#[test]
fn writes_resume_within_two_seconds_of_a_promotion_and_none_goes_to_the_old_primary() {
    let trio = Trio::start();
    make_table(&trio);
    // As it is by default: asked once a second.
    let engine = trio.builder().routing(|_| RoutingOptions::new()).build().unwrap();
    let load = Load::new(&engine);
    let (promoted, acknowledged, (reads, failures), old) = thread::scope(|scope| {
        let writers: Vec<_> = (0..3).map(|_| scope.spawn(|| load.write())).collect();
        let reader = scope.spawn(|| load.read());
        until("some writes", || load.next.load(Ordering::SeqCst) > 300);
        trio.primary.kill();
        trio.replicas[0].promote();
        let promoted = Instant::now();
        trio.replicas[1].follow(&trio.replicas[0]);
        until("writes to the new primary", || {
            one(&trio.replicas[0], "select count(*) > 0 from writes where id > 300") == "t"
        });
        thread::sleep(Duration::from_secs(1));
        // The old one comes back, and takes writes as before.
        trio.primary.restart();
        let old = highest(&trio.primary);
        assert_eq!(one(&trio.primary, "select pg_is_in_recovery()"), "f");
        thread::sleep(Duration::from_secs(2));
        load.is_over.store(true, Ordering::SeqCst);
        let acknowledged: Vec<_> = writers.into_iter().flat_map(|it| it.join().unwrap()).collect();
        (promoted, acknowledged, reader.join().unwrap(), old)
    });
    let first = acknowledged.iter().map(|(_, at)| *at).filter(|at| *at > promoted).min().unwrap();
    let gap = first - promoted;
    eprintln!(
        "writes resumed {gap:?} after the promotion; {reads} reads, {} failed",
        failures.len()
    );
    // Beside other tests, what counts is that nobody has to do anything for it.
    assert!(gap < Duration::from_secs(sized(10, 2)), "writes resumed after {gap:?}");
    assert!(failures.is_empty(), "{:?}", &failures[..failures.len().min(5)]);
    assert_eq!(highest(&trio.primary), old, "the old primary was written to");
    until_node(&engine, 0, |node| node.health == NodeHealth::Deposed);
    let resumed: Vec<_> = acknowledged
        .iter()
        .filter(|(_, at)| *at > promoted)
        .map(|(id, _)| id.to_string())
        .collect();
    assert!(resumed.len() > 100, "{} writes", resumed.len());
    let there = format!("select count(*) from writes where id in ({})", resumed.join(","));
    assert_eq!(one(&trio.replicas[0], &there), resumed.len().to_string());
}

/// A server that took the place of another knows the numbers of its transactions, and not what the
/// client of the other may make of them.
#[test]
fn what_became_of_a_commit_is_not_asked_of_a_server_that_took_the_place_of_another() {
    let trio = Trio::start();
    make_table(&trio);
    let engine = trio.engine();
    // The server commits, and its answer waits for a standby that is not there.
    trio.primary.sql("alter system set synchronous_commit = 'local'");
    trio.primary.commits_wait_for("nobody");
    let options = TransactionOptions::new().retry(rowmill::RetryPolicy::default()).resolve_commit();
    let runs = AtomicI64::new(0);
    let ended = thread::scope(|scope| {
        let committing = scope.spawn(|| {
            engine.transact(&options, |transaction| {
                runs.fetch_add(1, Ordering::SeqCst);
                transaction.run("set local synchronous_commit = on")?;
                transaction.execute("insert into writes values (1)", &[])
            })
        });
        let waits = "select count(*) > 0 from pg_stat_activity where wait_event = 'SyncRep'";
        until("a commit waits for its standby", || one(&trio.primary, waits) == "t");
        until("the replica has it", || rows(&trio.replicas[0]) == 1);
        trio.primary.kill();
        trio.replicas[0].promote();
        trio.replicas[1].follow(&trio.replicas[0]);
        committing.join().unwrap()
    });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::CommitUnknown);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[test]
fn an_old_primary_that_follows_is_read_from_and_can_be_promoted_again() {
    let trio = Trio::start();
    make_table(&trio);
    let engine = trio.engine();
    write(&engine, 1).unwrap();
    // In order: the replicas have all of it.
    trio.primary.stop_fast();
    trio.replicas[0].promote();
    trio.replicas[1].follow(&trio.replicas[0]);
    write(&engine, 2).unwrap();
    trio.primary.come_back_following(&trio.replicas[0]);
    until_node(&engine, 0, |node| node.health == NodeHealth::Fit);
    write(&engine, 3).unwrap();
    assert_eq!(engine.nodes()[0].role, Some(rowmill::Role::Replica));
    until("a row on the old primary", || rows(&trio.primary) == 3);
    // And back.
    trio.replicas[0].stop_fast();
    trio.primary.promote();
    write(&engine, 4).unwrap();
    assert_eq!(rows(&trio.primary), 4);
}

#[test]
fn while_two_servers_take_writes_neither_is_written_to() {
    let trio = Trio::start();
    make_table(&trio);
    let short = |options: rowmill::RoutingOptions| options.primary_wait(Duration::from_millis(300));
    let engine = trio.builder().routing(short).build().unwrap();
    write(&engine, 1).unwrap();
    trio.catch_up();
    trio.replicas[0].promote();
    until("a split brain that was found", || engine.nodes()[0].health == NodeHealth::Split);
    for id in 2..12 {
        let refused = write(&engine, id).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        for server in [&trio.primary, &trio.replicas[0]] {
            assert!(refused.message().contains(&server.port().to_string()), "{refused}");
        }
    }
    assert_eq!((rows(&trio.primary), rows(&trio.replicas[0])), (1, 1));
    // The one is gone: the other is the primary.
    trio.primary.kill();
    until("a write", || write(&engine, 12).is_ok());
    assert_eq!(rows(&trio.replicas[0]), 2);
    // Who comes later cannot tell which of two it is.
    trio.primary.restart();
    let late = trio.builder().routing(short).build().unwrap();
    assert_eq!(write(&late, 13).unwrap_err().kind(), ErrorKind::Config);
    write(&engine, 13).unwrap();
    assert_eq!((rows(&trio.primary), rows(&trio.replicas[0])), (1, 3));
}

#[test]
fn who_holds_a_connection_to_the_old_primary_is_told_so() {
    let trio = Trio::start();
    make_table(&trio);
    let engine = trio.engine();
    let mut held = engine.begin().unwrap();
    held.execute("insert into writes values (1)", &[]).unwrap();
    // It stands still, and another is promoted; then it goes on as if nothing had been.
    let frozen = trio.primary.freeze();
    trio.replicas[0].promote();
    until("another primary", || {
        engine.nodes()[0].health != NodeHealth::Fit && {
            let nodes = engine.nodes();
            nodes[1].role == Some(rowmill::Role::Primary)
        }
    });
    let failed = held.execute("insert into writes values (2)", &[]).unwrap_err();
    assert!(failed.is_disconnect() && failed.is_transient(), "{failed:?}");
    let said = failed.to_string();
    assert!(said.contains("not the primary any more") || said.contains("gave no answer"), "{said}");
    drop(frozen);
    let options = TransactionOptions::new().retry(rowmill::RetryPolicy::default());
    engine.transact(&options, |it| it.execute("insert into writes values (3)", &[])).unwrap();
    thread::sleep(Duration::from_millis(500));
    assert_eq!((rows(&trio.primary), rows(&trio.replicas[0])), (0, 1));
}

#[test]
fn without_a_primary_writes_fail_at_once_or_wait_and_reads_go_on() {
    let trio = Trio::start();
    make_table(&trio);
    let at_once = |options: rowmill::RoutingOptions| options.primary_wait(Duration::ZERO);
    let hasty = trio.builder().routing(at_once).build().unwrap();
    let patient = trio.engine();
    write(&hasty, 1).unwrap();
    trio.primary.kill();
    // A session can outlive its server for a moment, and write.
    let is_missed = |error: rowmill::Error| error.is_transient();
    until("a primary that is missed", || write(&hasty, 2).is_err_and(is_missed));
    let since = Instant::now();
    let refused = write(&hasty, 2).unwrap_err();
    let took = since.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(refused.is_transient() && refused.message().contains("takes writes"), "{refused}");
    let read =
        |engine: &Engine| engine.with(Intent::Read, |it| it.run("select count(*) from writes"));
    for _ in 0..100 {
        read(&hasty).unwrap();
        read(&patient).unwrap();
    }
    thread::scope(|scope| {
        let waiting = scope.spawn(|| write(&patient, 3));
        trio.primary.restart();
        waiting.join().unwrap().unwrap();
    });
    let written = one(&trio.primary, "select count(*) from writes where id in (1, 3)");
    assert_eq!(written, "2");
}
