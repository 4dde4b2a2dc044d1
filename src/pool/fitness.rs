//! Whether a connection can be lent.

use super::clock::passed;
use super::events::CloseReason;
use super::failure::contained;
use super::hooks::Hooked;
use super::link::Link;
use super::shared::Shared;
use crate::error::{Error, ErrorKind, Result};
use std::time::Instant;

/// What a look at a connection says.
pub(super) enum Fitness {
    /// It can be lent.
    Fit,
    /// It is to be closed, and another lent.
    Unfit(CloseReason),
    /// It is to be closed, and the borrower gets this error.
    Failed(Error),
    /// It could not be asked, which says nothing of it: it sleeps on, and the borrower gets this
    /// error.
    Unasked(Error),
}

impl Shared {
    /// Whether there is nothing to ask: most that sleep can be lent as they are. Says no where
    /// [`look_at`](Self::look_at) has to find out.
    #[inline]
    pub(super) fn is_fit_as_it_is(&self, link: &Link, now: Instant) -> bool {
        !link.is_new
            && !link.connection.is_broken()
            && !link.is_outdated()
            && !link.is_expired(now)
            && !self.is_to_be_asked(link, now)
            && self.hooks.check_out.is_none()
    }

    #[inline]
    fn is_to_be_asked(&self, link: &Link, now: Instant) -> bool {
        self.options.pre_ping && passed(link.alive, now) >= self.options.ping_bypass
    }

    /// Whether a connection can be lent: not broken, not given up, not too old, and alive if it is
    /// to be asked. A new one is asked nothing; the hook sees all.
    pub(super) fn look_at(
        &self,
        link: &mut Link,
        now: Instant,
        deadline: impl FnOnce() -> Instant,
    ) -> Fitness {
        if !std::mem::take(&mut link.is_new) {
            if link.connection.is_broken() {
                return Fitness::Unfit(CloseReason::Broken);
            }
            if link.is_outdated() {
                return Fitness::Unfit(CloseReason::Invalidated);
            }
            if link.is_expired(now) {
                return Fitness::Unfit(CloseReason::Recycled);
            }
            if self.is_to_be_asked(link, now) {
                let end = Instant::now() + self.options.ping_timeout;
                if let Err(error) = self.ping(link, end.min(deadline())) {
                    return self.failed_ping(link, error);
                }
            }
        }
        self.ask_hook(link)
    }

    pub(super) fn ping(&self, link: &mut Link, deadline: Instant) -> Result<()> {
        contained("a ping", || link.connection.ping(deadline))?;
        link.alive = self.hooks.clock.now();
        Ok(())
    }

    /// A connection that was lost is replaced, and those that are as old are not to be trusted;
    /// anything else that a ping says is the borrower's error. A call from a place where none is
    /// allowed (an async runtime) has sent nothing.
    pub(super) fn failed_ping(&self, link: &mut Link, error: Error) -> Fitness {
        if error.kind() == ErrorKind::Unsupported {
            return Fitness::Unasked(error);
        }
        let is_lost = self.judge.is_lost(&error, true) || error.kind() == ErrorKind::Panic;
        if !is_lost {
            return Fitness::Failed(error);
        }
        link.lose(&error);
        self.mourn(link);
        Fitness::Unfit(CloseReason::Broken)
    }

    fn ask_hook(&self, link: &mut Link) -> Fitness {
        let Some(hook) = &self.hooks.check_out else { return Fitness::Fit };
        let id = link.id();
        let Link { connection, data, .. } = link;
        let mut hooked = Hooked { id, connection: &mut **connection, data };
        match self.run_hook("the check-out hook", || hook(&mut hooked)) {
            Ok(()) => Fitness::Fit,
            Err(error) if self.judge.is_lost(&error, false) => {
                link.lose(&error);
                self.mourn(link);
                Fitness::Unfit(CloseReason::Broken)
            }
            Err(error) => Fitness::Failed(error),
        }
    }
}
