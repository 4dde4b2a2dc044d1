//! The address, and what is done to whoever comes.

use super::fault::{End, Fault};
use super::session::{self, Session};
use parking_lot::{Condvar, Mutex};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;

/// Stands between clients and a server; dropping it ends every session.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    house: Arc<House>,
}

/// What all sessions of a proxy have in common.
#[derive(Debug)]
pub(super) struct House {
    pub(super) server: SocketAddr,
    fault: Mutex<Fault>,
    changed: Condvar,
    sessions: Mutex<Vec<Weak<Session>>>,
    /// Sockets of clients that are kept open and told nothing.
    pub(super) kept: Mutex<Vec<Arc<TcpStream>>>,
    arrivals: AtomicU64,
    /// How many COMMITs are to be spared yet.
    spared: AtomicU64,
    pub(super) counts: Counts,
    is_over: AtomicBool,
}

/// What has passed since the fault was set.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) client_messages: AtomicU64,
    pub(super) client_bytes: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) turns: AtomicU64,
    commits: AtomicU64,
    pub(super) server_bytes: AtomicU64,
}

impl Proxy {
    /// A proxy before the server on `port` of 127.0.0.1.
    pub fn to(port: u16) -> Self {
        Self::to_address(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// A proxy before a server at an address.
    pub fn to_address(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port for the proxy");
        let port = listener.local_addr().expect("ask for the port").port();
        let house = Arc::new(House {
            server,
            fault: Mutex::new(Fault::Pass),
            changed: Condvar::new(),
            sessions: Mutex::default(),
            kept: Mutex::default(),
            arrivals: AtomicU64::new(0),
            spared: AtomicU64::new(0),
            counts: Counts::default(),
            is_over: AtomicBool::new(false),
        });
        let host = Arc::clone(&house);
        thread::spawn(move || serve(&listener, &host));
        Self { port, house }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `url` with this port in place of the server's.
    pub fn instead_of(&self, url: &str) -> String {
        let server = format!("{}/", self.house.server);
        assert!(url.contains(&server), "{url} is not of {server}");
        url.replace(&server, &format!("127.0.0.1:{}/", self.port))
    }

    /// Sets what is done from now on, and starts the counts anew.
    pub fn set(&self, fault: Fault) {
        self.house.set(fault);
    }

    /// As [`Proxy::set`]; of the COMMITs that pass, the first `spared` do not count.
    pub fn set_after_commits(&self, spared: u64, fault: Fault) {
        self.house.set(Fault::Pass);
        self.house.spared.store(spared, Ordering::SeqCst);
        self.house.set(fault);
    }

    /// The fault that is set: after a cut has struck, it is [`Fault::Pass`].
    pub fn fault(&self) -> Fault {
        self.house.fault()
    }

    /// Ends every session that there is.
    pub fn cut(&self, end: End) {
        self.house.cut(end);
    }

    /// How many clients have come.
    pub fn arrivals(&self) -> u64 {
        self.house.arrivals.load(Ordering::SeqCst)
    }

    /// How many messages of clients came since the fault was set.
    pub fn client_messages(&self) -> u64 {
        self.house.counts.client_messages.load(Ordering::SeqCst)
    }

    /// How many COMMITs of clients came since the fault was set.
    pub fn commits(&self) -> u64 {
        self.house.counts.commits.load(Ordering::SeqCst)
    }

    /// How many requests for a final answer came since the fault was set: round trips, for who sends
    /// one at a time.
    pub fn requests(&self) -> u64 {
        self.house.counts.requests.load(Ordering::SeqCst)
    }

    /// How often a client spoke after it was answered, since the fault was set: round trips, for who writes
    /// at once what it has to say.
    pub fn turns(&self) -> u64 {
        self.house.counts.turns.load(Ordering::SeqCst)
    }

    /// How many bytes of clients came since the fault was set.
    pub fn client_bytes(&self) -> u64 {
        self.house.counts.client_bytes.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.house.is_over.store(true, Ordering::SeqCst);
        self.house.set(Fault::Pass);
        self.house.cut(End::Fin);
        self.house.kept.lock().clear();
        // It wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl House {
    pub(super) fn fault(&self) -> Fault {
        *self.fault.lock()
    }

    /// The fault, once it is not to let nothing pass.
    pub(super) fn wait_while_stalled(&self) -> Fault {
        let mut fault = self.fault.lock();
        while *fault == Fault::Stall {
            self.changed.wait(&mut fault);
        }
        *fault
    }

    fn set(&self, fault: Fault) {
        let mut current = self.fault.lock();
        self.counts.client_messages.store(0, Ordering::SeqCst);
        self.counts.client_bytes.store(0, Ordering::SeqCst);
        self.counts.requests.store(0, Ordering::SeqCst);
        self.counts.turns.store(0, Ordering::SeqCst);
        self.counts.commits.store(0, Ordering::SeqCst);
        self.counts.server_bytes.store(0, Ordering::SeqCst);
        *current = fault;
        self.changed.notify_all();
    }

    /// Whether a COMMIT that passes is one that counts.
    pub(super) fn counts_commit(&self) -> bool {
        self.counts.commits.fetch_add(1, Ordering::SeqCst);
        let spare = |left: u64| left.checked_sub(1);
        self.spared.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spare).is_err()
    }

    /// Says yes to the first who asks whether a cut is to strike here; from then on all passes.
    pub(super) fn strikes(&self, cut: Fault) -> bool {
        let mut current = self.fault.lock();
        let is_first = *current == cut;
        if is_first {
            *current = Fault::Pass;
        }
        is_first
    }

    fn cut(&self, end: End) {
        for session in self.sessions.lock().drain(..) {
            if let Some(session) = session.upgrade() {
                session.end(self, end);
            }
        }
    }

    pub(super) fn enter(&self, session: &Arc<Session>) {
        let mut sessions = self.sessions.lock();
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(session));
    }
}

fn serve(listener: &TcpListener, house: &Arc<House>) {
    for client in listener.incoming() {
        if house.is_over.load(Ordering::SeqCst) {
            return;
        }
        house.arrivals.fetch_add(1, Ordering::SeqCst);
        let Ok(client) = client else { continue };
        let house = Arc::clone(house);
        // A session that cannot begin ends; the client sees that.
        thread::spawn(move || session::host(&house, client));
    }
}
