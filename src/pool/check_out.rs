//! From a request to a connection on loan.

use super::events::PoolEvent;
use super::failure::{closed, nested};
use super::guard::{Pooled, SeatGuard};
use super::ledger::{NoSeat, Seated};
use super::request::Request;
use super::search::Search;
use super::shared::Shared;
use crate::error::{Error, ErrorKind, Result};
use crate::workers::held_of;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Shared {
    /// A connection for `request`.
    pub(super) fn check_out(self: &Arc<Self>, request: &Request) -> Result<Pooled> {
        let (count, first) = held_of(self.id);
        if count >= self.options.nested
            && let Some(first) = first
        {
            return Err(nested(first, request.place, self.options.nested));
        }
        let now = self.moment();
        match self.lend(request, now) {
            Ok((pooled, waited)) => {
                if self.is_heard() {
                    self.emit(&PoolEvent::CheckOut {
                        connection: pooled.id().unwrap_or_default(),
                        label: request.label.as_deref(),
                        place: request.place,
                        waited,
                    });
                }
                Ok(pooled)
            }
            Err(error) => {
                self.tell_timeout(request, &error, now);
                Err(error)
            }
        }
    }

    fn lend(self: &Arc<Self>, request: &Request, now: Instant) -> Result<(Pooled, Duration)> {
        let seated = self.ledger.take(request, now).map_err(|reason| match reason {
            NoSeat::Closed => closed(),
            NoSeat::TimedOut(shortage) => shortage.timed_out(request.timeout),
            NoSeat::Full(shortage) => shortage.full(),
            NoSeat::Second(shortage) => shortage.second(request.place),
        })?;
        let Seated { seat, slot, holding, allowance } = seated;
        let place = SeatGuard { shared: Arc::clone(self), seat, is_returned: false };
        let search = Search::new(self, request, place, allowance);
        let (pooled, waited) = search.run(slot, now)?;
        holding.begin(self.id, request.place);
        Ok((pooled, waited))
    }

    fn tell_timeout(&self, request: &Request, error: &Error, since: Instant) {
        if matches!(error.kind(), ErrorKind::PoolTimeout | ErrorKind::PoolFull) && self.is_heard() {
            let waited = self.hooks.clock.now().saturating_duration_since(since);
            let label = request.label.as_deref();
            self.emit(&PoolEvent::Timeout { label, waited, error });
        }
    }
}
