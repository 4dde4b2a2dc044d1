//! What the holder of a seat does until it has a connection that is fit.

use super::budget::{Given, Member, Unit};
use super::disposal::Burial;
use super::events::CloseReason;
use super::failure::{Shortage, closed};
use super::fitness::Fitness;
use super::guard::{Lent, SeatGuard};
use super::ledger::Turn;
use super::link::Link;
use super::request::{Allowance, Request};
use super::shared::Shared;
use super::slot::{Slot, Taken};
use crate::error::{Error, Result};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How long one look for a slot lasts.
const SLOT_WAIT: Duration = Duration::from_millis(50);

/// So many new connections in a row are taken from a hook that calls each of them lost.
const MOST_REFUSED: u32 = 3;

/// What the holder of a seat does until it has a connection that is fit.
pub(super) struct Search<'a> {
    request: &'a Request,
    shared: &'a Arc<Shared>,
    /// The seat; `None` while a connection is closed on another thread.
    place: Option<SeatGuard>,
    /// The time it has; not looked at by those who find a fit connection at once.
    allowance: Option<Allowance>,
    unit: Option<Unit>,
    refused: u32,
}

/// What the budget says to one who has no connection.
enum Permit {
    /// It may open one, or take one that sleeps.
    Search,
    /// It takes this one: it came back meanwhile.
    Take(Taken),
    /// Something changed meanwhile.
    LookAgain,
}

/// What a search ends with.
pub(super) struct Found {
    /// With a connection in it.
    pub(super) lent: Lent,
    /// How long it took.
    pub(super) waited: Duration,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        shared: &'a Arc<Shared>,
        request: &'a Request,
        place: SeatGuard,
        allowance: Option<Allowance>,
    ) -> Self {
        Self { request, shared, place: Some(place), allowance, unit: None, refused: 0 }
    }

    /// A connection that is fit.
    pub(super) fn run(mut self, first: Option<Taken>, now: Instant) -> Result<Found> {
        let mut slot = match first {
            Some(slot) => slot,
            None => self.next()?,
        };
        let mut now = now;
        loop {
            if let Some(mut link) = slot.link.take() {
                match self.look_at(&mut link, now) {
                    Fitness::Fit => return self.end(link, slot),
                    Fitness::Unfit(reason) => {
                        drop(slot);
                        self.bury(link, reason)?;
                    }
                    Fitness::Failed(error) => {
                        self.shared.close(link, CloseReason::Refused);
                        return Err(error);
                    }
                    Fitness::Unasked(error) => {
                        slot.link = Some(link);
                        self.put_back(slot);
                        return Err(error);
                    }
                }
            }
            slot = self.next()?;
            now = self.shared.hooks.clock.now();
        }
    }

    fn end(mut self, link: Box<Link>, mut slot: Taken) -> Result<Found> {
        let waited = self.allowance.as_ref().map_or(Duration::ZERO, Allowance::waited);
        slot.link = Some(link);
        // The seat is only lent to `bury`, which ends the search if it does not come back.
        let place = self.place.take().ok_or_else(closed)?;
        Ok(Found { lent: place.lend(slot), waited })
    }

    /// Puts a connection back to where it slept, as if nobody had asked for it.
    fn put_back(&mut self, slot: Taken) {
        if let Some(mut place) = self.place.take() {
            place.is_returned = true;
            self.shared.put_back(place.seat, slot);
        }
    }

    fn allowance(&mut self) -> Allowance {
        *self.allowance.get_or_insert_with(|| self.request.start())
    }

    fn look_at(&mut self, link: &mut Link, now: Instant) -> Fitness {
        let shared = self.shared;
        let is_new = link.is_new;
        let fitness = shared.look_at(link, now, || self.allowance().deadline);
        if is_new && matches!(fitness, Fitness::Unfit(_)) {
            self.refused += 1;
        }
        fitness
    }

    /// A slot with a connection in it: one that came back, or a new one.
    fn next(&mut self) -> Result<Taken> {
        let allowed = self.allowance();
        let mut has_tried = false;
        loop {
            match self.permit(&allowed)? {
                Permit::Search => (),
                Permit::Take(slot) => return self.take(slot),
                Permit::LookAgain => continue,
            }
            let attempt = match self.turn(&allowed, has_tried) {
                Turn::Take(slot) => return Ok(slot),
                Turn::Open(attempt) => attempt,
                Turn::NoUnit => continue,
                Turn::Refused(error) => return Err(error),
                Turn::TimedOut(Some(failure)) => return Err(failure),
                Turn::TimedOut(None) => return Err(self.timed_out()),
                Turn::Closed => return Err(closed()),
            };
            match self.shared.open(attempt, allowed.deadline) {
                Ok(mut link) => {
                    link.unit = self.unit.take();
                    self.lent(&link);
                    return self.slot_for(link, &allowed);
                }
                Err(refusal) if refusal.is_final => return Err(refusal.error),
                Err(_) => has_tried = true,
            }
        }
    }

    fn turn(&self, allowed: &Allowance, has_tried: bool) -> Turn {
        match &self.place {
            Some(place) => {
                // One that slept just now, for the sake of which no unit was taken, may be gone.
                let may_open = self.shared.hooks.budget.is_none() || self.unit.is_some();
                self.shared.ledger.turn(place.seat, allowed, has_tried, may_open)
            }
            None => Turn::Closed,
        }
    }

    /// Takes a connection that was handed over by another borrower.
    fn take(&mut self, slot: Taken) -> Result<Taken> {
        if self.shared.ledger.is_closed() {
            self.put_back(slot);
            return Err(closed());
        }
        slot.link.iter().for_each(|link| self.lent(link));
        Ok(slot)
    }

    fn lent(&self, link: &Link) {
        if let Some(place) = &self.place {
            self.shared.ledger.lent(place.seat, &link.badge);
        }
    }

    /// A slot with `link` in it.
    fn slot_for(&self, link: Box<Link>, allowed: &Allowance) -> Result<Taken> {
        loop {
            // The holder of a seat always finds a slot, or room for one that is made in a moment.
            // In pieces all the same: another may take the one that was made for this.
            if let Ok(place) = self.shared.shelf().get_timeout(SLOT_WAIT) {
                return Ok(Box::new(Slot::with(link, place)));
            }
            if Instant::now() > allowed.deadline {
                self.shared.close(link, CloseReason::Surplus);
                return Err(self.timed_out());
            }
        }
    }

    /// Whether a connection may be opened within the budget.
    fn permit(&mut self, allowed: &Allowance) -> Result<Permit> {
        let Some(budget) = self.shared.hooks.budget.clone() else { return Ok(Permit::Search) };
        if self.unit.is_some() || self.shared.ledger.has_idle() {
            return Ok(Permit::Search);
        }
        self.unit = budget.try_take();
        if self.unit.is_none() && budget.make_room(self.shared.id) {
            self.unit = budget.try_take();
        }
        if self.unit.is_some() {
            return Ok(Permit::Search);
        }
        let member: Weak<Shared> = Arc::downgrade(self.shared);
        let place = budget.wait(self.shared.id, member as Weak<dyn Member>);
        // One that fell asleep before this stood in the line woke nobody.
        if !place.is_served() {
            budget.make_room(self.shared.id);
        }
        self.shared.ledger.pause(allowed.deadline, || place.is_served());
        match place.leave() {
            Some(Given::Connection(slot)) => return Ok(Permit::Take(slot)),
            Some(Given::Unit(unit)) => self.unit = Some(unit),
            None if self.shared.ledger.is_closed() => return Err(closed()),
            None if Instant::now() >= allowed.deadline => return Err(self.timed_out()),
            None => return Ok(Permit::LookAgain),
        }
        Ok(Permit::Search)
    }

    fn timed_out(&self) -> Error {
        let shortage: Shortage = self.shared.ledger.shortage_now();
        match &self.shared.hooks.budget {
            Some(budget) if budget.open() >= budget.limit() => {
                shortage.beyond(budget.limit(), self.request.timeout)
            }
            _ => shortage.timed_out(self.request.timeout),
        }
    }

    /// Closes a connection on a thread of its own, within the time there is: the deadline holds
    /// also where closing takes long.
    fn bury(&mut self, link: Box<Link>, reason: CloseReason) -> Result<()> {
        let deadline = self.allowance().deadline;
        if self.refused > MOST_REFUSED {
            self.shared.close(link, reason);
            return Err(self.timed_out());
        }
        let Some(place) = self.place.take() else { return Err(closed()) };
        self.place = Burial::new(link, reason, place).wait(deadline);
        if self.place.is_none() {
            return Err(self.timed_out());
        }
        Ok(())
    }
}
