//! The rights to have a connection, and who has them.

use super::super::badge::Badge;
use super::super::clock::passed;
use super::super::holder::Holder;
use super::super::request::{Label, Request};
use crate::workers::{Holding, Mark};
use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// The number of a seat: the right to have one connection of the pool.
pub(crate) type Seat = u32;

/// All seats. They are made when they are first needed, and used again.
#[derive(Debug)]
pub(super) struct Seats {
    all: Vec<Chair>,
    free: Vec<Seat>,
    pub(super) limit: u32,
    /// Seats that somebody has, a borrower or the housekeeper.
    pub(super) taken: u32,
}

#[derive(Debug)]
struct Chair {
    holding: Holding,
    /// The thread that had the seat last. It is kept, for the next is often the same, and counting
    /// those who know a thread costs as much as the rest of what is noted here.
    thread: Option<Thread>,
    loan: Option<Loan>,
}

thread_local! {
    /// The thread itself, at hand without a count.
    static THIS: Thread = thread::current();
}

impl Chair {
    fn new() -> Self {
        Self { holding: Holding::new(), thread: None, loan: None }
    }

    /// The seat is of `thread` now.
    #[inline]
    fn sit(&mut self, thread: &Thread) {
        if self.thread.as_ref().is_none_or(|last| last.id() != thread.id()) {
            self.thread = Some(thread.clone());
        }
    }
}

/// Who has a seat, since when and for what.
#[derive(Debug)]
pub(crate) struct Loan {
    pub(crate) label: Option<Label>,
    pub(super) place: &'static Location<'static>,
    pub(crate) since: Instant,
    pub(crate) badge: Option<Arc<Badge>>,
    pub(crate) is_reported: bool,
}

/// What is left of a loan.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// That of its connection, if it had one.
    pub(super) badge: Option<Arc<Badge>>,
    pub(super) used: Duration,
    /// The loan itself, if it was reported as too long.
    pub(super) late: Option<Box<Loan>>,
}

impl Loan {
    #[inline]
    pub(super) fn new(request: &Request, since: Instant, badge: Option<Arc<Badge>>) -> Self {
        // Copied by hand, for a label is most often none or a text that is there for ever.
        let label = match &request.label {
            None => None,
            Some(Cow::Borrowed(text)) => Some(Cow::Borrowed(*text)),
            Some(Cow::Owned(text)) => Some(Cow::Owned(copy(text).into_string())),
        };
        Self { label, place: request.place, since, badge, is_reported: false }
    }

    fn holder(&self, thread: Option<&Thread>, now: Instant) -> Holder {
        Holder {
            connection: self.badge.as_ref().map(|badge| badge.id),
            label: self.label.clone(),
            thread: thread.and_then(Thread::name).map(str::to_owned),
            place: self.place,
            age: now.saturating_duration_since(self.since),
            is_running: self.badge.as_ref().is_some_and(|badge| badge.is_running()),
        }
    }
}

#[cold]
fn copy(text: &str) -> Box<str> {
    text.into()
}

impl Seats {
    pub(super) fn new(limit: u32) -> Self {
        Self { all: Vec::new(), free: Vec::new(), limit, taken: 0 }
    }

    #[inline]
    pub(super) fn has_free(&self) -> bool {
        self.taken < self.limit
    }

    /// Takes a seat; only while there is a free one.
    #[inline]
    pub(super) fn take(&mut self) -> Seat {
        self.taken += 1;
        self.free.pop().unwrap_or_else(|| self.one_more())
    }

    #[cold]
    fn one_more(&mut self) -> Seat {
        self.all.push(Chair::new());
        self.all.len() as Seat - 1
    }

    #[inline]
    pub(super) fn leave(&mut self, seat: Seat) {
        self.taken -= 1;
        self.free.push(seat);
    }

    /// A loan of a seat begins, to `thread` or else to this one. Says where it is written down that
    /// the thread holds something.
    #[inline]
    pub(super) fn lend(
        &mut self,
        seat: Seat,
        thread: Option<&Thread>,
        make: impl FnOnce() -> Loan,
    ) -> Mark {
        let chair = &mut self.all[seat as usize];
        match thread {
            Some(thread) => chair.sit(thread),
            // In the last moments of a thread what is its own is gone.
            None if THIS.try_with(|thread| chair.sit(thread)).is_err() => {
                chair.sit(&thread::current());
            }
            None => (),
        }
        // Made where it stays, as nothing is in its place: copying it costs more than making it.
        chair.loan = None;
        chair.loan = Some(make());
        chair.holding.mark()
    }

    /// The loan of a seat ends, if there is one: the thread that has it holds nothing any more.
    #[inline]
    pub(super) fn end(&mut self, seat: Seat, now: Instant) -> Ended {
        let chair = &mut self.all[seat as usize];
        chair.holding.end();
        let Some(loan) = &mut chair.loan else { return Ended::default() };
        let badge = loan.badge.take();
        let used = passed(loan.since, now);
        if loan.is_reported {
            return Ended { badge, used, late: chair.loan.take().map(Box::new) };
        }
        chair.loan = None;
        Ended { badge, used, late: None }
    }

    pub(super) fn loan(&mut self, seat: Seat) -> Option<&mut Loan> {
        self.all[seat as usize].loan.as_mut()
    }

    pub(super) fn loans(&self) -> impl Iterator<Item = &Loan> {
        self.all.iter().filter_map(|chair| chair.loan.as_ref())
    }

    /// Marks the loans that `is_chosen` chooses as reported, and says who has them.
    pub(super) fn report(
        &mut self,
        is_chosen: impl Fn(&Loan) -> bool,
        now: Instant,
    ) -> Vec<Holder> {
        let mut holders = Vec::new();
        for chair in &mut self.all {
            if let Some(loan) = chair.loan.as_mut().filter(|loan| is_chosen(loan)) {
                loan.is_reported = true;
                holders.push(loan.holder(chair.thread.as_ref(), now));
            }
        }
        holders
    }

    /// Who has a connection or waits for one to be opened, the longest first.
    pub(super) fn holders(&self, now: Instant) -> Vec<Holder> {
        let holder = |chair: &Chair| Some(chair.loan.as_ref()?.holder(chair.thread.as_ref(), now));
        let mut holders: Vec<_> = self.all.iter().filter_map(holder).collect();
        holders.sort_by_key(|holder| std::cmp::Reverse(holder.age));
        holders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lend(seats: &mut Seats, badge: Option<Arc<Badge>>, now: Instant) -> Seat {
        let place = Location::caller();
        let no_time = Duration::ZERO;
        let request = Request { timeout: no_time, patience: no_time, label: None, place };
        let seat = seats.take();
        seats.lend(seat, None, || Loan::new(&request, now, badge));
        seat
    }

    #[test]
    fn a_seat_that_is_lent_again_is_held_by_the_thread_that_has_it_now() {
        let (mut seats, now) = (Seats::new(1), Instant::now());
        for name in ["one", "other", "other", "one"] {
            let mut hold = || {
                let seat = lend(&mut seats, None, now);
                let holders = seats.holders(now);
                seats.end(seat, now);
                seats.leave(seat);
                holders
            };
            let holders = thread::scope(|scope| {
                let thread = thread::Builder::new().name(name.to_owned());
                thread.spawn_scoped(scope, &mut hold).unwrap().join().unwrap()
            });
            assert_eq!(holders[0].thread.as_deref(), Some(name));
        }
    }

    #[test]
    fn a_loan_that_ends_gives_the_badge_back_and_itself_only_if_it_was_reported() {
        let (mut seats, now) = (Seats::new(1), Instant::now());
        let badge = Arc::new(Badge::new(None));
        for is_reported in [false, true] {
            let seat = lend(&mut seats, Some(Arc::clone(&badge)), now);
            assert_eq!(seats.report(|_| is_reported, now).len(), usize::from(is_reported));
            let ended = seats.end(seat, now + Duration::from_secs(3));
            assert!(ended.badge.is_some_and(|back| Arc::ptr_eq(&back, &badge)));
            assert_eq!(
                (ended.used.as_secs(), ended.late.is_some(), seats.holders(now).len()),
                (3, is_reported, 0)
            );
            assert!(seats.end(seat, now).badge.is_none());
            seats.leave(seat);
        }
    }
}
