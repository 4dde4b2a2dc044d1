//! From a request to a connection on loan.

use super::events::PoolEvent;
use super::failure::{closed, nested};
use super::guard::{Lent, SeatGuard};
use super::ledger::{NoSeat, Seated};
use super::request::Request;
use super::search::Search;
use super::shared::Shared;
use super::slot::Taken;
use crate::error::{Error, ErrorKind, Result};
use crate::workers::held_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Shared {
    /// A connection for `request`.
    pub(super) fn check_out(self: &Arc<Self>, request: &Request) -> Result<Lent> {
        let (count, first) = held_of(self.id);
        if count >= self.options.nested
            && let Some(first) = first
        {
            return Err(nested(first, request.place, self.options.nested));
        }
        let now = self.moment();
        match self.ledger.take(request, now) {
            Ok(Seated { seat, slot: Some(mut slot), holding, allowance: None })
                if self.is_lent_as_it_is(&slot, now) =>
            {
                holding.begin(self.id, request.place);
                if self.is_heard() {
                    self.tell_check_out(&slot, request, Duration::ZERO);
                }
                // One that was opened when nobody asked has none yet.
                slot.home.get_or_insert_with(|| Arc::clone(self));
                Ok(Lent { slot, seat })
            }
            taken => self.search(taken, request, now).inspect_err(|error| {
                self.tell_timeout(request, error, now);
            }),
        }
    }

    /// Whether there is nothing to do for one who got a seat and this connection with it. Nobody answers
    /// for the seat as yet: what panics here has to be found out by a search, once more.
    #[inline]
    fn is_lent_as_it_is(&self, slot: &Taken, now: Instant) -> bool {
        let is_fit = || slot.link.as_ref().is_some_and(|link| self.is_fit_as_it_is(link, now));
        catch_unwind(AssertUnwindSafe(is_fit)).unwrap_or(false)
    }

    /// The way of those for whom no fit connection sleeps.
    #[cold]
    fn search(
        self: &Arc<Self>,
        taken: Result<Seated, NoSeat>,
        request: &Request,
        now: Instant,
    ) -> Result<Lent> {
        let seated = taken.map_err(|reason| refusal(reason, request))?;
        let Seated { seat, slot, holding, allowance } = seated;
        let place = SeatGuard::new(Arc::clone(self), seat);
        let found = Search::new(self, request, place, allowance).run(slot, now)?;
        holding.begin(self.id, request.place);
        if self.is_heard() {
            self.tell_check_out(&found.lent.slot, request, found.waited);
        }
        Ok(found.lent)
    }

    #[cold]
    fn tell_check_out(&self, slot: &Taken, request: &Request, waited: Duration) {
        self.emit(&PoolEvent::CheckOut {
            connection: slot.link.as_ref().map_or(0, |link| link.id()),
            label: request.label.as_deref(),
            place: request.place,
            waited,
        });
    }

    #[cold]
    fn tell_timeout(&self, request: &Request, error: &Error, since: Instant) {
        if matches!(error.kind(), ErrorKind::PoolTimeout | ErrorKind::PoolFull) && self.is_heard() {
            let waited = self.hooks.clock.now().saturating_duration_since(since);
            let label = request.label.as_deref();
            self.emit(&PoolEvent::Timeout { label, waited, error });
        }
    }
}

#[cold]
fn refusal(reason: NoSeat, request: &Request) -> Error {
    match reason {
        NoSeat::Closed => closed(),
        NoSeat::TimedOut(shortage) => shortage.timed_out(request.timeout),
        NoSeat::Full(shortage) => shortage.full(),
        NoSeat::Second(shortage) => shortage.second(request.place),
    }
}
