//! Who waits, who goes along, and who leads.

use super::group::{Call, Group, Party};
use crate::backend::flight::{MOST_TOGETHER, Request};
use crate::engine::database::Engine;
use crate::error::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many are sent together to a server that is near. There a flight hardly takes longer than its statements,
/// so nothing is won by more of them: the first one waits for the last, and all those who are woken at once for a core.
const FEW_TOGETHER: usize = 16;

/// A flight that takes longer is to a server that is far, where the trips count, or has slow statements.
const FAR: Duration = Duration::from_micros(500);

/// Of how many flights the usual time is, about.
const WEIGHED: u32 = 8;

/// Those who wait, and how many lead.
#[derive(Debug)]
pub(super) struct Boarding {
    queue: Mutex<Queue>,
    /// How many may lead at once: each takes a connection.
    leaders: u32,
}

#[derive(Debug, Default)]
struct Queue {
    /// Groups that gather, the one that came first in front. One whose leader has no connection yet
    /// still does.
    groups: VecDeque<Arc<Group>>,
    leading: u32,
    /// How long a flight takes, by the last ones.
    usual: Duration,
}

/// The turn of a leader; its end is the beginning of the next one's.
struct Turn<'a> {
    boarding: &'a Boarding,
    /// The group that is led, as long as it is not under way.
    group: Option<&'a Arc<Group>>,
    /// How long the flight took.
    took: Option<Duration>,
}

impl Boarding {
    pub(super) fn new(leaders: u32) -> Self {
        Self { queue: Mutex::default(), leaders }
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.lock().groups.iter().map(|group| group.waiting()).sum()
    }

    /// Brings a request to the database and back, with those of others.
    ///
    /// # Errors
    /// As [`Engine::get`] and [`fly`](crate::backend::Connection::fly); `PoolTimeout` if nobody took it along in
    /// time.
    #[track_caller]
    pub(super) fn ride(&self, engine: &Engine, request: Request) -> Result<Request> {
        let (group, place, leads) = self.queue.lock().join(request, self.leaders)?;
        if leads {
            return self.lead(engine, &group, place);
        }
        let timeout = engine.pool().options().timeout;
        match group.wait(place, Instant::now() + timeout) {
            Call::Lead => self.lead(engine, &group, place),
            told => told.into_result(timeout),
        }
    }

    #[track_caller]
    fn lead(&self, engine: &Engine, group: &Arc<Group>, place: usize) -> Result<Request> {
        let mut turn = Turn { boarding: self, group: Some(group), took: None };
        // What keeps this thread from sending anything is no concern of the others.
        let ready = engine.get().and_then(|mut connection| {
            connection.fly(&mut [])?;
            Ok(connection)
        });
        let mut connection = ready.inspect_err(|_| group.leave(place))?;
        let mut party = turn.board(group);
        let start = Instant::now();
        let outcome = connection.fly(&mut party.requests);
        turn.took = Some(start.elapsed());
        // ORDER: the connection before the turn, so that the next leader finds one; and both before
        // the others are told, so that the server has something to do meanwhile.
        drop(connection);
        drop(turn);
        party.land(outcome.err());
        group.told(place).into_result(Duration::ZERO)
    }
}

impl Queue {
    /// A place in the last group, or in one of its own, which is led at once if there are not
    /// as many `leaders` yet. Who can go along with one that is about to leave does not lead another.
    fn join(&mut self, request: Request, leaders: u32) -> Result<(Arc<Group>, usize, bool)> {
        let most = self.most_together();
        let request = match self.groups.back() {
            Some(last) => match last.join(request, most) {
                Ok(place) => return Ok((Arc::clone(last), place, false)),
                Err(request) => request,
            },
            None => request,
        };
        let leads = self.leading < leaders;
        let group = Arc::new(Group::new(leads));
        let full = |_| Error::new(ErrorKind::Internal, "a new group of statements is full");
        let place = group.join(request, most).map_err(full)?;
        self.groups.push_back(Arc::clone(&group));
        self.leading += u32::from(leads);
        Ok((group, place, leads))
    }

    /// How many may be sent together.
    fn most_together(&self) -> usize {
        if self.usual < FAR { FEW_TOGETHER } else { MOST_TOGETHER }
    }

    fn note(&mut self, took: Duration) {
        self.usual = (self.usual * (WEIGHED - 1) + took) / WEIGHED;
    }

    /// Has the group lead that came first and has no leader; `false` if there is none.
    fn call_next(&mut self) -> bool {
        while let Some(at) = self.groups.iter().position(|group| !group.has_leader()) {
            if self.groups[at].call() {
                return true;
            }
            self.groups.remove(at);
        }
        false
    }

    fn remove(&mut self, group: &Arc<Group>) {
        self.groups.retain(|other| !Arc::ptr_eq(other, group));
    }
}

impl<'a> Turn<'a> {
    /// Takes along all who are there.
    fn board(&mut self, group: &'a Arc<Group>) -> Party<'a> {
        let mut queue = self.boarding.queue.lock();
        self.group = None;
        queue.remove(group);
        group.board()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queue = self.boarding.queue.lock();
        if let Some(took) = self.took {
            queue.note(took);
        }
        if let Some(group) = self.group.take() {
            if group.call() {
                return;
            }
            queue.remove(group);
        }
        if !queue.call_next() {
            queue.leading -= 1;
        }
    }
}

impl Call {
    fn into_result(self, timeout: Duration) -> Result<Request> {
        match self {
            Self::Landed(request) => Ok(request),
            Self::Lost(error) => Err(error),
            Self::Late => Err(timed_out(timeout)),
            Self::Lead => Err(Error::new(ErrorKind::Internal, "a statement was not sent")),
        }
    }
}

fn timed_out(timeout: Duration) -> Error {
    let message = format!("a statement waited {timeout:?} to be sent, behind slower ones");
    Error::new(ErrorKind::PoolTimeout, message)
        .with_hint("run slow statements on the engine itself, or let more connections fly")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many groups it takes so many who wait.
    fn groups(queue: &mut Queue, waiting: usize) -> usize {
        for _ in 0..waiting {
            queue.join(Request::new("a", &[]), 0).unwrap();
        }
        std::mem::take(&mut queue.groups).len()
    }

    #[test]
    fn few_are_sent_together_to_a_near_server_and_many_to_a_far_one() {
        let mut queue = Queue::default();
        assert_eq!(groups(&mut queue, 64), 4);
        for _ in 0..20 {
            queue.note(Duration::from_millis(1));
        }
        assert_eq!(groups(&mut queue, 64), 1);
        // One that was held up does not make a near server a far one.
        (0..20).for_each(|_| queue.note(Duration::from_micros(100)));
        queue.note(Duration::from_millis(2));
        assert_eq!(groups(&mut queue, 64), 4);
    }
}
