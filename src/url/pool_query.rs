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
    /// `pool_size`: how many connections are kept.
    pub pool_size: Option<u32>,
    /// `max_overflow`: how many more may be open.
    pub max_overflow: Option<u32>,
    /// `pool_timeout`: how long a check-out may take.
    pub pool_timeout: Option<Duration>,
    /// `pool_recycle`: the age at which a connection is replaced.
    pub pool_recycle: Option<Duration>,
    /// `pool_pre_ping`: whether a kept connection is asked for a sign of life before it is used.
    pub pool_pre_ping: Option<bool>,
    /// `connect_timeout`: how long opening a connection may take, in whole seconds.
    pub connect_timeout: Option<Duration>,
}

impl PoolQuery {
    pub(super) fn from_parameters(parameters: &Parameters) -> Result<Self> {
        Ok(Self {
            pool_size: parameters.read("pool_size", values::count)?,
            max_overflow: parameters.read("max_overflow", values::count)?,
            pool_timeout: parameters.read("pool_timeout", values::duration)?,
            pool_recycle: parameters.read("pool_recycle", values::duration)?,
            pool_pre_ping: parameters.read("pool_pre_ping", values::flag)?,
            connect_timeout: parameters.read("connect_timeout", values::positive_duration)?,
        })
    }
}
