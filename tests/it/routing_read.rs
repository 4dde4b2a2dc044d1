//! Which server is read from, and how fresh that is.

use crate::support::LIMIT;
use crate::support::cluster::Cluster;
use crate::support::proxy::{Fault, Proxy};
use crate::support::trio::{self, Trio, one, settled, until, until_node};
use rowmill::prelude::*;
use rowmill::{
    Cell, CommitToken, Engine, ErrorKind, Freshness, Intent, NodeHealth, Policy, Replica, Role,
};
use std::thread;
use std::time::{Duration, Instant};

const PORT: &str = "select cast(current_setting('port') as int4)";

/// The server of the trio to which a read goes.
fn server(trio: &Trio, on: &impl Executor) -> usize {
    let port: i32 = on
        .read(|connection| {
            let mut port = 0;
            connection.query(PORT, &[], &mut |row| {
                port = Cell::unpack(row.cell(0)?)?;
                Ok(())
            })?;
            Ok(port)
        })
        .unwrap();
    trio.number_of(u16::try_from(port).unwrap())
}

fn counts(trio: &Trio, on: &impl Executor, reads: usize) -> [usize; 3] {
    let mut counts = [0; 3];
    for _ in 0..reads {
        counts[server(trio, on)] += 1;
    }
    counts
}

fn chi_square(counts: [usize; 3], shares: [f64; 3]) -> f64 {
    let all = counts.iter().sum::<usize>() as f64;
    let parts = counts.iter().zip(shares).filter(|(_, share)| *share > 0.0);
    parts.map(|(n, share)| (*n as f64 - share * all).powi(2) / (share * all)).sum()
}

#[derive(Debug, PartialEq, Entity)]
#[entity(table = "routing_rows")]
struct Row {
    #[entity(key)]
    id: i64,
}

fn make_table(trio: &Trio) {
    trio.primary.sql(
        "drop table if exists routing_rows; create table routing_rows (id bigint primary key)",
    );
    trio.catch_up();
}

fn insert(engine: &Engine, id: i64) -> CommitToken {
    let mut transaction = engine.begin().unwrap();
    transaction.execute("insert into routing_rows values ($1)", &[id.into()]).unwrap();
    transaction.commit_token().unwrap()
}

#[test]
fn roles_are_asked_for_and_not_believed() {
    let trio = trio::shared();
    let [primary, one, other] = trio.nodes().map(Cluster::url);
    // The replica stands where the primary is expected.
    let engine = Engine::builder(&one).replica(&primary).replica(&other).build().unwrap();
    let nodes = engine.ask_nodes();
    let roles: Vec<_> = nodes.iter().map(|node| node.role).collect();
    assert_eq!(roles, [Some(Role::Replica), Some(Role::Primary), Some(Role::Replica)]);
    assert!(nodes.iter().all(|node| !node.node.contains("pw-4-the-mill")), "{nodes:?}");
    engine.run("create table if not exists routing_roles (id int)").unwrap();
}

#[test]
fn one_url_with_several_hosts_is_as_many_servers() {
    let trio = trio::shared();
    let hosts = trio.nodes().map(|node| format!("127.0.0.1:{}", node.port())).join(",");
    let password = trio.primary.password();
    let url = format!("postgresql://postgres:{password}@{hosts}/postgres");
    let engine = Engine::builder(&url).each_host(true).build().unwrap();
    settled(&engine);
    assert_eq!((engine.nodes().len(), server(&trio, &engine) > 0), (3, true));
    let refused = Engine::builder(&url).replica(&trio.primary.url()).build().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
}

#[test]
fn reads_go_to_replicas_and_everything_else_to_the_primary() {
    let trio = trio::shared();
    make_table(&trio);
    let engine = trio.engine();
    assert_eq!(counts(&trio, &engine, 60)[0], 0);
    insert(&engine, 1);
    trio.catch_up();
    assert_eq!(Query::<Row>::new().all(&engine).unwrap(), [Row { id: 1 }]);
    // A read session has no way to write, and its transaction stays where it began.
    let session = engine.read_session().unwrap();
    let first = server(&trio, &session);
    assert!(first > 0 && (0..20).all(|_| server(&trio, &session) == first));
    assert_eq!(session.get::<Row>(1).unwrap(), Some(Row { id: 1 }));
    // A transaction that may write is on the primary, and so are its reads.
    let writing = engine.begin().unwrap();
    assert_eq!(server(&trio, &writing), 0);
}

#[test]
fn a_write_that_was_declared_to_be_a_read_is_refused_and_costs_no_connection() {
    let trio = trio::shared();
    make_table(&trio);
    let engine = trio.engine();
    let write =
        |on: &mut dyn rowmill::backend::Connection| on.run("insert into routing_rows values (1)");
    for _ in 0..3 {
        let refused = engine.read(write).unwrap_err();
        assert_eq!(refused.sqlstate().unwrap().code(), "25006");
        assert!(refused.hint().unwrap().contains("declared to be a read"), "{refused}");
    }
    let nodes = engine.nodes();
    assert!(nodes.iter().all(|node| node.health == NodeHealth::Fit), "{nodes:?}");
    assert_eq!(nodes.iter().map(|node| node.pool.discarded).sum::<u64>(), 0);
    // Also where the primary is read from.
    let fresh = engine.reading(Freshness::Primary);
    let sql = Sql::new("insert into routing_rows values (2) returning id");
    let refused = sql.scalar::<i64>(&fresh).unwrap_err();
    assert_eq!(refused.sqlstate().unwrap().code(), "25006");
    assert_eq!(one(&trio.primary, "select count(*) from routing_rows"), "0");
}

#[test]
fn reads_are_spread_as_configured() {
    let trio = trio::shared();
    let [primary, one, other] = trio.nodes().map(Cluster::url);
    let builder = || {
        Engine::builder(&primary)
            .replica_with(Replica::new(&one).weight(3.0))
            .replica_with(Replica::new(&other).label("reporting"))
    };
    let quick = |options: rowmill::RoutingOptions| options.slow_start(Duration::ZERO).seed(7);
    // 13.8 is passed once in a thousand times; with a fixed seed, always or never.
    let engine = builder().routing(quick).build().unwrap();
    settled(&engine);
    let found = counts(&trio, &engine, 2_000);
    assert!(found[0] == 0 && chi_square(found, [0.0, 0.75, 0.25]) < 10.8, "{found:?}");
    let labelled = engine.reading(Freshness::Any).labelled("reporting");
    assert_eq!(counts(&trio, &labelled, 50), [0, 0, 50]);

    let engine = builder().routing(|options| quick(options).primary_share(0.2)).build().unwrap();
    settled(&engine);
    let found = counts(&trio, &engine, 2_000);
    assert!(chi_square(found, [0.2, 0.6, 0.2]) < 13.8, "{found:?}");

    let turns = |options| quick(options).policy(Policy::RoundRobin);
    let engine = builder().routing(turns).build().unwrap();
    settled(&engine);
    assert_eq!(counts(&trio, &engine, 100), [0, 50, 50]);
}

#[test]
fn a_read_after_a_token_never_shows_less_than_it() {
    let trio = trio::shared();
    make_table(&trio);
    let engine = trio.engine();
    for id in 0..400_i64 {
        let token = insert(&engine, id);
        let fresh = engine.reading(Freshness::After(token));
        assert!(Row::get(&fresh, id).unwrap().is_some(), "row {id} is not there");
    }
    let on_replicas = engine.nodes()[1..].iter().map(|node| node.pool.check_outs).sum::<u64>();
    // Where all are slow, the primary is better than waiting for longer.
    assert!(on_replicas > 100, "{on_replicas} of 400 were read from replicas");
}

#[test]
fn a_read_after_a_token_goes_to_the_primary_where_replicas_stand_still() {
    let trio = trio::shared();
    make_table(&trio);
    let short = |options: rowmill::RoutingOptions| options.token_wait(Duration::from_millis(20));
    let engine = trio.builder().routing(short).build().unwrap();
    settled(&engine);
    trio.replicas.iter().for_each(|replica| replica.sql("select pg_wal_replay_pause()"));
    for id in 0..30_i64 {
        let token = insert(&engine, id);
        let fresh = engine.reading(Freshness::After(token));
        assert!(Row::get(&fresh, id).unwrap().is_some(), "row {id} is not there");
        assert_eq!(server(&trio, &fresh), 0);
    }
    assert_eq!(Row::get(&engine, 29).unwrap(), None, "the experiment shows nothing");
    // One goes on, and is read from at once.
    trio.replicas[0].sql("select pg_wal_replay_resume()");
    let patient = trio.engine_with_wait(Duration::from_secs(20));
    let token = insert(&engine, 30);
    let fresh = patient.reading(Freshness::After(token));
    assert_eq!(server(&trio, &fresh), 1);
    assert!(Row::get(&fresh, 30).unwrap().is_some());
    trio.replicas[1].sql("select pg_wal_replay_resume()");
}

#[test]
fn one_that_lags_more_than_asked_for_is_left_out() {
    let trio = trio::shared();
    make_table(&trio);
    let engine = trio.engine();
    trio.replicas[0].sql("select pg_wal_replay_pause()");
    let since = Instant::now();
    let limit = Duration::from_secs(1);
    let mut id = 0;
    while since.elapsed() < limit * 2 {
        id += 1;
        insert(&engine, id);
        thread::sleep(Duration::from_millis(20));
    }
    let fresh = engine.reading(Freshness::MaxLag(limit));
    for _ in 0..100 {
        id += 1;
        insert(&engine, id);
        assert_ne!(server(&trio, &fresh), 1, "it has stood still for longer");
    }
    assert!(counts(&trio, &fresh, 20)[2] > 0, "the other replica is fresh enough");
    assert!(counts(&trio, &engine, 100)[1] > 0, "any will do");
    let lag = engine.nodes()[1].lag.unwrap();
    assert!(lag > limit, "{lag:?}");
    assert!(engine.nodes()[1].lag_bytes.unwrap() > 1_000);

    // Left out altogether, and back once it has caught up.
    let strict = |options: rowmill::RoutingOptions| options.max_lag(limit);
    let engine = trio.builder().routing(strict).build().unwrap();
    until_node(&engine, 1, |node| node.health == NodeHealth::Lagging);
    // On a busy machine a probe can come late in between.
    until("no read goes to it", || counts(&trio, &engine, 50)[1] == 0);
    trio.replicas[0].sql("select pg_wal_replay_resume()");
    until_node(&engine, 1, |node| node.health == NodeHealth::Fit);
    assert!(counts(&trio, &engine, 50)[1] > 0);
}

#[test]
fn an_idle_primary_makes_no_replica_lag() {
    let trio = trio::shared();
    trio.catch_up();
    let engine = trio.engine();
    // The last commit is long ago by the clock of the replicas.
    thread::sleep(Duration::from_millis(1_500));
    let fresh = engine.reading(Freshness::MaxLag(Duration::from_millis(800)));
    // By that clock they lag more and more. On a busy machine a question can be late at first.
    until("reads from replicas", || counts(&trio, &fresh, 50)[0] < 25);
}

#[test]
fn reads_go_on_when_a_replica_is_stopped_killed_or_stands_still() {
    let trio = trio::shared();
    make_table(&trio);
    let engine = trio.builder().timeout(Duration::from_secs(5)).build().unwrap();
    settled(&engine);
    let reads = |what: &str| {
        let mut slowest = Duration::ZERO;
        for _ in 0..300 {
            let since = Instant::now();
            let found = Query::<Row>::new().count(&engine);
            assert!(found.is_ok(), "{what}: {found:?}");
            slowest = slowest.max(since.elapsed());
        }
        assert!(slowest < Duration::from_secs(5), "{what}: a read took {slowest:?}");
        eprintln!("{what}: 300 reads, the slowest took {slowest:?}");
    };
    let victim = &trio.replicas[0];
    victim.stop_fast();
    reads("stopped");
    victim.restart();
    until_node(&engine, 1, |node| node.health == NodeHealth::Fit);
    victim.kill();
    reads("killed");
    victim.restart();
    until_node(&engine, 1, |node| node.health == NodeHealth::Fit);
    let frozen = victim.freeze();
    reads("silent");
    until_node(&engine, 1, |node| node.health == NodeHealth::Down);
    drop(frozen);
    until_node(&engine, 1, |node| node.health == NodeHealth::Fit);
    assert!(counts(&trio, &engine, 100)[1] > 0, "it is read from again");
}

#[test]
fn a_read_that_a_replica_cancels_for_what_it_replays_is_moved() {
    let trio = trio::shared();
    make_table(&trio);
    let engine = trio.engine();
    trio.primary.sql("insert into routing_rows select generate_series(1, 1000)");
    trio.catch_up();
    for replica in &trio.replicas {
        replica.sql("alter system set max_standby_streaming_delay = 0; ");
        replica.sql("select pg_reload_conf()");
    }
    let mut runs = 0;
    let found: Result<i64> = engine.read(|connection| {
        runs += 1;
        let mut count = 0_i64;
        connection.begin()?;
        connection.run("set transaction isolation level repeatable read")?;
        connection.query("select count(*) from routing_rows", &[], &mut |row| {
            count = Cell::unpack(row.cell(0)?)?;
            Ok(())
        })?;
        if runs == 1 {
            // What this transaction still sees is cleaned away under it.
            trio.primary.sql("delete from routing_rows where id > 500");
            trio.primary.sql("vacuum routing_rows");
            trio.catch_up();
        }
        connection.query("select count(*) from routing_rows", &[], &mut |row| {
            count = Cell::unpack(row.cell(0)?)?;
            Ok(())
        })?;
        Ok(count)
    });
    for replica in &trio.replicas {
        replica.sql("alter system reset max_standby_streaming_delay");
        replica.sql("select pg_reload_conf()");
    }
    assert_eq!(found.unwrap(), 500);
    assert!(runs == 2, "it was run {runs} times");
}

#[test]
fn a_cancelled_read_is_not_moved() {
    let trio = trio::shared();
    let engine = trio.engine();
    let mut runs = 0;
    let cancelled: Result<()> = engine.read(|connection| {
        runs += 1;
        connection.set_statement_timeout(Some(Duration::from_millis(30)))?;
        connection.run("select pg_sleep(30)")
    });
    assert_eq!((cancelled.unwrap_err().sqlstate().unwrap().code(), runs), ("57014", 1));
}

#[test]
fn servers_of_different_clusters_are_refused_by_name() {
    let trio = trio::shared();
    let stranger = crate::support::shared();
    let engine = Engine::builder(&trio.primary.url()).replica(&stranger.url()).build().unwrap();
    for intent in [Intent::Read, Intent::Write] {
        let refused = rowmill::Acquire::acquire(&engine, intent).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        let place = format!("127.0.0.1:{}", stranger.port());
        assert!(refused.to_string().contains(&place), "{refused}");
    }
    assert_eq!(engine.nodes()[1].health, NodeHealth::Stranger);
}

#[test]
fn who_only_may_log_in_sees_roles_and_lag_too() {
    let trio = trio::shared();
    trio.primary.sql("drop role if exists routing_reader");
    trio.primary.sql("create role routing_reader login password 'pw-4-the-mill'");
    trio.catch_up();
    let [primary, one, other] =
        trio.nodes().map(|node| node.url().replace("//postgres:", "//routing_reader:"));
    let engine = Engine::builder(&primary).replica(&one).replica(&other).build().unwrap();
    settled(&engine);
    let nodes = engine.nodes();
    assert!(nodes.iter().all(|node| node.timeline == Some(1)), "{nodes:?}");
    drop(engine);
    until("a role that is gone", || {
        trio.primary.connect("postgres").batch_execute("drop role routing_reader").is_ok()
    });
}

#[test]
fn a_label_is_asked_for_and_another_replica_serves_while_its_server_is_gone() {
    let trio = trio::shared();
    let [primary, one, other] = trio.nodes().map(Cluster::url);
    let quick = |options: rowmill::RoutingOptions| {
        options
            .probe_interval(Duration::from_millis(100))
            .probe_timeout(Duration::from_millis(500))
            .slow_start(Duration::ZERO)
            .seed(7)
    };
    let engine = Engine::builder(&primary)
        .replica_with(Replica::new(&one).label("reporting").weight(0.01))
        .replica_with(Replica::new(&other).label("search").label("export"))
        .routing(quick)
        .build()
        .unwrap();
    settled(&engine);
    for (label, expected) in [("reporting", 1), ("search", 2), ("export", 2)] {
        let labelled = engine.reading(Freshness::Any).labelled(label);
        let mut all = [0; 3];
        all[expected] = 30;
        assert_eq!(counts(&trio, &labelled, 30), all, "{label}");
    }
    let unknown = counts(&trio, &engine.reading(Freshness::Any).labelled("nobody"), 30);
    assert_eq!(unknown[0], 0, "any replica will do");
    // A label and a freshness: both hold.
    let token = engine.token().unwrap();
    let fresh = engine.reading(Freshness::After(token)).labelled("reporting");
    until("the labelled one has it", || server(&trio, &fresh) == 1);
    trio.replicas[0].stop_fast();
    let labelled = engine.reading(Freshness::Any).labelled("reporting");
    assert_eq!(counts(&trio, &labelled, 30), [0, 0, 30]);
    trio.replicas[0].restart();
    until_node(&engine, 1, |node| node.health == NodeHealth::Fit);
    until("it serves those who ask for it again", || server(&trio, &labelled) == 1);
}

#[test]
fn the_replica_with_the_fewest_loans_for_its_weight_is_read_from() {
    let trio = trio::shared();
    let [primary, one, other] = trio.nodes().map(Cluster::url);
    let engine = Engine::builder(&primary)
        .replica_with(Replica::new(&one).weight(2.0).label("one"))
        .replica_with(Replica::new(&other).label("other"))
        .routing(|options| options.slow_start(Duration::ZERO).policy(Policy::LeastInUse).seed(7))
        .build()
        .unwrap();
    settled(&engine);
    // A thread must not hold two connections of one pool, so that each loan has its own.
    let (held, holding) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let engine = &engine;
        let take = |label: &'static str, release: std::sync::mpsc::Receiver<()>| {
            let held = held.clone();
            scope.spawn(move || {
                let labelled = engine.reading(Freshness::Any).labelled(label);
                let loan = rowmill::Acquire::acquire(&labelled, Intent::Read).unwrap();
                held.send(()).unwrap();
                let _ = release.recv();
                drop(loan);
            });
            holding.recv_timeout(LIMIT).expect("a loan");
        };
        let (end_other, release) = std::sync::mpsc::channel();
        take("other", release);
        assert_eq!(counts(&trio, engine, 40), [0, 40, 0], "one loan against none");
        let (end_one, release) = std::sync::mpsc::channel();
        take("one", release);
        assert_eq!(counts(&trio, engine, 40), [0, 40, 0], "half a loan for its weight");
        drop(end_other);
        until("the loan is given back", || engine.nodes()[2].pool.in_use == 0);
        assert_eq!(counts(&trio, engine, 40), [0, 0, 40]);
        drop(end_one);
    });
}

#[test]
fn the_replica_that_answers_fastest_is_read_from() {
    let trio = trio::shared();
    let [primary, one, other] = trio.nodes().map(Cluster::url);
    let proxy = Proxy::to(trio.replicas[0].port());
    // Far above what a busy machine adds to an answer, on average.
    proxy.set(Fault::Delay { least: Duration::from_millis(400), jitter: Duration::ZERO });
    let engine = Engine::builder(&primary)
        .replica(&proxy.instead_of(&one))
        .replica(&other)
        .routing(|options| {
            options
                .probe_timeout(Duration::from_secs(20))
                .probe_interval(Duration::from_millis(50))
                .slow_start(Duration::ZERO)
                .policy(Policy::LowestLatency)
                .seed(7)
        })
        .build()
        .unwrap();
    settled(&engine);
    let latency = |node: usize| engine.nodes()[node].latency.unwrap();
    until("answers that differ", || latency(1) > latency(2) * 2);
    until("the fast one serves alone", || counts(&trio, &engine, 20) == [0, 0, 20]);
    // Its way becomes fast, and it gets its share again.
    proxy.set(Fault::Pass);
    until("both share the reads", || {
        let found = counts(&trio, &engine, 20);
        found[1] > 0 && found[2] > 0
    });
}
