//! What has to be done when nobody asks: filling up, shrinking, keeping alive, reporting.
//!
//! One thread for a pool whose options ask for any of it, none for the others. It ends with the
//! pool.

use super::events::{CloseReason, PoolEvent};
use super::fitness::Fitness;
use super::ledger::{Ledger, Parked, Seat};
use super::link::Link;
use super::shared::Shared;
use super::slot::{Slot, Taken};
use super::stats::PoolStats;
use crate::config::PoolOptions;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// How long the housekeeper may try to open one connection: it must end soon after its pool.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it waits for a slot, of which there is always one.
const SLOT_WAIT: Duration = Duration::from_secs(1);

const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(30);

/// How often there is something to look for; `None` if there never is.
fn pace(options: &PoolOptions) -> Option<Duration> {
    let times = [options.idle_timeout, options.keepalive, options.leak_after];
    let quarter = times.into_iter().flatten().min().map(|time| time / 4);
    let refill = (options.min_idle > 0).then_some(Duration::from_secs(1));
    [quarter, refill].into_iter().flatten().min().map(|time| time.clamp(SHORTEST, LONGEST))
}

/// Starts the housekeeper of a pool that needs one. A pool that cannot have its thread works all
/// the same: nothing that a borrower relies on is done here.
pub(super) fn start(shared: &Arc<Shared>) {
    let Some(pace) = pace(&shared.options) else { return };
    let (ledger, id, pool) = (shared.ledger, shared.id, Arc::downgrade(shared));
    let name = format!("rowmill-keep-{id}");
    let _ = thread::Builder::new().name(name).spawn(move || work(ledger, id, &pool, pace));
}

fn work(ledger: &Ledger, id: u64, pool: &Weak<Shared>, pace: Duration) {
    loop {
        match pool.upgrade() {
            // A hook or a driver that panics ends this round and not the housekeeper.
            Some(shared) => drop(catch_unwind(AssertUnwindSafe(|| shared.tend()))),
            None => return,
        }
        if ledger.rest(id, Instant::now() + pace) {
            return;
        }
    }
}

impl Shared {
    /// One round.
    pub(super) fn tend(&self) {
        if self.ledger.is_closed() {
            return;
        }
        // A listener that is told of a part of this may call for a round of its own.
        let _alone = self.tending.lock();
        self.report_leaks();
        self.keep_alive();
        self.close_unfit();
        let end = Instant::now() + self.options.connect_timeout.min(PATIENCE);
        while self.fill_one(self.ledger.terms().min_idle, end) {}
        self.tell_counts();
    }

    fn report_leaks(&self) {
        let now = self.hooks.clock.now();
        let since = self.options.leak_after.and_then(|after| now.checked_sub(after));
        let leaks = since.map(|since| self.ledger.report_leaks(since, now));
        for holder in leaks.unwrap_or_default() {
            self.emit(&PoolEvent::Leak { holder: &holder });
        }
    }

    /// Closes what sleeps and would not be lent again, and what nobody used for long.
    fn close_unfit(&self) {
        let now = self.hooks.clock.now();
        let is_old = |link: &Link| link.expires.is_some_and(|end| now >= end);
        self.close_these(self.ledger.take_idle(0, Link::is_outdated), CloseReason::Invalidated);
        self.close_these(self.ledger.take_idle(0, is_old), CloseReason::Recycled);
        if let Some(time) = self.options.idle_timeout {
            let is_idle = |link: &Link| now.saturating_duration_since(link.used) >= time;
            let least = self.ledger.terms().min_idle;
            self.close_these(self.ledger.take_idle(least, is_idle), CloseReason::Idle);
        }
    }

    fn close_these(&self, taken: Vec<(Seat, Taken)>, reason: CloseReason) {
        for (seat, slot) in taken {
            self.close_idle(seat, slot, reason);
        }
    }

    /// Asks what has slept for long whether it is still alive, one after the other.
    fn keep_alive(&self) {
        let Some(time) = self.options.keepalive else { return };
        loop {
            let now = self.hooks.clock.now();
            let mut is_first = true;
            let is_due = |link: &Link| {
                let slept = now.saturating_duration_since(link.alive);
                slept >= time && !link.is_outdated() && std::mem::take(&mut is_first)
            };
            let Some((seat, slot)) = self.ledger.take_idle(0, is_due).pop() else { return };
            self.keep_one_alive(seat, slot);
        }
    }

    fn keep_one_alive(&self, seat: Seat, mut slot: Taken) {
        let deadline = Instant::now() + self.options.ping_timeout;
        let Some(link) = &mut slot.link else {
            return self.close_idle(seat, slot, CloseReason::Broken);
        };
        let asked = self.ping(link, deadline).map_err(|error| self.failed_ping(link, error));
        match asked {
            Ok(()) => self.put_back(seat, slot),
            // Whoever tends the pool from a place where no call is allowed would ask for ever.
            Err(Fitness::Unasked(_)) => {
                link.alive = self.hooks.clock.now();
                self.put_back(seat, slot);
            }
            Err(_) => self.close_idle(seat, slot, CloseReason::Broken),
        }
    }

    /// Puts a connection back to where it slept.
    pub(super) fn put_back(&self, seat: Seat, slot: Taken) {
        match self.ledger.put_back(seat, slot) {
            Some(slot) => self.close_idle(seat, slot, self.ledger.reason_for_surplus()),
            None => self.make_way(),
        }
    }

    /// Opens one connection that nobody asked for, if fewer than `wanted` sleep and there is room;
    /// says whether it did.
    pub(super) fn fill_one(&self, wanted: u32, end: Instant) -> bool {
        let Some(seat) = self.ledger.spare_seat(wanted) else { return false };
        let opened = self.open_unasked(end);
        let is_filled = opened.is_some();
        match opened {
            None => drop(self.ledger.release(seat)),
            Some(slot) => match self.ledger.park(seat, slot, self.hooks.clock.now()) {
                Parked::Surplus(slot) => self.close_idle(seat, slot, CloseReason::Surplus),
                Parked::Kept(_) => self.make_way(),
            },
        }
        is_filled
    }

    fn open_unasked(&self, end: Instant) -> Option<Taken> {
        let unit = match &self.hooks.budget {
            None => None,
            Some(budget) => Some(budget.try_take()?),
        };
        let place = self.shelf().get_timeout(SLOT_WAIT).ok()?;
        let attempt = self.ledger.unasked_attempt()?;
        let mut link = self.open(attempt, end).ok()?;
        link.unit = unit;
        link.is_new = false;
        Some(Box::new(Slot::with(link, place)))
    }

    /// Opens connections on a thread of its own, one after the other, as long as fewer than `count` are there
    /// and none fails; nobody waits for it.
    pub(super) fn open_ahead(self: &Arc<Self>, count: u32) {
        let shared = Arc::downgrade(self);
        let open = move || {
            while let Some(shared) = shared.upgrade() {
                let end = Instant::now() + shared.options.timeout;
                let PoolStats { idle, in_use, .. } = shared.ledger.stats();
                if idle + in_use >= count || !shared.fill_one(count, end) {
                    return;
                }
            }
        };
        let quietly = || drop(catch_unwind(AssertUnwindSafe(open)));
        // Without a thread, whoever needs a connection opens it.
        let _ = thread::Builder::new().name("rowmill-ahead".to_owned()).spawn(quietly);
    }

    /// Opens what is to be there at the start, in parallel; what cannot be opened is left out.
    pub(super) fn warm_up(&self) {
        let wanted = match self.options.min_idle {
            0 => self.options.pool_size.min(self.ledger.terms().kept),
            least => least,
        };
        let end = Instant::now() + self.options.timeout;
        // The first alone: it shows whether the server is there at all.
        if wanted == 0 || !self.fill_one(wanted, end) {
            return;
        }
        thread::scope(|scope| {
            for _ in 1..wanted {
                let fill = || drop(catch_unwind(AssertUnwindSafe(|| self.fill_one(wanted, end))));
                let _ = thread::Builder::new().spawn_scoped(scope, fill);
            }
        });
    }
}
