//! A server's address with faults: what a network and a dying server do, on command.
//!
//! - `listener`: [`Proxy`]: the address, and what is done to whoever comes
//! - `fault`:    [`Fault`]: the faults, and when they strike
//! - `session`:  one client and its server: the start-up, and how it can end
//! - `pipe`:     one direction of a session
//! - `frames`:   where a message of PostgreSQL's protocol begins and ends
//!
//! It understands the framing of the protocol, so that a fault can strike at a message (before
//! COMMIT is passed on, inside the answer to it) and not only at a time. What is encrypted passes
//! as bytes. Nothing here sleeps for a race: a fault strikes at what passes by.

mod fault;
mod frames;
mod listener;
mod pipe;
mod session;

pub use fault::{End, Fault, Moment};
pub use listener::Proxy;
