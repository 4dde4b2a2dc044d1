//! What carries the messages, and what is seen of them as they pass.
//!
//! - `connector`: putting a tap on the driver's socket
//! - `link`:      what carries the bytes
//! - `unix`:      Unix sockets, for a driver that hands none over
//! - `tls`:       asking for TLS, and who the server must be
//! - `tap`:       the messages as they pass, and the cut
//! - `frames`:    where a message begins
//! - `state`:     what is known from that
//! - `tags`:      the server's names of what it did
//! - `description`: the types in a description
//! - `disguise`:  types that the driver is not to ask for
//!
//! The driver keeps to itself in which state the server says that a session is, how the server called
//! what it did, and its socket. With direct negotiation it hands the bare socket to its connector,
//! which for a Unix socket puts one of its own in its place. So a tap sits on it here, which follows
//! the headers of the messages, copies nothing, and can be cut from another thread. It changes one
//! thing: types that the driver would ask for on every connection are shown to it as `text`.

pub(super) mod connector;
pub(super) mod description;
pub(super) mod disguise;
pub(super) mod frames;
pub(super) mod link;
pub(super) mod state;
pub(super) mod tags;
pub(super) mod tap;
pub(super) mod tls;
pub(super) mod unix;
