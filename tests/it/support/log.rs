//! One who listens to a pool and writes down what it tells.

use rowmill::{Error, PoolEvent, PoolListener, PoolName};
use std::sync::Mutex;

/// Writes down what a pool tells, one word and the label or the number each.
#[derive(Debug, Default)]
pub struct Log(Mutex<Vec<String>>);

impl Log {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// How many lines begin like this.
    pub fn count(&self, start: &str) -> usize {
        self.lines().iter().filter(|line| line.starts_with(start)).count()
    }
}

impl PoolListener for Log {
    fn observe(&self, _: &PoolName, event: &PoolEvent<'_>) {
        let name = |label: Option<&str>| label.unwrap_or("nobody").to_owned();
        let why = |cause: Option<&Error>| cause.map_or("asked", |cause| cause.message()).to_owned();
        let line = match event {
            PoolEvent::FirstConnect { .. } => "first connect".to_owned(),
            PoolEvent::Connect { .. } => "connect".to_owned(),
            PoolEvent::ConnectFailed { error, .. } => {
                format!("connect failed: {}", error.message())
            }
            PoolEvent::CheckOut { label, .. } => format!("check-out: {}", name(*label)),
            PoolEvent::Reset { leftovers, .. } => format!("reset: {leftovers}"),
            PoolEvent::ResetFailed { .. } => "reset failed".to_owned(),
            PoolEvent::CheckIn { label, .. } => format!("check-in: {}", name(*label)),
            PoolEvent::Invalidate { cause, .. } => format!("invalidate: {}", why(*cause)),
            PoolEvent::SoftInvalidate { cause, .. } => format!("soft invalidate: {}", why(*cause)),
            PoolEvent::InvalidateAll { cause } => format!("invalidate all: {}", why(*cause)),
            PoolEvent::Detach { .. } => "detach".to_owned(),
            PoolEvent::Close { reason, .. } => format!("close: {reason}"),
            PoolEvent::CloseDetached { .. } => "close detached".to_owned(),
            PoolEvent::Timeout { label, .. } => format!("timeout: {}", name(*label)),
            PoolEvent::Leak { holder } => format!("leak: {holder}"),
            PoolEvent::LeakReturned { label, .. } => format!("leak returned: {}", name(*label)),
            // It comes with every round of a housekeeper.
            PoolEvent::Counts { .. } => return,
            PoolEvent::PoolClosed => "pool closed".to_owned(),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}
