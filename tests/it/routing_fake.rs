//! Servers that say what they are told to say.

use crate::support::fake::{Fake, until};
use rowmill::backend::Backend;
use rowmill::{
    Acquire, Clock, Engine, Error, ErrorKind, Executor, Freshness, Intent, LogPosition, NodeHealth,
    Policy, PoolHooks, PoolOptions, RoutingOptions, ServerState, SqlState,
};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

struct Trial {
    servers: Vec<Fake>,
    engine: Engine,
    clock: Clock,
}

fn at(position: u64) -> LogPosition {
    LogPosition(position)
}

fn primary(timeline: u32) -> ServerState {
    ServerState::primary("7", timeline, at(1_000), 1)
}

fn standby(timeline: u32) -> ServerState {
    ServerState::standby("7", timeline, at(1_000), 1)
}

impl Trial {
    /// A primary and two replicas, asked only when they are told to be.
    fn new(change: impl FnOnce(RoutingOptions) -> RoutingOptions) -> Self {
        Self::with(2, change)
    }

    fn with(replicas: usize, change: impl FnOnce(RoutingOptions) -> RoutingOptions) -> Self {
        let servers: Vec<_> = (0..=replicas).map(|_| Fake::default()).collect();
        servers[0].says(primary(1));
        servers[1..].iter().for_each(|replica| replica.says(standby(1)));
        let clock = Clock::manual();
        let quiet = RoutingOptions::new().probe_interval(SECOND * 3_600).seed(3);
        let backends: Vec<Arc<dyn Backend>> =
            servers.iter().map(|it| Arc::new(it.clone()) as Arc<dyn Backend>).collect();
        let hooks = PoolHooks::new().clock(&clock);
        let options = PoolOptions::new().timeout(SECOND * 2);
        let engine = Engine::from_backends(backends, &options, hooks, change(quiet)).unwrap();
        // Once it is known who is the primary, or only then how far it is, all are called for once more;
        // one who is still called for would be asked behind the test.
        (0..3).for_each(|_| drop(engine.ask_nodes()));
        Self { servers, engine, clock }
    }

    fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.engine.ask_nodes();
    }

    fn health(&self, node: usize) -> NodeHealth {
        self.engine.nodes()[node].health
    }

    /// How many of so many reads each server gets.
    fn reads(&self, reads: u64) -> Vec<u64> {
        let counts = || self.engine.nodes().iter().map(|it| it.pool.check_outs).collect::<Vec<_>>();
        let before = counts();
        for _ in 0..reads {
            drop(self.engine.acquire(Intent::Read).unwrap());
        }
        counts().iter().zip(before).map(|(after, before)| after - before).collect()
    }
}

#[test]
fn one_that_goes_is_left_out_and_comes_back_slowly() {
    let trial = Trial::new(|options| options);
    assert_eq!(trial.reads(200)[0], 0);
    trial.servers[1].stop();
    trial.pass(SECOND);
    assert_eq!(trial.health(1), NodeHealth::Down);
    assert_eq!(trial.reads(100), [0, 0, 100]);
    trial.servers[1].start();
    trial.pass(SECOND);
    assert_eq!(trial.health(1), NodeHealth::Down, "one answer is not enough");
    trial.pass(SECOND);
    assert_eq!(trial.health(1), NodeHealth::Warming);
    let cold = trial.reads(1_000)[1];
    assert!((40..200).contains(&cold), "a tenth of the share of the other at first: {cold}");
    trial.pass(SECOND * 11);
    assert_eq!(trial.health(1), NodeHealth::Fit);
    let warm = trial.reads(1_000)[1];
    assert!((400..600).contains(&warm), "{warm}");
}

#[test]
fn one_that_comes_and_goes_every_second_draws_few_reads() {
    let trial = Trial::new(|options| options.probe_interval(SECOND).policy(Policy::RoundRobin));
    let mut switches = 0;
    let mut last = trial.health(1);
    for second in 0..300 {
        match second % 3 {
            0 => trial.servers[1].stop(),
            1 => trial.servers[1].start(),
            _ => {}
        }
        trial.pass(SECOND);
        switches += u32::from(trial.health(1) != last);
        last = trial.health(1);
    }
    assert!(switches < 40, "it changed {switches} times in 300 seconds");
}

#[test]
fn a_failed_read_asks_for_the_server_and_the_read_goes_elsewhere() {
    let trial = Trial::new(|options| options.policy(Policy::RoundRobin));
    trial.servers[1].stop();
    // Nobody has asked it since.
    assert_eq!(trial.reads(20), [0, 0, 20]);
    trial.servers[2].stop();
    trial.servers[2].cut();
    assert_eq!(trial.reads(20), [20, 0, 0], "the primary is better than nothing");
}

#[test]
fn any_replica_will_do_where_there_is_no_primary() {
    let trial = Trial::new(|options| options.max_lag(SECOND).fall(1));
    trial.servers[0].says(ServerState::primary("7", 1, at(9_000), 1));
    trial.pass(SECOND * 5);
    assert_eq!(trial.health(1), NodeHealth::Lagging);
    assert_eq!(trial.reads(10), [10, 0, 0]);
    trial.servers[0].stop();
    trial.pass(SECOND);
    assert_eq!(trial.reads(10)[0], 0);
    let refused = trial.engine.get_within(Duration::ZERO).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Connect);
}

#[test]
fn a_primary_that_was_started_anew_is_looked_at_before_it_is_written_to() {
    let trial = Trial::new(|options| options);
    drop(trial.engine.get().unwrap());
    // All within one pause between two questions: it dies, another is promoted, it comes back.
    trial.servers[0].cut();
    trial.servers[0].says(ServerState::primary("7", 1, at(1_000), 2));
    trial.servers[1].says(primary(2));
    let refused = || trial.engine.get_within(SECOND).map(drop).unwrap_err().kind();
    until("both are heard of", || refused() == ErrorKind::Config);
    assert_eq!((trial.health(0), trial.health(1)), (NodeHealth::Split, NodeHealth::Split));
    trial.servers[0].stop();
    trial.pass(SECOND);
    drop(trial.engine.get().unwrap());
    assert_eq!(trial.health(1), NodeHealth::Fit);
    trial.servers[0].start();
    for _ in 0..5 {
        trial.pass(SECOND);
        drop(trial.engine.get().unwrap());
    }
    assert_eq!(trial.health(0), NodeHealth::Deposed);
    assert_eq!(
        trial.engine.pool().name().id,
        trial.engine.get().map(|_| trial.engine.pool().name().id).unwrap()
    );
}

#[test]
fn a_connection_that_was_opened_while_its_server_lost_its_role_is_not_written_to() {
    let trial = Trial::new(|options| options);
    let gate = trial.servers[0].gate_connect();
    let engine = &trial.engine;
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| engine.atomically(|_| Ok(())).unwrap());
        gate.wait_until_reached();
        // A planned change, all of it while the connection is being opened.
        trial.servers[0].says(standby(2));
        trial.servers[1].says(primary(2));
        trial.servers[2].says(standby(2));
        engine.ask_nodes();
        engine.ask_nodes();
        gate.open();
        writing.join().unwrap();
    });
    let commits = trial.servers.iter().map(|it| it.count("commit")).collect::<Vec<_>>();
    assert_eq!(commits, [0, 1, 0]);
}

#[test]
fn a_long_read_that_a_replica_cancelled_is_lent_another_one_for_a_while() {
    let trial = Trial::new(|options| options.policy(Policy::RoundRobin));
    let steady = trial.engine.steady(false).unwrap().unwrap();
    let loans = || trial.engine.nodes().iter().map(|it| it.pool.check_outs).collect::<Vec<_>>();
    let before = loans();
    let conflict = || {
        Error::new(ErrorKind::Database, "canceled").with_sqlstate(SqlState::parse("40001").unwrap())
    };
    assert!(steady.lend(&mut |_| Err(conflict())).is_err());
    let after = loans();
    let node = (0..3).find(|node| after[*node] > before[*node]).unwrap();
    assert_ne!(node, 0, "it was read from a replica");
    for _ in 0..10 {
        steady.lend(&mut |_| Ok(())).unwrap();
    }
    assert_eq!(loans()[node], after[node], "it would be cancelled again");
    assert_eq!(loans()[0], before[0], "the other replica is there");
    // All of what needs one server leads to one.
    let one = trial.engine.steady(true).unwrap().unwrap();
    let before = loans();
    for _ in 0..10 {
        one.lend(&mut |_| Ok(())).unwrap();
    }
    let used = loans().iter().zip(before).filter(|(after, before)| **after > *before).count();
    assert_eq!(used, 1);
    assert!(Engine::open("sqlite::memory:").unwrap().steady(true).unwrap().is_none());
}

#[test]
fn a_read_that_every_replica_cancels_is_run_on_each_once_and_ends_on_the_primary() {
    let trial = Trial::new(|options| options);
    let loans = || trial.engine.nodes().iter().map(|it| it.pool.check_outs).collect::<Vec<_>>();
    let conflict = || {
        Error::new(ErrorKind::Database, "canceled").with_sqlstate(SqlState::parse("40001").unwrap())
    };
    let before = loans();
    let mut runs = 0;
    let read = trial.engine.read(|_| {
        runs += 1;
        if runs < 3 { Err(conflict()) } else { Ok(()) }
    });
    read.unwrap();
    let each: Vec<_> = loans().iter().zip(before).map(|(after, before)| after - before).collect();
    assert_eq!((runs, each), (3, vec![1, 1, 1]));
    // The primary cancels nothing for a replay; what it refuses is told.
    runs = 0;
    let refused: rowmill::Result<()> = trial.engine.read(|_| {
        runs += 1;
        Err(conflict())
    });
    assert_eq!((refused.unwrap_err().sqlstate(), runs), (SqlState::parse("40001"), 3));
    runs = 0;
    let fresh = trial.engine.reading(Freshness::Primary);
    let refused: rowmill::Result<()> = fresh.read(|_| {
        runs += 1;
        Err(conflict())
    });
    assert_eq!((refused.unwrap_err().sqlstate(), runs), (SqlState::parse("40001"), 1));
    // However many replicas there are.
    let many = Trial::with(6, |options| options);
    runs = 0;
    let refused: rowmill::Result<()> = many.engine.read(|_| {
        runs += 1;
        Err(conflict())
    });
    assert_eq!((refused.unwrap_err().sqlstate(), runs), (SqlState::parse("40001"), 3));
}

#[test]
fn bad_declarations_are_refused() {
    let build = |change: fn(RoutingOptions) -> RoutingOptions| {
        let url = "postgresql://etl@localhost/warehouse";
        Engine::builder(url).replica(url).routing(change).build()
    };
    assert!(build(|options| options).is_ok());
    let kind = |change| build(change).unwrap_err().kind();
    assert_eq!(kind(|options| options.primary_share(2.0)), ErrorKind::Config);
    assert_eq!(kind(|options| options.rise(0)), ErrorKind::Config);
    let memory = Engine::builder("sqlite::memory:").replica("sqlite::memory:").build();
    assert_eq!(memory.unwrap_err().kind(), ErrorKind::Unsupported);
    let weight = rowmill::Replica::new("postgresql://etl@localhost/w").weight(0.0);
    let weightless = Engine::builder("postgresql://etl@localhost/w").replica_with(weight).build();
    assert_eq!(weightless.unwrap_err().kind(), ErrorKind::Config);
    let secret =
        Engine::builder("postgresql://etl@localhost/w").replica("postgresql://u:hunter2@h h/w");
    assert!(!format!("{secret:?}").contains("hunter2"));
    assert!(!secret.build().unwrap_err().to_string().contains("hunter2"));
}
