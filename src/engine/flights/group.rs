//! Those who are sent together.

use crate::backend::flight::Request;
use crate::error::{Error, ErrorKind};
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Those who are sent together: they gather, one of them sends the requests of all, and all are told
/// at once.
///
/// ORDER: the lock of the queue in which a group stands is taken before its own.
pub(super) struct Group {
    inside: Mutex<Inside>,
    /// Of the standard library: it wakes all who wait here by one call of the system, where others
    /// need one for each.
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    stage: Stage,
    /// A place for each; empty where somebody went away, and while the requests are under way.
    places: Vec<Option<Request>>,
    /// Those who have not gone away.
    members: usize,
    /// Whether one of them leads, or is called to.
    has_leader: bool,
    /// Whether whoever looks first is to lead.
    is_called: bool,
    /// What those are told whose requests did not come back.
    lost: Option<Error>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Gathering,
    UnderWay,
    Landed,
}

/// What one who waits is told.
pub(super) enum Call {
    /// To lead the group.
    Lead,
    /// The request is back, with its outcome.
    Landed(Request),
    /// The request was lost with its connection.
    Lost(Error),
    /// Nobody called in time, and the request was not sent.
    Late,
}

impl Group {
    /// One that nobody has joined; `has_leader` if the first to do so leads it.
    pub(super) fn new(has_leader: bool) -> Self {
        let inside = Inside { has_leader, ..Inside::default() };
        Self { inside: Mutex::new(inside), changed: Condvar::new() }
    }

    /// Nothing here panics while it has the lock.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one of `most` places; gives the request back if none of them is left.
    pub(super) fn join(&self, request: Request, most: usize) -> Result<usize, Request> {
        let mut inside = self.lock();
        if inside.stage != Stage::Gathering || inside.places.len() >= most {
            return Err(request);
        }
        inside.places.push(Some(request));
        inside.members += 1;
        Ok(inside.places.len() - 1)
    }

    /// Goes away without having been sent.
    pub(super) fn leave(&self, place: usize) {
        self.lock().leave(place);
    }

    pub(super) fn has_leader(&self) -> bool {
        self.lock().has_leader
    }

    /// How many wait for somebody to lead them.
    pub(super) fn waiting(&self) -> usize {
        let inside = self.lock();
        inside.members.saturating_sub(usize::from(inside.has_leader))
    }

    /// Has one of them lead; `false` if nobody is there.
    pub(super) fn call(&self) -> bool {
        let mut inside = self.lock();
        if inside.members == 0 {
            return false;
        }
        (inside.has_leader, inside.is_called) = (true, true);
        drop(inside);
        self.changed.notify_one();
        true
    }

    /// Takes the requests along, those of one text behind each other: they can then be answered in one go.
    /// Nobody joins any more.
    pub(super) fn board(&self) -> Party<'_> {
        let mut inside = self.lock();
        inside.stage = Stage::UnderWay;
        let taken = inside.places.iter_mut().enumerate();
        let taken = taken.filter_map(|(place, request)| Some((place, request.take()?)));
        let (places, requests) = by_text(taken.collect()).into_iter().unzip();
        Party { group: self, places, requests }
    }

    /// Waits to be called, until the deadline; for as long as it takes once the request is under way.
    pub(super) fn wait(&self, place: usize, deadline: Instant) -> Call {
        let mut inside = self.lock();
        loop {
            if inside.stage == Stage::Landed {
                return inside.told(place);
            }
            if std::mem::take(&mut inside.is_called) {
                return Call::Lead;
            }
            inside = if inside.stage == Stage::UnderWay {
                self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner)
            } else {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    inside.leave(place);
                    return Call::Late;
                }
                let waited = self.changed.wait_timeout(inside, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }

    /// What became of the request of the one who led.
    pub(super) fn told(&self, place: usize) -> Call {
        self.lock().told(place)
    }
}

/// Moves each behind the first one of its text; else they stay in their order.
fn by_text(mut requests: Vec<(usize, Request)>) -> Vec<(usize, Request)> {
    let first = |sql: &str| requests.iter().position(|(_, other)| other.sql() == sql);
    let firsts: Vec<_> = requests.iter().map(|(_, request)| first(request.sql())).collect();
    if !firsts.is_sorted() {
        let mut ordered: Vec<_> = firsts.into_iter().zip(requests).collect();
        ordered.sort_by_key(|(first, _)| *first);
        requests = ordered.into_iter().map(|(_, request)| request).collect();
    }
    requests
}

impl Inside {
    fn leave(&mut self, place: usize) {
        if self.places.get_mut(place).is_some_and(|request| request.take().is_some()) {
            self.members -= 1;
        }
    }

    fn told(&mut self, place: usize) -> Call {
        match (self.places.get_mut(place).and_then(Option::take), &self.lost) {
            (Some(request), Some(lost)) if request.is_unknown() => {
                Call::Lost(lost.without_source())
            }
            (Some(request), _) => Call::Landed(request),
            (None, Some(lost)) => Call::Lost(lost.without_source()),
            (None, None) => {
                Call::Lost(Error::new(ErrorKind::Internal, "a statement was lost on its way"))
            }
        }
    }
}

/// The requests of a group that are under way. Whoever is not told what became of a request by the
/// end is told that it was lost.
pub(super) struct Party<'a> {
    group: &'a Group,
    places: Vec<usize>,
    pub(super) requests: Vec<Request>,
}

impl Party<'_> {
    /// Tells everybody what became of their requests. `lost` is why there may be some of which
    /// nothing is known.
    pub(super) fn land(mut self, lost: Option<Error>) {
        self.tell(lost);
    }

    fn tell(&mut self, lost: Option<Error>) {
        let places = std::mem::take(&mut self.places);
        let mut inside = self.group.lock();
        for (place, request) in places.iter().zip(self.requests.drain(..)) {
            inside.places[*place] = Some(request);
        }
        (inside.stage, inside.lost) = (Stage::Landed, lost);
        drop(inside);
        // The one who led is awake.
        if places.len() > 1 {
            self.group.changed.notify_all();
        }
    }
}

impl Drop for Party<'_> {
    fn drop(&mut self) {
        if !self.places.is_empty() {
            self.requests.clear();
            let message = "the thread that had sent a statement panicked";
            self.tell(Some(Error::new(ErrorKind::Panic, message)));
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Group")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    fn request(sql: &str) -> Request {
        Request::new(sql, &[])
    }

    /// A group of so many; the places are in the order of the texts.
    fn group(texts: &[&str]) -> Group {
        let group = Group::new(true);
        for text in texts {
            group.join(request(text), 64).unwrap();
        }
        group
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[test]
    fn who_was_taken_along_by_a_thread_that_panics_is_told() {
        let group = group(&["a", "b"]);
        drop(group.board());
        for place in [0, 1] {
            let Call::Lost(error) = group.wait(place, soon()) else { panic!("nothing was lost") };
            assert_eq!(error.kind(), ErrorKind::Panic);
        }
    }

    #[test]
    fn everybody_gets_their_own_request_back_also_where_one_went_away() {
        let group = group(&["a", "b", "c"]);
        group.leave(1);
        let party = group.board();
        assert_eq!(party.requests.len(), 2);
        party.land(None);
        for (place, sql) in [(2, "c"), (0, "a")] {
            let Call::Landed(request) = group.wait(place, soon()) else { panic!("not landed") };
            assert_eq!(request.sql(), sql);
        }
    }

    #[test]
    fn those_of_one_text_are_sent_behind_each_other_and_each_gets_its_own_back() {
        let group = group(&["b", "a", "b", "c", "a"]);
        let party = group.board();
        let sent: String = party.requests.iter().map(Request::sql).collect();
        assert_eq!(sent, "bbaac");
        party.land(None);
        for (place, sql) in ["b", "a", "b", "c", "a"].into_iter().enumerate() {
            let Call::Landed(request) = group.wait(place, soon()) else { panic!("not landed") };
            assert_eq!(request.sql(), sql);
        }
    }

    #[test]
    fn of_those_who_are_lost_each_is_told_why() {
        let group = group(&["a", "b"]);
        group.board().land(Some(Error::new(ErrorKind::Disconnect, "gone")));
        for place in [0, 1] {
            let Call::Lost(error) = group.wait(place, soon()) else { panic!("nothing was lost") };
            assert_eq!((error.kind(), error.message()), (ErrorKind::Disconnect, "gone"));
        }
    }

    #[test]
    fn one_is_called_to_lead_and_no_other() {
        let group = group(&["a", "b"]);
        assert!(group.call());
        assert!(matches!(group.wait(1, Instant::now()), Call::Lead));
        assert!(matches!(group.wait(0, Instant::now()), Call::Late));
        group.leave(1);
        assert!(!group.call(), "nobody is there any more");
    }

    #[test]
    fn who_waits_on_other_threads_is_woken_when_the_requests_are_back() {
        let group = group(&["a", "b", "c"]);
        let party = group.board();
        thread::scope(|scope| {
            let others = [1, 2].map(|place| {
                scope.spawn({
                    let group = &group;
                    // The deadline is none for requests that are under way.
                    move || matches!(group.wait(place, Instant::now()), Call::Landed(_))
                })
            });
            party.land(None);
            assert!(others.into_iter().all(|other| other.join().unwrap()));
        });
    }

    #[test]
    fn a_group_that_is_full_or_under_way_takes_nobody() {
        let full = group(&["a"; 64]);
        assert!(full.join(request("one too many"), 64).is_err());
        let sent = group(&["a"]);
        let party = sent.board();
        assert!(sent.join(request("too late"), 64).is_err());
        party.land(None);
        assert!(sent.join(request("much too late"), 64).is_err());
    }
}
