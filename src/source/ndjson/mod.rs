//! Files with one JSON object a line.
//!
//! - `cut`:     finds the ends of lines in a stream and closes batches
//! - `file`:    the files: plan, fingerprint, the lines of a batch, the origin of a row
//! - `wanted`:  which values of an object are wanted: keys, and paths into nested values
//! - `object`:  finds these values in a line
//! - `fault`:   why a line is refused
//! - `value`:   a value as a column takes it
//! - `columns`: rows for declared columns
//! - `typed`:   rows as values of an entity
//!
//! Every line is a record, a blank one too, and one that is not exactly one JSON object is a
//! reject; no line disappears. A value becomes that of its column as PostgreSQL's own input makes
//! it of the text: the digits of a number are read as they stand, never through a binary number. A
//! key that is wanted and stands twice refuses its line, for nobody knows which is meant. Values
//! are skipped without recursion, so that deep nesting costs no stack.

mod columns;
mod cut;
mod fault;
mod file;
mod object;
mod typed;
mod value;
mod wanted;

pub use columns::{NdjsonColumn, NdjsonColumns};
pub use typed::Ndjson;
#[cfg(feature = "parquet")]
pub(super) use wanted::path as pointer;
