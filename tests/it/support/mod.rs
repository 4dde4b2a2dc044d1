//! What tests share.
#![allow(dead_code, unused_imports, reason = "not every helper has a user in every build")]

pub mod fake;
pub mod gate;

pub use gate::Gate;

use std::time::Duration;

/// How long a helper waits for something that must happen before it fails the test.
pub const LIMIT: Duration = Duration::from_mins(1);
