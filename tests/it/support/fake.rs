//! A backend without a database: it counts, it fails when told to, it stops at gates.

use super::{Gate, LIMIT};
use rowmill::backend::capabilities::Capabilities;
use rowmill::backend::fate::{Fate, TransactionId};
use rowmill::backend::interrupt::Interrupt;
use rowmill::backend::leftovers::Leftovers;
use rowmill::backend::server_limit::ServerLimit;
use rowmill::backend::server_state::{Fork, LogPlace, ServerState};
use rowmill::backend::table_info::TableInfo;
use rowmill::backend::{Backend, Connection, JobLock, RowRef};
use rowmill::{
    Column, Dialect, Error, ErrorKind, Param, Pool, PoolHooks, PoolOptions, Pooled, QueuePool,
    Result, Rows, SqlState, TableName,
};
use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
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
    close_gate: Mutex<Option<Gate>>,
    calls: Mutex<Vec<String>>,
    is_silent: Mutex<bool>,
    is_down: Mutex<bool>,
    ping_failure: Mutex<Option<&'static str>>,
    is_reset_failing: AtomicBool,
    says: Mutex<Option<ServerState>>,
    forks: Mutex<Option<Vec<Fork>>>,
    is_refusing: AtomicBool,
    server_limit: Mutex<Option<ServerLimit>>,
    panics: AtomicU32,
    cut_before: AtomicU64,
    statements: Statements,
}

/// The statements that hang, by the numbers of their connections.
#[derive(Debug, Default)]
struct Statements {
    ended: Mutex<HashSet<(u64, &'static str)>>,
    changed: Condvar,
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

    /// A pool of the kind that its options name, with what is added to it.
    pub fn hooked(&self, options: PoolOptions, hooks: PoolHooks) -> Pool {
        Pool::with_hooks(Arc::new(self.clone()), options.timeout(LIMIT), hooks).unwrap()
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

    /// The next attempts to connect fail with these SQLSTATEs, one each, and no others.
    pub fn fail_with(&self, states: &[&str]) {
        let mut failures = self.0.failures.lock().unwrap();
        failures.clear();
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

    /// Connections stop at this gate when they are closed, from now on.
    pub fn gate_close(&self) -> Gate {
        let gate = Gate::closed();
        *self.0.close_gate.lock().unwrap() = Some(gate.clone());
        gate
    }

    /// The next attempts to connect panic, so many of them.
    pub fn panic_on_connect(&self, times: u32) {
        self.0.panics.store(times, Ordering::SeqCst);
    }

    /// The server stops: every connection breaks, and none can be opened.
    pub fn stop(&self) {
        *self.0.is_down.lock().unwrap() = true;
        self.fall_silent();
    }

    /// The server is there again; connections that were open before are lost.
    pub fn start(&self) {
        *self.0.is_down.lock().unwrap() = false;
        *self.0.is_silent.lock().unwrap() = false;
        self.cut();
    }

    /// Adds a line to the calls.
    pub fn note(&self, call: &str) {
        self.0.calls.lock().unwrap().push(call.to_owned());
    }

    /// Forgets the calls so far.
    pub fn forget(&self) {
        self.0.calls.lock().unwrap().clear();
    }

    /// From now on a ping fails with this SQLSTATE.
    pub fn fail_pings_with(&self, state: Option<&'static str>) {
        *self.0.ping_failure.lock().unwrap() = state;
    }

    /// From now on, or no longer, every ping is refused before anything is sent, as inside of an
    /// async runtime.
    pub fn refuse_pings(&self, refuses: bool) {
        self.0.is_refusing.store(refuses, Ordering::SeqCst);
    }

    /// From now on no connection can be made clean.
    pub fn fail_resets(&self) {
        self.0.is_reset_failing.store(true, Ordering::SeqCst);
    }

    /// How many connections the server says that it has room for.
    pub fn limit_server(&self, limit: ServerLimit) {
        *self.0.server_limit.lock().unwrap() = Some(limit);
    }

    /// What the server says of itself from now on.
    pub fn says(&self, state: ServerState) {
        *self.0.says.lock().unwrap() = Some(state);
    }

    /// Where its log left those before, from now on; `None` if nobody may know.
    pub fn forked(&self, forks: Option<Vec<Fork>>) {
        *self.0.forks.lock().unwrap() = forks;
    }

    /// How often this was called, whatever the connection.
    pub fn count(&self, call: &str) -> usize {
        self.calls().iter().filter(|line| line.split(' ').next() == Some(call)).count()
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
        let count = |left: u32| left.checked_sub(1);
        if self.0.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count).is_ok() {
            std::panic::resume_unwind(Box::new("in the connector"));
        }
        if let Some(error) = self.0.failures.lock().unwrap().pop_front() {
            return Err(error);
        }
        if *self.0.is_down.lock().unwrap() {
            return Err(failure(ErrorKind::Connect, "08001"));
        }
        let open = self.0.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.peak.fetch_max(open, Ordering::SeqCst);
        Ok(Box::new(FakeConnection {
            fake: self.clone(),
            id,
            capabilities: Capabilities::none(Dialect::PostgreSql),
            is_broken: false,
            in_transaction: false,
            has_session: false,
        }))
    }

    fn max_connections(&self) -> Option<u32> {
        *self.0.most.lock().unwrap()
    }

    fn lock_job(&self, _: i64, _: Instant) -> Result<Option<Box<dyn JobLock>>> {
        Ok(None)
    }

    fn share_job(&self, _: i64, _: Instant) -> Result<Option<Box<dyn JobLock>>> {
        Ok(None)
    }

    fn locked_jobs(&self, keys: &[i64], _: Instant) -> Result<Vec<bool>> {
        Ok(vec![false; keys.len()])
    }

    fn describe(&self) -> String {
        "fake".to_owned()
    }
}

struct NoCell;

impl RowRef for NoCell {
    fn len(&self) -> usize {
        0
    }

    fn name(&self, _: usize) -> &'static str {
        ""
    }

    fn cell(&self, _: usize) -> Result<rowmill::CellRef<'_>> {
        Err(Error::new(ErrorKind::Decode, "no such cell"))
    }
}

#[derive(Debug)]
struct FakeConnection {
    fake: Fake,
    id: u64,
    capabilities: Capabilities,
    is_broken: bool,
    in_transaction: bool,
    has_session: bool,
}

impl FakeConnection {
    /// Waits until another thread ends the statement.
    fn hang(&mut self, listens_to_cancel: bool) -> Result<()> {
        let statements = &self.fake.0.statements;
        let mut ended = statements.ended.lock().unwrap();
        self.note("hang");
        loop {
            if ended.contains(&(self.id, "sever")) {
                self.is_broken = true;
                return Err(Error::new(ErrorKind::Disconnect, "severed"));
            }
            if listens_to_cancel && ended.contains(&(self.id, "cancel")) {
                return Err(failure(ErrorKind::Database, "57014"));
            }
            let (next, timeout) = statements.changed.wait_timeout(ended, LIMIT).unwrap();
            assert!(!timeout.timed_out(), "nobody ended the statement");
            ended = next;
        }
    }

    fn note(&self, call: &str) {
        self.fake.0.calls.lock().unwrap().push(format!("{call} {}", self.id));
    }
}

#[derive(Debug)]
struct FakeInterrupt {
    fake: Fake,
    id: u64,
}

impl FakeInterrupt {
    fn end(&self, how: &'static str) {
        self.fake.0.calls.lock().unwrap().push(format!("{how} {}", self.id));
        self.fake.0.statements.ended.lock().unwrap().insert((self.id, how));
        self.fake.0.statements.changed.notify_all();
    }
}

impl Interrupt for FakeInterrupt {
    fn cancel(&self) {
        self.end("cancel");
    }

    fn sever(&self) {
        self.end("sever");
    }
}

fn failure(kind: ErrorKind, state: &str) -> Error {
    Error::new(kind, format!("refused with {state}")).with_sqlstate(SqlState::parse(state).unwrap())
}

impl Drop for FakeConnection {
    fn drop(&mut self) {
        let gate = self.fake.0.close_gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.pass();
        }
        self.fake.0.open.fetch_sub(1, Ordering::SeqCst);
        self.note("close");
    }
}

impl Connection for FakeConnection {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// `break` breaks the connection, `set` leaves something in the session, `fail 57P01` fails so,
    /// `hang` waits to be cancelled, `hang on` to be severed, `panic` panics.
    fn run(&mut self, sql: &str) -> Result<()> {
        match sql {
            "hang" => return self.hang(true),
            "hang on" => return self.hang(false),
            "panic" => std::panic::resume_unwind(Box::new("in a statement")),
            _ => (),
        }
        self.is_broken |= sql == "break";
        self.has_session |= sql == "set";
        sql.strip_prefix("fail ").map_or(Ok(()), |state| Err(failure(ErrorKind::Database, state)))
    }

    /// Returns the number of the connection.
    fn execute(&mut self, _: &str, _: &[Param<'_>]) -> Result<u64> {
        Ok(self.id)
    }

    fn query(
        &mut self,
        _: &str,
        _: &[Param<'_>],
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        each(&NoCell)
    }

    fn fly(&mut self, _: &mut [rowmill::backend::flight::Request]) -> Result<()> {
        Ok(())
    }

    fn load(&mut self, _: &TableName, _: &[Column], _: &Rows, _: Range<usize>) -> Result<u64> {
        Ok(0)
    }

    fn unload(
        &mut self,
        _: &str,
        _: &[rowmill::ColumnType],
        _: &mut dyn FnMut(rowmill::backend::unloaded::Unloaded<'_>) -> Result<()>,
    ) -> Result<u64> {
        Ok(0)
    }

    fn table_storage(
        &mut self,
        _: &TableName,
        _: Option<&rowmill::Ident>,
    ) -> Result<Option<rowmill::backend::table_storage::TableStorage>> {
        Ok(None)
    }

    fn ahead(&mut self, sql: &str) -> Result<()> {
        self.run(sql)
    }

    fn execute_ahead(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        self.execute(sql, params).map(drop)
    }

    fn begin_with(&mut self, settings: &str) -> Result<()> {
        self.begin()?;
        self.run(settings)
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

    fn transaction_id(&mut self) -> Result<Option<TransactionId>> {
        Ok(None)
    }

    fn fate(&mut self, _: &TransactionId) -> Result<Fate> {
        Ok(Fate::Unknown)
    }

    fn check_constraints(&mut self) -> Result<()> {
        Ok(())
    }

    fn set_statement_timeout(&mut self, _: Option<Duration>) -> Result<()> {
        Ok(())
    }

    fn table_info(&mut self, _: &TableName) -> Result<Option<TableInfo>> {
        Ok(None)
    }

    fn ping(&mut self, _: Instant) -> Result<()> {
        self.note("ping");
        if self.fake.0.is_refusing.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unsupported, "not from here"));
        }
        if self.fake.is_silent() {
            return Err(Error::new(ErrorKind::Disconnect, "no answer"));
        }
        let state = *self.fake.0.ping_failure.lock().unwrap();
        state.map_or(Ok(()), |state| Err(failure(ErrorKind::Database, state)))
    }

    fn reset(&mut self, deadline: Instant) -> Result<Leftovers> {
        if self.fake.0.is_reset_failing.load(Ordering::SeqCst) {
            return Err(failure(ErrorKind::Database, "XX000"));
        }
        let transaction = self.in_transaction;
        if transaction {
            self.ping(deadline)?;
            self.rollback()?;
        }
        Ok(Leftovers { transaction, session: std::mem::take(&mut self.has_session) })
    }

    fn distrust(&mut self) {
        self.note("distrust");
    }

    fn interrupt(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::new(FakeInterrupt { fake: self.fake.clone(), id: self.id }))
    }

    fn server_limit(&mut self) -> Result<Option<ServerLimit>> {
        Ok(*self.fake.0.server_limit.lock().unwrap())
    }

    fn server_state(&mut self, _: Instant) -> Result<Option<ServerState>> {
        self.note("server_state");
        if self.fake.is_silent() {
            return Err(failure(ErrorKind::Disconnect, "08006"));
        }
        Ok(self.fake.0.says.lock().unwrap().clone())
    }

    fn log_place(&mut self) -> Result<Option<LogPlace>> {
        Ok(self.fake.0.says.lock().unwrap().as_ref().map(|state| LogPlace {
            system: state.system.parse().unwrap(),
            timeline: state.timeline,
            position: state.position,
        }))
    }

    fn log_forks(&mut self, _: u32, _: Instant) -> Result<Option<Vec<Fork>>> {
        self.note("log_forks");
        Ok(self.fake.0.forks.lock().unwrap().clone())
    }

    fn explain(&self, refusal: rowmill::backend::refusal::Refusal) -> rowmill::Error {
        refusal.unexplained()
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
pub fn take(pool: &Pool, count: usize) -> Vec<Pooled> {
    (0..count).map(|_| take_one(pool)).collect()
}

pub fn take_one(pool: &Pool) -> Pooled {
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
