//! A backend without a database: it counts, it fails when told to, it stops at gates.

use super::{Gate, LIMIT};
use rowmill::backend::capabilities::Capabilities;
use rowmill::backend::table_info::TableInfo;
use rowmill::backend::{Backend, Connection, JobLock, RowRef};
use rowmill::{
    Column, Dialect, Error, ErrorKind, Param, PoolOptions, Pooled, QueuePool, Result, Rows,
    SqlState, TableName,
};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What a fake backend counts and what it was told to do; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Fake(Arc<State>);

#[derive(Debug, Default)]
struct State {
    connects: AtomicU64,
    open: AtomicU32,
    peak: AtomicU32,
    most: Mutex<Option<u32>>,
    failures: Mutex<VecDeque<Error>>,
    connect_gate: Mutex<Option<Gate>>,
    calls: Mutex<Vec<String>>,
    is_silent: Mutex<bool>,
    cut_before: AtomicU64,
}

impl Fake {
    /// A pool of `pool_size` and `max_overflow` connections whose time-out is long.
    pub fn pool(&self, pool_size: u32, max_overflow: u32) -> QueuePool {
        let options = PoolOptions::new().pool_size(pool_size).max_overflow(max_overflow);
        self.pool_with(options.timeout(LIMIT))
    }

    pub fn pool_with(&self, options: PoolOptions) -> QueuePool {
        QueuePool::new(Arc::new(self.clone()), options).unwrap()
    }

    /// How often a connection was asked for.
    pub fn connects(&self) -> u64 {
        self.0.connects.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn open(&self) -> u32 {
        self.0.open.load(Ordering::SeqCst)
    }

    /// How many connections were open at once at most.
    pub fn peak(&self) -> u32 {
        self.0.peak.load(Ordering::SeqCst)
    }

    /// Limits how many connections make sense.
    pub fn limit(&self, most: u32) {
        *self.0.most.lock().unwrap() = Some(most);
    }

    /// The next attempts to connect fail with these SQLSTATEs, one each.
    pub fn fail_with(&self, states: &[&str]) {
        let mut failures = self.0.failures.lock().unwrap();
        for state in states {
            let error = Error::new(ErrorKind::Connect, format!("refused with {state}"));
            failures.push_back(error.with_sqlstate(SqlState::parse(state).unwrap()));
        }
    }

    /// Attempts to connect stop at this gate from now on.
    pub fn gate_connect(&self) -> Gate {
        let gate = Gate::closed();
        *self.0.connect_gate.lock().unwrap() = Some(gate.clone());
        gate
    }

    /// From now on no connection answers a ping.
    pub fn fall_silent(&self) {
        *self.0.is_silent.lock().unwrap() = true;
    }

    /// All connections that were asked for so far break, on loan or not.
    pub fn cut(&self) {
        self.0.cut_before.store(self.connects(), Ordering::SeqCst);
    }

    /// The calls that changed a connection, in their order, each with the connection's number.
    pub fn calls(&self) -> Vec<String> {
        self.0.calls.lock().unwrap().clone()
    }

    fn is_silent(&self) -> bool {
        *self.0.is_silent.lock().unwrap()
    }
}

impl Backend for Fake {
    fn connect(&self, _: Instant) -> Result<Box<dyn Connection>> {
        let id = self.0.connects.fetch_add(1, Ordering::SeqCst);
        let gate = self.0.connect_gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.pass();
        }
        if let Some(error) = self.0.failures.lock().unwrap().pop_front() {
            return Err(error);
        }
        let open = self.0.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.peak.fetch_max(open, Ordering::SeqCst);
        Ok(Box::new(FakeConnection {
            fake: self.clone(),
            id,
            capabilities: Capabilities::none(Dialect::PostgreSql),
            is_broken: false,
            in_transaction: false,
        }))
    }

    fn max_connections(&self) -> Option<u32> {
        *self.0.most.lock().unwrap()
    }

    fn lock_job(&self, _: i64, _: Instant) -> Result<Option<Box<dyn JobLock>>> {
        Ok(None)
    }

    fn describe(&self) -> String {
        "fake".to_owned()
    }
}

#[derive(Debug)]
struct FakeConnection {
    fake: Fake,
    id: u64,
    capabilities: Capabilities,
    is_broken: bool,
    in_transaction: bool,
}

impl FakeConnection {
    fn note(&self, call: &str) {
        self.fake.0.calls.lock().unwrap().push(format!("{call} {}", self.id));
    }
}

impl Drop for FakeConnection {
    fn drop(&mut self) {
        self.fake.0.open.fetch_sub(1, Ordering::SeqCst);
        self.note("close");
    }
}

impl Connection for FakeConnection {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// `break` breaks the connection.
    fn run(&mut self, sql: &str) -> Result<()> {
        self.is_broken |= sql == "break";
        Ok(())
    }

    /// Returns the number of the connection.
    fn execute(&mut self, _: &str, _: &[Param<'_>]) -> Result<u64> {
        Ok(self.id)
    }

    fn query(
        &mut self,
        _: &str,
        _: &[Param<'_>],
        _: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        Ok(())
    }

    fn load(&mut self, _: &TableName, _: &[Column], _: &Rows, _: Range<usize>) -> Result<u64> {
        Ok(0)
    }

    fn begin(&mut self) -> Result<()> {
        self.in_transaction = true;
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.in_transaction = false;
        self.note("commit");
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        self.in_transaction = false;
        self.note("rollback");
        Ok(())
    }

    fn table_info(&mut self, _: &TableName) -> Result<Option<TableInfo>> {
        Ok(None)
    }

    fn ping(&mut self, _: Instant) -> Result<()> {
        self.note("ping");
        if self.fake.is_silent() {
            return Err(Error::new(ErrorKind::Disconnect, "no answer"));
        }
        Ok(())
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    fn is_broken(&self) -> bool {
        self.is_broken || self.id < self.fake.0.cut_before.load(Ordering::SeqCst)
    }
}

/// The number of a connection: how many were asked for before it.
pub fn id(connection: &mut Pooled) -> u64 {
    connection.execute("id", &[]).unwrap()
}

/// Takes `count` connections at once, each on a thread of its own, as the pool demands, and lends
/// them to this thread.
pub fn take(pool: &QueuePool, count: usize) -> Vec<Pooled> {
    (0..count).map(|_| take_one(pool)).collect()
}

fn take_one(pool: &QueuePool) -> Pooled {
    thread::scope(|scope| scope.spawn(|| pool.get().unwrap()).join().unwrap())
}

/// Waits until `condition` holds.
pub fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen within {LIMIT:?}");
        thread::park_timeout(Duration::from_millis(1));
    }
}
