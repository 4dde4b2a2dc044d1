//! Statements, their parameters and their rows.
//!
//! - `cache`:     prepared statements, kept
//! - `params`:    parameters as the server's types; `declared`: what they are declared as before the
//!   server has said anything; `literal`: those that go as a literal
//! - `types`:     the server's types as column types
//! - `streaming`: a statement whose rows are handed out
//! - `results`:   the rows of a result
//! - `row`:       a row as it came over the wire
//! - `load`:      COPY BINARY, and statements with many rows where it cannot be used
//!
//! Rows are handed out one after the other, in constant memory, decoded from the bytes of the wire;
//! rows that are loaded are sent as they are packed. A prepared statement that the server no longer
//! has, or no longer wants, is prepared again where no transaction is lost by that.

pub(super) mod cache;
mod declared;
mod literal;
pub(super) mod load;
pub(super) mod params;
pub(super) mod results;
pub(super) mod row;
pub(super) mod streaming;
pub(super) mod types;
