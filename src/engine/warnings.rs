//! What a pool tells that a person should know, as warnings for `tracing`.

use crate::pool::{PoolEvent, PoolHooks, PoolListener, PoolName};
use crate::trace;
use std::sync::Arc;

/// `hooks` with one more who listens, where warnings can be told at all.
pub(super) fn listening(hooks: PoolHooks) -> PoolHooks {
    if trace::IS_BUILT_IN { hooks.listener(Arc::new(Warnings)) } else { hooks }
}

struct Warnings;

impl PoolListener for Warnings {
    fn observe(&self, pool: &PoolName, event: &PoolEvent<'_>) {
        let pool = &pool.database;
        match event {
            PoolEvent::ConnectFailed { error, took } => {
                trace::warn(format_args!("{pool}: no connection after {took:.1?}: {error}"));
            }
            PoolEvent::Reset { label, leftovers, .. } if !leftovers.is_empty() => {
                let who = label.unwrap_or("a borrower");
                trace::warn(format_args!("{pool}: {who} left behind {leftovers}"));
            }
            PoolEvent::ResetFailed { error, .. } => {
                trace::warn(format_args!("{pool}: a connection could not be cleaned: {error}"));
            }
            PoolEvent::Invalidate { cause: Some(error), .. } => {
                trace::warn(format_args!("{pool}: a connection was given up: {error}"));
            }
            PoolEvent::InvalidateAll { cause: Some(error) } => {
                trace::warn(format_args!("{pool}: all connections were given up: {error}"));
            }
            PoolEvent::Timeout { error, .. } => trace::warn(format_args!("{pool}: {error}")),
            PoolEvent::Leak { holder } => {
                trace::warn(format_args!("{pool}: a connection is on loan for long: {holder}"));
            }
            PoolEvent::LeakReturned { held, .. } => {
                trace::warn(format_args!("{pool}: a long loan came back after {held:.1?}"));
            }
            PoolEvent::HookPanicked { hook } => {
                trace::warn(format_args!("{pool}: the hook {hook} panicked"));
            }
            _ => {}
        }
    }
}
