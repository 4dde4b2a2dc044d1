//! Small statements of many threads, sent together.
//!
//! - `shared`:    [`Flights`]: what statements are run through
//! - `boarding`:  who waits, who goes along, and who leads
//! - `group`:     those who are sent together
//! - `passenger`: what a statement takes for its connection
//!
//! A look-up by key costs the database a few microseconds, and the way there and back many times
//! that. Where more threads ask than there are connections, those who wait need not wait for a
//! connection each: one of them, the leader, takes a connection, sends the statements of all
//! who wait in one write, reads the answers in one go and hands them round. While it does, the next ones
//! gather. No thread of its own is needed, and one caller alone is sent at once.
//!
//! What holds: each statement is a transaction of its own, as on an engine, or one that it shares with
//! others that only read, which nobody can tell; one that fails is no other's failure; a connection that is
//! lost is the failure of those who were sent with it. A slow statement delays those that were sent
//! behind it.

mod boarding;
mod group;
mod passenger;
mod shared;

pub use shared::Flights;
