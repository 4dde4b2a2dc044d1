//! What users have put into the database that runs by itself, and may change a session.
//!
//! - `knowledge`: what is known of it, by all connections of an engine, and for how long
//! - `inventory`: the catalog's list of it
//! - `body`:      whether the text of a function can change a session
//! - `reach`:     the names by which a statement can reach what can
//!
//! A trigger, a view, a default, a policy, an operator, a cast or a domain calls functions without
//! being named in a statement. No answer of the server says what they did to the session, so the
//! catalog is asked what they can do. A function can change the session that calls it only where its
//! text has one of the few commands and functions for that (`SET`, `set_config`, `pg_advisory_lock`,
//! `LISTEN`, a temporary table, ...), runs a text that it puts together (`EXECUTE`), or names
//! something that can. From there the dependencies lead to tables and views; a statement with none
//! of their names cannot have run any of it. One that has such a name is in doubt, and its session is
//! reset when it comes back.
//!
//! The catalog is read when the first connection comes back, and again when one comes back later
//! than ten seconds after; where that takes long, later: it must not take more than a hundredth of
//! the time. What this crate's own connections create is seen at once, but for plain tables (`plain`).
//!
//! What remains: code that somebody else installs, for as long as the catalog is not read again; what
//! a function in C of an extension does, but for those of `dblink`, `tablefunc`, `xml2` and
//! `set_limit` (any other function that is neither SQL nor PL/pgSQL counts as one that can); and
//! what no reset takes back, such as the seed of `random()`. `ResetPolicy::Thorough` leaves only the
//! last of them.

pub(crate) mod body;
mod inventory;
pub(crate) mod knowledge;
pub(crate) mod reach;
