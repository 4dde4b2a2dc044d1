//! A primary and two replicas that follow it.

use super::LIMIT;
use super::cluster::{Cluster, USER};
use parking_lot::{Mutex, MutexGuard};
use rowmill::{Engine, EngineBuilder, NodeHealth, NodeStatus};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait before looking again.
const POLL: Duration = Duration::from_millis(10);

/// A primary and two replicas that follow it.
#[derive(Debug)]
pub struct Trio {
    pub primary: Cluster,
    pub replicas: [Cluster; 2],
}

/// The one that tests share, each for itself while it has it; they leave it as they found it. Tests
/// that promote a server start their own.
pub fn shared() -> MutexGuard<'static, Trio> {
    static SHARED: OnceLock<Mutex<Trio>> = OnceLock::new();
    let trio = SHARED.get_or_init(|| Mutex::new(Trio::start())).lock();
    trio.mend();
    trio
}

impl Trio {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, all of them with these settings.
    pub fn start_with(settings: &[&str]) -> Self {
        // What a replica that was away has missed is kept for it.
        let settings: Vec<_> = ["wal_keep_size=256MB"].iter().chain(settings).copied().collect();
        let primary = Cluster::start_with(&settings);
        let replica = || Cluster::replica_of(&primary, &settings);
        let replicas = thread::scope(|scope| {
            let second = scope.spawn(replica);
            [replica(), second.join().unwrap()]
        });
        Self { primary, replicas }
    }

    /// Makes good what a test that failed has left behind.
    fn mend(&self) {
        for replica in &self.replicas {
            if replica.try_connect(USER).is_err() {
                replica.restart();
            }
            replica.sql("select pg_wal_replay_resume()");
        }
    }

    pub fn nodes(&self) -> [&Cluster; 3] {
        [&self.primary, &self.replicas[0], &self.replicas[1]]
    }

    /// An engine for all three, which asks them ten times a second, and whose servers that come
    /// back have their share at once.
    pub fn builder(&self) -> EngineBuilder {
        let [primary, one, other] = self.nodes().map(Cluster::url);
        Engine::builder(&primary).replica(&one).replica(&other).routing(|options| {
            options
                .probe_interval(Duration::from_millis(100))
                .probe_timeout(Duration::from_millis(500))
                .slow_start(Duration::ZERO)
                .seed(20_260_822)
        })
    }

    pub fn engine(&self) -> Engine {
        let engine = self.builder().build().unwrap();
        settled(&engine);
        engine
    }

    /// The same, whose reads after a token wait for so long.
    pub fn engine_with_wait(&self, wait: Duration) -> Engine {
        let engine = self.builder().routing(|options| options.token_wait(wait)).build().unwrap();
        engine.ask_nodes();
        engine
    }

    /// The port of a server of this trio, by which it is known in a query.
    pub fn number_of(&self, port: u16) -> usize {
        self.nodes().iter().position(|node| node.port() == port).expect("a server of these")
    }

    /// Waits until both replicas show all that the primary has written.
    pub fn catch_up(&self) {
        let position = one(&self.primary, "select pg_current_wal_insert_lsn()");
        // What a commit that does not wait has written is sent when it is on the disk.
        self.primary.sql("select pg_switch_wal()");
        for replica in &self.replicas {
            let shown = format!("select pg_last_wal_replay_lsn() >= '{position}'");
            until("a replica that shows everything", || one(replica, &shown) == "t");
        }
    }
}

/// The one value of a query to a server.
pub fn one(cluster: &Cluster, sql: &str) -> String {
    let messages = cluster.connect(USER).simple_query(sql).unwrap();
    let value = messages.iter().find_map(|message| match message {
        postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    value.unwrap_or_default()
}

/// Waits until all servers of an engine are fit.
pub fn settled(engine: &Engine) {
    until("servers that are all fit", || {
        engine.ask_nodes().iter().all(|node| node.health == NodeHealth::Fit)
    });
}

/// Waits until a server of an engine does like this.
pub fn until_node(engine: &Engine, node: usize, is: impl Fn(&NodeStatus) -> bool) {
    engine.get_within(Duration::ZERO).ok();
    until("a server that does as is waited for", || is(&engine.nodes()[node]));
}

/// Waits until this holds.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(POLL);
    }
}
