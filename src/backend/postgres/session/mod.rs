//! What is set in a session, and what a borrower may have left there.
//!
//! - `setup`:         what is set in every session, and what a server must be like
//! - `opened`:        how a session is when it was just opened
//! - `notices`:       what the server says besides
//! - `notifications`: what other sessions say, which nobody keeps
//! - `limits`:        how many connections the server has room for
//! - `ping`:          a sign of life
//! - `state`:         what the server says of its place among its replicas
//! - `words`:         what a statement does to the transaction
//! - `lexer`:         SQL cut into words and signs
//! - `harmless`:      functions that leave nothing
//! - `traces`:        what a text of SQL leaves in its session
//! - `plain`:         tables that bring nothing with them that could run
//! - `code`:          what users have put into the database that may change a session by itself
//! - `left`:          what a borrower may have left, as far as the texts tell
//! - `reset`:         making a session what it was
//!
//! A session that comes back is what it was when it was opened, at the cost of one round trip, and of
//! none where nothing can have been left. What can have been left is judged from the texts of the
//! statements, from the tags of their answers, from the settings that the server reports, and from
//! what the catalog says of the code that those statements can have reached: functions called by
//! triggers, views, defaults, policies, operators, casts and domains. `code` has the rule, and what
//! remains of it.

pub(super) mod code;
pub(super) mod harmless;
pub(super) mod left;
pub(super) mod lexer;
pub(super) mod limits;
pub(super) mod notices;
pub(super) mod notifications;
pub(super) mod opened;
pub(super) mod ping;
mod plain;
pub(super) mod reset;
pub(super) mod setup;
pub(super) mod state;
pub(super) mod traces;
pub(super) mod words;
