//! What carries the messages, and what is seen of them as they pass.
//!
//! - `server`:    where a server listens, and opening a socket to it
//! - `detour`:    a listener to which the driver connects instead
//! - `connector`: putting a tap on a socket of ours, or on the driver's
//! - `socket`:    a socket of ours
//! - `socket_table`: the sockets of this machine, as the system lists them
//! - `flow`:      bytes over it, or over a TLS session on it
//! - `port`:      what the driver and those who speak without it share of a socket
//! - `link`:      what carries the bytes
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
//! which puts one of ours in its place. So a tap sits on it here, which follows
//! the headers of the messages, copies nothing, and can be cut from another thread. It changes one
//! thing: types that the driver would ask for on every connection are shown to it as `text`.

pub(super) mod connector;
pub(super) mod description;
pub(super) mod detour;
pub(super) mod disguise;
pub(super) mod flow;
pub(super) mod frames;
pub(super) mod link;
pub(super) mod port;
pub(super) mod server;
pub(super) mod socket;
pub(super) mod socket_table;
pub(super) mod state;
pub(super) mod tags;
pub(super) mod tap;
pub(super) mod tls;
