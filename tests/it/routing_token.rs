//! Tokens of commits across promotions.

use crate::support::cluster::Cluster;
use crate::support::fake::Fake;
use crate::support::trio::{Trio, one, until, until_node};
use rowmill::backend::Backend;
use rowmill::{
    Acquire, CommitToken, Engine, Error, ErrorKind, Executor, Fork, Freshness, Intent, LogPosition,
    NodeHealth, PoolHooks, PoolOptions, RoutingOptions, ServerState,
};
use std::sync::Arc;
use std::time::Duration;

fn make_table(trio: &Trio) {
    trio.primary.sql("create table tokens (id bigint primary key)");
    trio.catch_up();
}

fn insert(engine: &Engine, id: i64) -> CommitToken {
    let mut transaction = engine.begin().unwrap();
    transaction.execute("insert into tokens values ($1)", &[id.into()]).unwrap();
    transaction.commit_token().unwrap()
}

/// Whether a read after the token shows the row.
fn shows(engine: &Engine, token: CommitToken, id: i64) -> rowmill::Result<bool> {
    engine.reading(Freshness::After(token)).read(|connection| {
        let mut found = false;
        let sql = "select 1 from tokens where id = $1";
        connection.query(sql, &[id.into()], &mut |_| {
            found = true;
            Ok(())
        })?;
        Ok(found)
    })
}

/// Makes the first replica the primary, and has the other one follow it.
fn promote(trio: &Trio, engine: &Engine) {
    trio.replicas[0].promote();
    trio.replicas[1].follow(&trio.replicas[0]);
    until_node(engine, 1, |node| node.timeline == Some(2));
    until("writes to the new primary", || engine.get_within(Duration::from_secs(1)).is_ok());
}

#[test]
fn a_token_from_before_a_promotion_holds_as_far_as_it_was_followed() {
    let trio = Trio::start();
    make_table(&trio);
    let engine = trio.engine();
    let kept = insert(&engine, 1);
    trio.catch_up();
    // From here on nobody follows: what is committed is going to be lost.
    for replica in &trio.replicas {
        replica.sql("alter system set primary_conninfo = ''");
        replica.sql("select pg_reload_conf()");
        until("nobody follows", || {
            one(replica, "select count(*) from pg_stat_wal_receiver") == "0"
        });
    }
    let lost = insert(&engine, 2);
    assert_eq!((kept.timeline(), lost.timeline()), (Some(1), Some(1)));
    trio.primary.kill();
    promote(&trio, &engine);
    // The log of the new primary becomes longer than that of the old one was.
    let ahead = format!("select pg_current_wal_lsn() > '{}'", lost.position().unwrap());
    until("a longer log", || {
        trio.replicas[0].sql("insert into tokens select 1000 + count(*) from tokens");
        one(&trio.replicas[0], &ahead) == "t"
    });
    let new = insert(&engine, 3);
    assert_eq!(new.timeline(), Some(2));
    until_node(&engine, 2, |node| node.health == NodeHealth::Fit);
    assert!(shows(&engine, new, 3).unwrap());
    assert!(shows(&engine, kept, 1).unwrap());
    // By its position alone it would be believed, and the read would show less than it.
    let refused = shows(&engine, lost, 2).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config, "{refused}");
    assert!(refused.message().contains("was lost in a promotion"), "{refused}");
    let both = shows(&engine, lost.and(new), 2);
    assert!(both.is_ok(), "the later timeline is further: {both:?}");
    // It travels as a text, and means the same to an engine that has never seen the old primary.
    let [_, one, other] = trio.nodes().map(Cluster::url);
    let stranger = Engine::builder(&one).replica(&other).build().unwrap();
    let told: CommitToken = lost.to_string().parse().unwrap();
    assert_eq!(shows(&stranger, told, 2).unwrap_err().kind(), ErrorKind::Config);
    who_may_not_see_the_history_reads_the_primary(&trio, kept);
}

fn who_may_not_see_the_history_reads_the_primary(trio: &Trio, kept: CommitToken) {
    let new = &trio.replicas[0];
    new.sql("create role token_reader login password 'pw-4-the-mill'");
    new.sql("grant select on tokens to token_reader");
    let [_, one, other] = trio.nodes().map(Cluster::url);
    let as_reader = |url: &str| url.replace("//postgres:", "//token_reader:");
    until("the role is everywhere", || {
        postgres::Client::connect(&as_reader(&other), postgres::NoTls).is_ok()
    });
    let engine = Engine::builder(&as_reader(&one)).replica(&as_reader(&other)).build().unwrap();
    let before = |engine: &Engine| engine.nodes()[0].pool.check_outs;
    engine.ask_nodes();
    let reads = before(&engine);
    assert!(shows(&engine, kept, 1).unwrap());
    assert_eq!(before(&engine) - reads, 1, "the primary was read");
}

fn at(position: u64) -> LogPosition {
    LogPosition(position)
}

struct Pair {
    servers: Vec<Fake>,
    engine: Engine,
}

impl Pair {
    /// A primary and a replica, both on this timeline.
    fn on(timeline: u32, forks: Option<Vec<Fork>>) -> Self {
        let servers = vec![Fake::default(), Fake::default()];
        servers[0].says(ServerState::primary("7", timeline, at(1_000), 1));
        servers[1].says(ServerState::standby("7", timeline, at(1_000), 1));
        servers[0].forked(forks);
        let backends: Vec<Arc<dyn Backend>> =
            servers.iter().map(|it| Arc::new(it.clone()) as Arc<dyn Backend>).collect();
        let routing = RoutingOptions::new().token_wait(Duration::from_millis(20)).seed(3);
        let engine =
            Engine::from_backends(backends, &PoolOptions::new(), PoolHooks::new(), routing);
        let engine = engine.unwrap();
        engine.ask_nodes();
        engine.ask_nodes();
        Self { servers, engine }
    }

    /// Where a read after this token goes.
    fn server(&self, token: &str) -> Result<usize, Error> {
        let count = |node: usize| self.engine.nodes()[node].pool.check_outs;
        let before = count(0);
        let token = token.parse().unwrap();
        drop(self.engine.reading(Freshness::After(token)).acquire(Intent::Read)?);
        Ok(usize::from(count(0) == before))
    }
}

#[test]
fn a_token_is_judged_by_the_history_of_the_log() {
    let pair = Pair::on(2, Some(vec![Fork { timeline: 1, at: at(500) }]));
    assert_eq!(pair.server("7:2:0/3E8").unwrap(), 1);
    assert_eq!(pair.server("7:2:0/3E9").unwrap(), 0, "the replica is not there yet");
    assert_eq!(pair.server("7:1:0/1F4").unwrap(), 1);
    assert_eq!(pair.server("7:1:0/1F5").unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(pair.server("8:2:0/1").unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(pair.servers[0].count("log_forks"), 1, "it is asked once for each timeline");
    let blind = Pair::on(2, None);
    assert_eq!(blind.server("7:1:0/1").unwrap(), 0, "nobody may tell what was kept");
}

/// The only replica that was there to be read from is gone: nobody else is asked for.
#[test]
fn a_promotion_that_was_not_heard_of_yet_is_waited_for_by_a_read_after_its_token() {
    let pair = Pair::on(1, None);
    let backends = || pair.servers.iter().map(|it| Arc::new(it.clone()) as Arc<dyn Backend>);
    pair.servers[1].stop();
    let routing = RoutingOptions::new()
        .probe_interval(Duration::from_hours(1))
        .token_wait(crate::support::LIMIT / 2);
    let options = PoolOptions::new().timeout(crate::support::LIMIT);
    let engine =
        Engine::from_backends(backends().collect(), &options, PoolHooks::new(), routing).unwrap();
    engine.ask_nodes();
    engine.ask_nodes();
    pair.servers[0].stop();
    pair.servers[1].forked(Some(vec![Fork { timeline: 1, at: at(500) }]));
    pair.servers[1].says(ServerState::primary("7", 2, at(1_100), 2));
    pair.servers[1].start();
    let token = "7:2:0/64".parse().unwrap();
    drop(engine.reading(Freshness::After(token)).acquire(Intent::Read).unwrap());
    assert_eq!(engine.nodes()[1].role, Some(rowmill::Role::Primary));
}

#[test]
fn a_token_from_after_a_promotion_is_not_answered_by_the_old_primary() {
    let pair = Pair::on(1, None);
    let refused = pair.server("7:2:0/64").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Connect);
    assert!(refused.message().contains("timeline 2"), "{refused}");
    // Once it is heard of, the token holds.
    pair.servers[0].stop();
    pair.servers[1].forked(Some(vec![Fork { timeline: 1, at: at(500) }]));
    pair.servers[1].says(ServerState::primary("7", 2, at(1_100), 2));
    pair.engine.ask_nodes();
    drop(
        pair.engine
            .reading(Freshness::After("7:2:0/64".parse().unwrap()))
            .acquire(Intent::Read)
            .unwrap(),
    );
}
