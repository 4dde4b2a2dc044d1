//! Who waits, who goes along, and who leads.

use super::seat::{Call, Party, Seat};
use crate::backend::flight::{MOST_TOGETHER, Request};
use crate::engine::database::Engine;
use crate::error::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Those who wait, and how many lead.
#[derive(Debug)]
pub(super) struct Boarding {
    queue: Mutex<Queue>,
    /// How many may lead at once: each takes a connection.
    leaders: u32,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<Seat>>,
    leading: u32,
}

/// The turn of a leader; its end is the beginning of the next one's.
struct Turn<'a>(&'a Boarding);

impl Boarding {
    pub(super) fn new(leaders: u32) -> Self {
        Self { queue: Mutex::default(), leaders }
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.lock().waiting.len()
    }

    /// Brings a request to the database and back, with those of others.
    ///
    /// # Errors
    /// As [`Engine::get`] and [`fly`](crate::backend::Connection::fly); `PoolTimeout` if nobody took it along in
    /// time.
    #[track_caller]
    pub(super) fn ride(&self, engine: &Engine, request: Request) -> Result<Request> {
        let mut queue = self.queue.lock();
        if queue.leading < self.leaders {
            queue.leading += 1;
            drop(queue);
            return self.lead(engine, request);
        }
        let seat = Arc::new(Seat::new(request));
        queue.waiting.push_back(Arc::clone(&seat));
        drop(queue);
        let timeout = engine.pool().options().timeout;
        let call = match seat.wait(Some(Instant::now() + timeout)) {
            Some(call) => Some(call),
            None if self.leave(&seat) => return Err(timed_out(timeout)),
            // It is under way: what became of it has to be known.
            None => seat.wait(None),
        };
        match call {
            Some(Call::Lead(request)) => self.lead(engine, request),
            Some(Call::Landed(request)) => Ok(request),
            Some(Call::Lost(error)) => Err(error),
            None => Err(Error::new(ErrorKind::Internal, "a statement was lost on its way")),
        }
    }

    #[track_caller]
    fn lead(&self, engine: &Engine, request: Request) -> Result<Request> {
        // ORDER: dropped last, so that the next leader finds a connection.
        let turn = Turn(self);
        let mut connection = engine.get()?;
        // What keeps this thread from sending anything is no concern of the others.
        connection.fly(&mut [])?;
        let mut party = Party::new(request, self.board());
        let outcome = connection.fly(&mut party.requests);
        drop(connection);
        drop(turn);
        let leader = party.disembark(outcome.as_ref().err());
        match (outcome, leader) {
            (Err(error), Some(request)) if request.is_unknown() => Err(error),
            (_, Some(request)) => Ok(request),
            (_, None) => Err(Error::new(ErrorKind::Internal, "a statement was lost on its way")),
        }
    }

    /// Those who go along.
    fn board(&self) -> Vec<Arc<Seat>> {
        let mut queue = self.queue.lock();
        let count = queue.waiting.len().min(MOST_TOGETHER - 1);
        queue.waiting.drain(..count).collect()
    }

    /// Goes away without having been called; `false` if it is too late for that.
    fn leave(&self, seat: &Arc<Seat>) -> bool {
        let mut queue = self.queue.lock();
        let place = queue.waiting.iter().position(|it| Arc::ptr_eq(it, seat));
        place.map(|place| queue.waiting.remove(place)).is_some()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock();
        match queue.waiting.pop_front() {
            Some(seat) => {
                drop(queue);
                seat.lead();
            }
            None => queue.leading -= 1,
        }
    }
}

fn timed_out(timeout: Duration) -> Error {
    let message = format!("a statement waited {timeout:?} to be sent, behind slower ones");
    Error::new(ErrorKind::PoolTimeout, message)
        .with_hint("run slow statements on the engine itself, or let more connections fly")
}
