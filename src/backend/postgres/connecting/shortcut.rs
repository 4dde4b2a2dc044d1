//! The socket of a server on this machine, in the place of its port.
//!
//! What crosses the loopback interface goes through the whole of TCP. So whoever connects first to a
//! port of this machine finds out whether its server has a Unix socket, too, and moves there; all later
//! connections begin there. Three things are certain before anything is sent over it that
//! matters: the socket belongs to the user to whom the other end of the TCP connection belongs, as the
//! system says of both; no pooler, container or tunnel is in between, because the server has the
//! same two ends of that connection as we have; and whoever answers at the socket has the start
//! time and the port of that server. The last is asked of each connection, for after a restart
//! another server may be there.
//!
//! Whatever goes wrong, the port is there still, and nobody is told. A socket that refuses us (the
//! method `peer`, a missing right) is left alone from then on; one that is gone, or is that of
//! another server, is looked for anew. A password goes to it readable as little as to the port.

use super::identity::Identity;
use crate::backend::postgres::wire::server::Place;
use crate::error::Error;
use crate::sqlstate::Class;
use crate::trace;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::time::Instant;

/// What all connections to one host know of the socket that its server has.
#[derive(Debug, Default)]
pub(in crate::backend::postgres) struct Shortcut {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Unknown,
    /// Somebody is finding out.
    Sought,
    Found(Arc<Found>),
    /// There is none that can be used.
    Closed,
}

/// A socket, and the server that was there.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) server: Identity,
}

/// What a new connection does.
pub(super) enum Way<'a> {
    /// It goes to the port.
    Port,
    /// It goes to the socket.
    Socket(Arc<Found>),
    /// It goes to the port, and finds out more there.
    Search(Search<'a>),
}

/// What becomes of a connection whose way to the socket failed.
pub(super) enum Then {
    /// The port is tried.
    Port,
    /// The server is the right one and will say the same there.
    Fail,
}

impl Shortcut {
    /// The way for a new connection; waits until `patience` is over while another finds out.
    pub(super) fn way(&self, patience: Instant) -> Way<'_> {
        let mut state = self.state.lock();
        loop {
            match &*state {
                State::Closed => return Way::Port,
                State::Found(found) => return Way::Socket(Arc::clone(found)),
                State::Unknown => {
                    *state = State::Sought;
                    return Way::Search(Search { shortcut: self, end: State::Unknown });
                }
                State::Sought => {
                    if self.changed.wait_until(&mut state, patience).timed_out() {
                        return Way::Port;
                    }
                }
            }
        }
    }

    /// Takes note that a connection over a socket failed.
    pub(super) fn failed(&self, found: &Arc<Found>, error: &Error, label: &str) -> Then {
        if error.class() == Class::Unavailable {
            return Then::Fail;
        }
        let refuses = error.sqlstate().is_some_and(|state| state.code().starts_with("28"));
        let mut state = self.state.lock();
        if matches!(&*state, State::Found(known) if Arc::ptr_eq(known, found)) {
            *state = if refuses { State::Closed } else { State::Unknown };
            trace::debug(format_args!("{label}: its socket is not used any more"));
        }
        Then::Port
    }
}

/// The right to find out; what was found counts when this is dropped.
pub(super) struct Search<'a> {
    shortcut: &'a Shortcut,
    end: State,
}

impl Search<'_> {
    /// There is a socket.
    pub(super) fn found(mut self, found: Found, label: &str) {
        trace::debug(format_args!("{label}: reached by its socket, {}", found.place));
        self.end = State::Found(Arc::new(found));
    }

    /// There is none that can be used.
    pub(super) fn in_vain(mut self, label: &str) {
        trace::debug(format_args!("{label}: reached by its port"));
        self.end = State::Closed;
    }
}

impl Drop for Search<'_> {
    fn drop(&mut self) {
        *self.shortcut.state.lock() = std::mem::take(&mut self.end);
        self.shortcut.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::sqlstate::SqlState;
    use std::path::Path;
    use std::thread;
    use std::time::Duration;

    fn found() -> Found {
        let server = Identity { started: "1.5".to_owned(), port: "5432".to_owned(), seen: None };
        Found { place: Place::Found(Path::new("/srv/.s.PGSQL.5432").into(), 101), server }
    }

    fn failure(state: &str) -> Error {
        Error::new(ErrorKind::Connect, "no").with_sqlstate(SqlState::parse(state).unwrap())
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    /// One whose socket was found.
    fn open() -> (Shortcut, Arc<Found>) {
        let shortcut = Shortcut::default();
        let Way::Search(search) = shortcut.way(soon()) else { panic!("nobody searched yet") };
        search.found(found(), "here");
        let Way::Socket(found) = shortcut.way(soon()) else { panic!("it was found") };
        (shortcut, found)
    }

    #[test]
    fn one_finds_out_and_the_others_wait_for_it() {
        let shortcut = Shortcut::default();
        let Way::Search(search) = shortcut.way(soon()) else { panic!("nobody searched yet") };
        assert!(matches!(shortcut.way(Instant::now()), Way::Port), "patience is over");
        thread::scope(|scope| {
            let other = scope.spawn(|| matches!(shortcut.way(soon()), Way::Socket(_)));
            search.found(found(), "here");
            assert!(other.join().unwrap());
        });
    }

    #[test]
    fn whoever_finds_out_nothing_leaves_it_to_the_next_one() {
        let shortcut = Shortcut::default();
        let Way::Search(search) = shortcut.way(soon()) else { panic!("nobody searched yet") };
        drop(search);
        let Way::Search(search) = shortcut.way(soon()) else { panic!("nothing is known") };
        search.in_vain("here");
        assert!(matches!(shortcut.way(soon()), Way::Port));
    }

    #[test]
    fn a_socket_that_refuses_is_left_alone_and_one_that_is_gone_is_looked_for_anew() {
        for (state, is_left) in [("28000", true), ("28P01", true), ("08001", false)] {
            let (shortcut, found) = open();
            let then = shortcut.failed(&found, &failure(state), "here");
            assert!(matches!(then, Then::Port), "{state}");
            let way = shortcut.way(soon());
            assert_eq!(matches!(way, Way::Port), is_left, "{state}");
            assert_eq!(matches!(way, Way::Search(_)), !is_left, "{state}");
        }
    }

    #[test]
    fn a_server_that_is_full_says_so_once_and_keeps_its_socket() {
        let (shortcut, found) = open();
        let then = shortcut.failed(&found, &failure("53300"), "here");
        assert!(matches!(then, Then::Fail));
        assert!(matches!(shortcut.way(soon()), Way::Socket(_)));
    }

    #[test]
    fn who_comes_late_does_not_undo_what_was_found_anew() {
        let (shortcut, old) = open();
        shortcut.failed(&old, &failure("08001"), "here");
        let Way::Search(search) = shortcut.way(soon()) else { panic!("it was forgotten") };
        search.found(found(), "here");
        shortcut.failed(&old, &failure("08001"), "here");
        assert!(matches!(shortcut.way(soon()), Way::Socket(_)));
    }
}
