//! What carries the messages, and what is seen of them as they pass.
//!
//! - `connector`: putting a tap on the driver's socket
//! - `link`:      what carries the bytes
//! - `tls`:       asking for TLS, and who the server must be
//! - `tap`:       the messages as they pass, and the cut
//! - `frames`:    where a message begins
//! - `state`:     what is known from that
//! - `tags`:      the server's names of what it did
//!
//! The driver keeps to itself in which state the server says that a session is, how the server called
//! what it did, and its socket. With direct negotiation it hands the bare socket to its connector,
//! so a tap sits on it here, which follows the headers of the messages, copies nothing, and can be cut
//! from another thread. Over a Unix socket there is none.

pub(super) mod connector;
pub(super) mod frames;
pub(super) mod link;
pub(super) mod state;
pub(super) mod tags;
pub(super) mod tap;
pub(super) mod tls;
