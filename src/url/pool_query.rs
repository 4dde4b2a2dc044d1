//! Pool options that stand in a URL.

use super::keys::Parameters;
use super::values;
use crate::error::Result;
use std::time::Duration;

/// The pool options that a URL named, under their names there; the others are `None`.
///
/// Durations are seconds (`30`, `0.5`) or have a unit (`500ms`, `30s`, `10min`, `1h`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolQuery {
    /// `pool_size`: how many connections are kept; 0 for all.
    pub pool_size: Option<u32>,
    /// `max_overflow`: how many more may be open; `Some(None)`, written -1, for any number.
    pub max_overflow: Option<Option<u32>>,
    /// `pool_timeout`: how long a check-out may take.
    pub pool_timeout: Option<Duration>,
    /// `pool_recycle`: the age at which a connection is replaced.
    pub pool_recycle: Option<Duration>,
    /// `pool_pre_ping`: whether a kept connection is asked for a sign of life before it is used.
    pub pool_pre_ping: Option<bool>,
    /// `pool_use_lifo`: whether the connection that came back last is lent first.
    pub pool_use_lifo: Option<bool>,
    /// `min_idle`: how many connections sleep at least.
    pub min_idle: Option<u32>,
    /// `idle_timeout`: how long a connection may sleep before it is closed.
    pub idle_timeout: Option<Duration>,
    /// `pool_keepalive`: how long a connection may sleep before it is asked for a sign of life.
    pub pool_keepalive: Option<Duration>,
    /// `max_waiting`: how many threads may wait.
    pub max_waiting: Option<u32>,
    /// `leak_after`: how long a connection may be on loan before it is reported.
    pub leak_after: Option<Duration>,
    /// `connect_timeout`: how long opening a connection may take, in whole seconds.
    pub connect_timeout: Option<Duration>,
}

impl PoolQuery {
    pub(super) fn from_parameters(parameters: &Parameters) -> Result<Self> {
        Ok(Self {
            pool_size: parameters.read("pool_size", values::count)?,
            max_overflow: parameters.read("max_overflow", values::bound)?,
            pool_timeout: parameters.read("pool_timeout", values::duration)?,
            pool_recycle: parameters.read("pool_recycle", values::duration)?,
            pool_pre_ping: parameters.read("pool_pre_ping", values::flag)?,
            pool_use_lifo: parameters.read("pool_use_lifo", values::flag)?,
            min_idle: parameters.read("min_idle", values::count)?,
            idle_timeout: parameters.read("idle_timeout", values::duration)?,
            pool_keepalive: parameters.read("pool_keepalive", values::duration)?,
            max_waiting: parameters.read("max_waiting", values::count)?,
            leak_after: parameters.read("leak_after", values::duration)?,
            connect_timeout: parameters.read("connect_timeout", values::positive_duration)?,
        })
    }
}
