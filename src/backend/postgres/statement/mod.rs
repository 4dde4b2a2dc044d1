//! Statements, their parameters and their rows.
//!
//! - `cache`:     prepared statements, kept
//! - `resolver`:  the types in the descriptions of statements
//! - `known_types`: what is known of them, shared by the connections of an engine
//! - `type_lookup`: asking the catalog for them
//! - `params`:    parameters as the server's types; `declared`: what they are declared as before the
//!   server has said anything; `literal`: those that go as a literal
//! - `types`:     the server's types as column types
//! - `streaming`: a statement whose rows are handed out
//! - `stale`:     statements that are no longer what they were
//! - `results`:   the rows of a result
//! - `row`:       a row as it came over the wire
//! - `unload`: rows read in bulk
//! - `load`:      COPY BINARY, and statements with many rows where it cannot be used
//!
//! Rows are handed out one after the other, in constant memory, decoded from the bytes of the wire;
//! rows that are loaded are sent as they are packed. A prepared statement that the server no longer
//! has, or no longer wants, is prepared again where no transaction is lost by that. The types of a
//! database are asked for once for all connections of an engine.

pub(super) mod cache;
mod declared;
pub(super) mod known_types;
mod literal;
pub(super) mod load;
pub(super) mod params;
pub(super) mod resolver;
pub(super) mod results;
pub(super) mod row;
pub(super) mod stale;
pub(super) mod streaming;
pub(super) mod type_lookup;
pub(super) mod types;
pub(super) mod unload;
