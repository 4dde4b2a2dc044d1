//! One who waits for a flight.

use crate::backend::flight::Request;
use crate::error::{Error, ErrorKind};
use parking_lot::{Condvar, Mutex};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// One who waits, and what becomes of its request.
pub(super) struct Seat {
    place: Mutex<Place>,
    changed: Condvar,
}

enum Place {
    /// Nobody has taken the request yet.
    Waiting(Request),
    /// A leader has it.
    Aboard,
    Called(Call),
}

/// What one who waited is told.
pub(super) enum Call {
    /// It is its turn to lead, with its own request.
    Lead(Request),
    /// The request is back, with its outcome.
    Landed(Request),
    /// The request was lost with its connection.
    Lost(Error),
}

impl Seat {
    pub(super) fn new(request: Request) -> Self {
        Self { place: Mutex::new(Place::Waiting(request)), changed: Condvar::new() }
    }

    /// Takes the request along.
    pub(super) fn board(&self) -> Option<Request> {
        let mut place = self.place.lock();
        match std::mem::replace(&mut *place, Place::Aboard) {
            Place::Waiting(request) => Some(request),
            other => {
                *place = other;
                None
            }
        }
    }

    /// Has it lead.
    pub(super) fn lead(&self) {
        if let Some(request) = self.board() {
            self.call(Call::Lead(request));
        }
    }

    pub(super) fn call(&self, call: Call) {
        *self.place.lock() = Place::Called(call);
        self.changed.notify_one();
    }

    /// Waits to be called; `None` if it was not before the deadline.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Call> {
        let mut place = self.place.lock();
        loop {
            if matches!(*place, Place::Called(_)) {
                let Place::Called(call) = std::mem::replace(&mut *place, Place::Aboard) else {
                    return None;
                };
                return Some(call);
            }
            match deadline {
                None => self.changed.wait(&mut place),
                Some(deadline) => {
                    if self.changed.wait_until(&mut place, deadline).timed_out()
                        && !matches!(*place, Place::Called(_))
                    {
                        return None;
                    }
                }
            }
        }
    }
}

/// The requests of a flight, the leader's first, and the seats of the others. Whoever is not told
/// what became of a request by the end is told that it was lost.
pub(super) struct Party {
    pub(super) requests: Vec<Request>,
    seats: Vec<Arc<Seat>>,
}

impl Party {
    pub(super) fn new(leader: Request, others: Vec<Arc<Seat>>) -> Self {
        let mut party = Self { requests: vec![leader], seats: Vec::with_capacity(others.len()) };
        for seat in others {
            if let Some(request) = seat.board() {
                party.requests.push(request);
                party.seats.push(seat);
            }
        }
        party
    }

    /// Tells everybody what became of their requests; gives the leader's. `lost` is why there may be
    /// some of which nothing is known.
    pub(super) fn disembark(mut self, lost: Option<&Error>) -> Option<Request> {
        let mut requests = std::mem::take(&mut self.requests).into_iter();
        let leader = requests.next();
        for (request, seat) in requests.zip(self.seats.drain(..)) {
            let is_lost = request.is_unknown();
            seat.call(match lost {
                Some(error) if is_lost => Call::Lost(error.without_source()),
                _ => Call::Landed(request),
            });
        }
        leader
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        for seat in self.seats.drain(..) {
            let message = "the thread that had sent a statement panicked";
            seat.call(Call::Lost(Error::new(ErrorKind::Panic, message)));
        }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seat")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(sql: &str) -> Request {
        Request::new(sql, &[])
    }

    #[test]
    fn who_was_taken_along_by_a_thread_that_panics_is_told() {
        let seat = Arc::new(Seat::new(request("b")));
        drop(Party::new(request("a"), vec![Arc::clone(&seat)]));
        let Some(Call::Lost(error)) = seat.wait(None) else { panic!("nothing was lost") };
        assert_eq!(error.kind(), ErrorKind::Panic);
    }

    #[test]
    fn everybody_gets_their_own_request_back() {
        let seats = ["b", "c"].map(|sql| Arc::new(Seat::new(request(sql))));
        let party = Party::new(request("a"), seats.to_vec());
        assert_eq!(party.disembark(None).unwrap().sql(), "a");
        for (seat, sql) in seats.iter().zip(["b", "c"]) {
            let Some(Call::Landed(request)) = seat.wait(None) else { panic!("it did not land") };
            assert_eq!(request.sql(), sql);
        }
    }

    #[test]
    fn who_is_called_to_lead_has_its_own_request_and_nobody_else_takes_it() {
        let seat = Seat::new(request("a"));
        assert!(seat.wait(Some(Instant::now())).is_none());
        seat.lead();
        assert!(seat.board().is_none());
        let Some(Call::Lead(request)) = seat.wait(None) else { panic!("it does not lead") };
        assert_eq!(request.sql(), "a");
    }
}
