//! The helpers themselves: a helper that is wrong makes every test wrong.

use crate::support::{Cluster, Gate, LIMIT, data, lineitem, shared};
use std::process::Command;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

#[test]
fn every_test_has_a_database_of_its_own() {
    let (one, other) = (shared().database("own"), shared().database("own"));
    one.sql("create table t (id int); insert into t values (1), (2)");
    assert_eq!(one.count("t"), 2);
    assert_eq!(other.value("select to_regclass('t')"), "NULL");
}

#[test]
fn a_database_is_dropped_with_whoever_is_still_connected() {
    let database = shared().database("dropped");
    let name = database.name().to_owned();
    let _still_connected = database.connect();
    drop(database);
    let rows = shared()
        .connect("postgres")
        .query("select 1 from pg_database where datname = $1", &[&name]);
    assert!(rows.unwrap().is_empty());
}

#[test]
fn the_server_asks_for_the_password_on_both_ways_in() {
    let cluster = shared();
    for url in [cluster.url(), cluster.socket_url()] {
        assert!(postgres::Client::connect(&url, postgres::NoTls).is_ok());
        let wrong = url.replace(cluster.password(), "wrong");
        let refused = postgres::Client::connect(&wrong, postgres::NoTls);
        assert_eq!(refused.err().unwrap().code().unwrap().code(), "28P01");
    }
}

#[test]
fn a_killed_server_carries_on_with_what_was_committed() {
    let cluster = Cluster::durable();
    cluster.sql("create table t (id int); insert into t values (1)");
    let url = cluster.url();
    cluster.kill();
    assert!(postgres::Client::connect(&url, postgres::NoTls).is_err());
    cluster.restart();
    let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    assert_eq!(client.query("select id from t", &[]).unwrap().len(), 1);
}

#[test]
fn a_frozen_server_is_silent_and_goes_on_afterwards() {
    let cluster = Cluster::start();
    let mut client = cluster.connect("postgres");
    let gate = Gate::closed();
    scope(|threads| {
        let frozen = cluster.freeze();
        let gate = &gate;
        threads.spawn(move || {
            client.batch_execute("select 1").unwrap();
            gate.pass();
        });
        // The one place where silence itself is what is tested: nothing can announce it.
        sleep(Duration::from_millis(200));
        assert_eq!(gate.arrived(), 0);
        drop(frozen);
        gate.wait_until_reached();
        gate.open();
    });
}

#[test]
fn nothing_is_left_of_a_cluster_that_was_dropped() {
    let cluster = Cluster::start();
    let (folder, pid) = (cluster.folder().to_owned(), cluster.pid());
    drop(cluster);
    assert!(!folder.exists());
    assert!(!runs(pid));
}

#[test]
fn nothing_is_left_of_a_cluster_whose_process_was_killed() {
    if std::env::var_os("ROWMILL_TEST_VICTIM").is_some() {
        return be_a_victim();
    }
    let this_test = "support_works::nothing_is_left_of_a_cluster_whose_process_was_killed";
    let note = tempfile::NamedTempFile::new().unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this_test])
        .env("ROWMILL_TEST_VICTIM", note.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the victim has a cluster", || {
        std::fs::read_to_string(note.path()).is_ok_and(|text| text.ends_with('\n'))
    });
    let text = std::fs::read_to_string(note.path()).unwrap();
    let (pid, folder) = text.trim_end().split_once(' ').unwrap();
    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_until("the server is gone", || !runs(pid.parse().unwrap()));
    wait_until("its folder is gone", || !std::path::Path::new(folder).exists());
}

/// What the test above starts and kills: a process with a cluster, and with one that is frozen.
fn be_a_victim() {
    let cluster = shared();
    let _frozen = cluster.freeze();
    let note = std::env::var_os("ROWMILL_TEST_VICTIM").unwrap();
    std::fs::write(note, format!("{} {}\n", cluster.pid(), cluster.folder().display())).unwrap();
    sleep(LIMIT);
}

#[test]
fn a_gate_holds_threads_until_it_is_opened() {
    let gate = Gate::closed();
    let passed = Gate::closed();
    passed.open();
    scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                gate.pass();
                passed.pass();
            });
        }
        gate.wait_until_reached_by(3);
        assert_eq!(passed.arrived(), 0);
        gate.open();
    });
    assert_eq!(passed.arrived(), 3);
}

#[test]
fn line_items_are_the_same_every_time() {
    let generate = |rows| {
        let mut csv = Vec::new();
        assert_eq!(lineitem::write_to(&mut csv, 0.01, rows), rows as u64);
        String::from_utf8(csv).unwrap()
    };
    let (few, more) = (generate(10), generate(50));
    assert!(more.starts_with(&few));
    assert_eq!(more.lines().count(), 51);
    assert!(
        more.lines()
            .nth(1)
            .unwrap()
            .starts_with("1,1552,93,1,17,24710.35,0.04,0.02,N,O,1996-03-13,")
    );
}

#[test]
fn the_nights_are_there_or_said_to_be_left_out() {
    if let Some(nights) = data::nights() {
        let runways = std::fs::read_to_string(nights.join("2026-08-20/runways.csv")).unwrap();
        assert!(runways.starts_with("\"id\",\"airport_ref\""));
    }
}

#[cfg(feature = "cli")]
#[test]
fn the_command_is_run_to_its_end() {
    let run = crate::support::rowmill(["--version"]).finish();
    assert_eq!(run.code, Some(0), "{run}");
}

fn runs(pid: u32) -> bool {
    let script = format!("kill -0 {pid} 2>/dev/null");
    Command::new("sh").args(["-c", &script]).status().unwrap().success()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(20));
    }
}
