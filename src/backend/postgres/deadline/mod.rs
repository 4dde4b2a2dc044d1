//! Calls that end in time, whatever the server does.
//!
//! - `timer`:     how long a statement may take
//! - `watchdog`:  the thread that ends what takes too long
//! - `blockers`:  who holds up a statement that waits for a lock
//! - `interrupt`: ending a statement from another thread
//! - `disposal`:  closing connections without making anybody wait
//!
//! The server is told how long a statement may take. Where it does not keep to that, a thread of ours
//! has the statement cancelled, and then cuts the connection. Whoever drops a connection never waits
//! for it to be closed.

pub(super) mod blockers;
pub(super) mod disposal;
pub(super) mod interrupt;
pub(super) mod timer;
pub(super) mod watchdog;
