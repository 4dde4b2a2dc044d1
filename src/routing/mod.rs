//! One primary and its replicas: who is asked for a connection.
//!
//! - `router`:    the servers of an engine
//! - `acquire`:   who gets a connection to which of them
//! - `intent`, `freshness`: what a connection is wanted for, and how fresh it has to be; tokens of
//!   commits
//! - `options`:   how reads are spread, and when a server is left out
//! - `policy`, `dice`: which of several replicas serves a read
//! - `node`:      one server: its pool, and the connection over which it is asked
//! - `housekeeper`, `signal`: one thread for each server, which asks it
//! - `state`:     what is known of all servers together: `health` (is it there), `roles` (who is
//!   the primary), `history` (how far a replica lags), `branches` (what a promotion has kept). Pure:
//!   moments are given
//! - `watch`:     what the pools are watched for
//! - `status`, `look`: what is known of the servers, for a person
//! - `failure`:   the errors
//!
//! # What it promises
//!
//! **Intent.** A read goes to a replica because it was declared to be one, never because of its
//! SQL. A connection stays with its server, and so does a transaction.
//!
//! **Roles** are asked for, never believed: a URL only says where a server is. All servers have to
//! be of one cluster. Nobody is written to before every server was asked once; while two take
//! writes, neither is. A primary that was replaced is never written to again until it has followed
//! the new one, and those who held connections to it are cut and told so. What is written to is
//! asked again after any loss of a connection to it, and a new connection to it has to lead to the
//! very process that was found to be the primary.
//!
//! What remains: a primary that goes on while another is promoted beside it, without a restart and
//! without losing a connection, is written to until the servers are asked next, by default within a
//! second. Only the cluster's own fencing can do better.
//!
//! **Freshness.** A replica shows all that was committed before the last moment at which the primary
//! was known to be where the replica is now. That needs no clock of a server, and does not
//! take an idle primary for a replica that lags. A read with a limit of lag is judged at the moment
//! at which the replica is chosen; whether a replica is left out for its lag, at its last answer.
//!
//! A read after a token never shows less than it, also after promotions: a token is believed as far
//! as the new primary has followed the log of the old one, beyond it the read is refused. What
//! remains: a standby tells who may not see its `received_tli` late that it follows a new primary;
//! until that one is heard of, by default within a second, its position is taken for one of the old
//! log.
//!
//! **Time.** Each server is asked on a thread of its own, with a deadline. One that is gone is left
//! out and its connections are cut, so that nobody waits for it; it comes back after several answers,
//! with a tenth of its share at first, and later each time that it did not stay.

mod acquire;
mod branches;
mod dice;
mod failure;
mod freshness;
mod health;
mod history;
mod housekeeper;
mod intent;
mod look;
mod node;
mod options;
mod policy;
mod roles;
mod router;
mod signal;
mod state;
mod status;
mod watch;

pub(crate) use acquire::{Avoid, Lent, Wish};
pub use freshness::{CommitToken, Freshness};
pub use intent::Intent;
pub(crate) use node::NodeSpec;
pub use options::RoutingOptions;
pub use policy::Policy;
pub(crate) use router::Router;
pub use status::{NodeHealth, NodeStatus, Role};
