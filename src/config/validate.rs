//! Which options cannot be used, and which are worth a note.

use super::choices::PoolKind;
use super::pool_options::{MOST_CONNECTIONS, PoolOptions};
use crate::error::{Error, ErrorKind, Result};
use std::time::Duration;

/// Longer than this is taken for a mistake; it also keeps sums of times in range.
const LONGEST: Duration = Duration::from_hours(10 * 366 * 24);

/// A connection that is held for less is no leak yet.
const LEAST_LEAK: Duration = Duration::from_secs(2);

/// A check-out that has less time fails under the load of an ordinary day.
const LEAST_TIMEOUT: Duration = Duration::from_millis(250);

impl PoolOptions {
    /// Checks that every option can be used.
    ///
    /// # Errors
    /// `Config`, naming the option.
    pub fn validate(&self) -> Result<()> {
        self.check_counts()?;
        self.check_times()
    }

    fn check_counts(&self) -> Result<()> {
        if self.capacity() > MOST_CONNECTIONS {
            return Err(refused(
                "pool_size and max_overflow together are more than 10000 connections",
                "a server is fastest with a few for each of its cores",
            ));
        }
        if self.kind == PoolKind::Null && self.pool_size == 0 {
            return Err(refused(
                "pool_size must not be 0 in a pool that keeps nothing",
                "it is the bound of what is open at once, together with max_overflow",
            ));
        }
        if self.min_idle > self.kept() {
            let message = format!(
                "min_idle {} is more than the {} connections that are kept",
                self.min_idle,
                self.kept()
            );
            return Err(refused(&message, "raise pool_size"));
        }
        if self.max_waiting == Some(0) {
            return Err(refused(
                "max_waiting must not be 0",
                "leave it out for a line without end",
            ));
        }
        self.check_nested()
    }

    /// Threads that hold all but one of what they need, each, and one connection more: then one of
    /// them can go on, and after it the others.
    fn check_nested(&self) -> Result<()> {
        if self.nested == 0 {
            return Err(refused("allow_nested must not be 0 connections", "1 is the default"));
        }
        let needed = u64::from(self.nested_threads) * u64::from(self.nested - 1) + 1;
        if needed > u64::from(self.capacity()) {
            let message = format!(
                "allow_nested needs {} threads x ({} - 1) + 1 = {needed} connections, there are {}",
                self.nested_threads,
                self.nested,
                self.capacity()
            );
            return Err(refused(&message, "raise pool_size, or they wait for each other"));
        }
        Ok(())
    }

    fn check_times(&self) -> Result<()> {
        check("timeout", self.timeout)?;
        check("connect_timeout", self.connect_timeout)?;
        check("ping_timeout", self.ping_timeout)?;
        check("reset_timeout", self.reset_timeout)?;
        for (name, time) in [
            ("recycle", self.recycle),
            ("idle_timeout", self.idle_timeout),
            ("keepalive", self.keepalive),
            ("leak_after", self.leak_after),
        ] {
            time.map_or(Ok(()), |time| check(name, time))?;
        }
        let jitter = self.recycle_jitter.unwrap_or_default();
        if self.recycle.is_some_and(|age| jitter >= age) {
            return Err(refused(
                "recycle_jitter is not less than recycle",
                "a tenth of it is much",
            ));
        }
        Ok(())
    }

    /// What looks like a mistake in options that can be used, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |is_suspicious: bool, text: &str| {
            if is_suspicious {
                notes.push(text.to_owned());
            }
        };
        let longer = |one: Option<Duration>, other: Option<Duration>| {
            one.zip(other).is_some_and(|(one, other)| one >= other)
        };
        note(self.timeout < LEAST_TIMEOUT, "timeout is less than 250 ms: check-outs may fail");
        note(
            longer(self.idle_timeout, self.recycle),
            "idle_timeout is not less than recycle: it never closes anything",
        );
        note(
            longer(self.keepalive, self.idle_timeout),
            "keepalive is not less than idle_timeout: it never asks anybody",
        );
        note(
            self.leak_after.is_some_and(|after| after < LEAST_LEAK),
            "leak_after is less than 2 seconds: every longer statement is reported",
        );
        note(
            self.idle_timeout.is_some() && self.min_idle == self.kept(),
            "idle_timeout does nothing: min_idle keeps all that are kept",
        );
        note(
            self.connect_timeout > self.timeout,
            "connect_timeout is more than timeout, which ends the attempt before",
        );
        note(
            self.pre_ping && self.ping_timeout > self.connect_timeout,
            "ping_timeout is more than connect_timeout: opening another would be sooner",
        );
        notes
    }
}

fn check(name: &str, duration: Duration) -> Result<()> {
    if duration.is_zero() {
        return Err(refused(&format!("{name} must not be 0"), "leave it out for the default"));
    }
    if duration > LONGEST {
        return Err(refused(&format!("{name} is more than ten years"), "nothing waits so long"));
    }
    Ok(())
}

fn refused(message: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Config, message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// pool-contract H26
    #[test]
    fn a_refusal_names_the_option() {
        let options = PoolOptions::new;
        for (options, name) in [
            (options().kind(PoolKind::Null).pool_size(0), "pool_size"),
            (options().max_overflow(u32::MAX), "max_overflow"),
            (options().min_idle(6), "min_idle"),
            (options().max_waiting(0), "max_waiting"),
            (options().allow_nested(0, 1), "allow_nested"),
            (options().allow_nested(2, 15), "allow_nested"),
            (options().timeout(Duration::ZERO), "timeout"),
            (options().connect_timeout(Duration::MAX), "connect_timeout"),
            (options().ping_timeout(Duration::ZERO), "ping_timeout"),
            (options().reset_timeout(Duration::ZERO), "reset_timeout"),
            (options().recycle(LONGEST * 2), "recycle"),
            (options().recycle(SECOND).recycle_jitter(SECOND), "recycle_jitter"),
            (options().idle_timeout(Duration::ZERO), "idle_timeout"),
            (options().keepalive(Duration::ZERO), "keepalive"),
            (options().leak_after(Duration::ZERO), "leak_after"),
        ] {
            let error = options.validate().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    /// pool-contract H26
    #[test]
    fn what_looks_like_a_mistake_is_noted() {
        let options = PoolOptions::new;
        for (options, name) in [
            (options().timeout(SECOND / 10), "timeout"),
            (options().recycle(SECOND).idle_timeout(SECOND), "idle_timeout"),
            (options().idle_timeout(SECOND).keepalive(SECOND), "keepalive"),
            (options().leak_after(SECOND), "leak_after"),
            (options().min_idle(5).idle_timeout(SECOND), "idle_timeout"),
            (options().timeout(SECOND), "connect_timeout"),
            (options().pre_ping(true).ping_timeout(SECOND * 20), "ping_timeout"),
        ] {
            assert!(options.validate().is_ok());
            assert!(options.notes().iter().any(|note| note.starts_with(name)), "{name}");
        }
        assert!(options().notes().is_empty());
    }

    #[test]
    fn nested_check_outs_need_room_for_one_who_can_go_on() {
        let options =
            |threads| PoolOptions::new().pool_size(5).max_overflow(0).allow_nested(2, threads);
        assert!(options(4).validate().is_ok());
        let error = options(5).validate().unwrap_err();
        assert!(error.message().contains("5 threads x (2 - 1) + 1 = 6"), "{error}");
    }
}
