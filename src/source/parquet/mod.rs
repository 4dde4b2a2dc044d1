//! Parquet files.
//!
//! - `chunks`:  the bytes of an input as the decoder of pages asks for them, and what it may not do
//! - `footer`:  what a file says of itself: its schema, its row groups
//! - `leaf`:    a column of a file that is wanted, found by its name
//! - `kind`:    what the values of a column are, and how one becomes a packed value
//! - `decimal`: numbers with a fixed point
//! - `values`:  the packed values of one column of a batch
//! - `column`:  reads them from the pages of a row group
//! - `cursor`:  the columns of a row group, read forward; those that others left are taken up again
//! - `file`:    the files: plan, fingerprint, the rows of a batch
//! - `pack`:    a value of a column of the file as one of the target
//! - `record`:  a row as it goes to the reject store, and back
//! - `columns`: rows for declared columns
//! - `typed`:   rows as values of an entity
//! - `schema`:  the columns of a file, for whoever wants to know them
//!
//! A batch is a range of rows within one row group, so it can be read alone. Nothing but the pages
//! of the wanted columns is read, one page of each at a time: memory depends neither on the size of
//! a file nor on that of its row groups.
//!
//! A value is first what its column is in PostgreSQL's terms (`kind`). Where the target has another
//! type, it becomes one as its text would: what does not fit is a reject, never a guess.

mod chunks;
mod column;
mod columns;
mod cursor;
mod decimal;
mod file;
mod footer;
mod kind;
mod leaf;
mod pack;
mod record;
mod schema;
mod typed;
mod values;

pub use columns::{ParquetColumn, ParquetColumns};
pub use schema::{FileColumn, FileSchema};
pub use typed::Parquet;
