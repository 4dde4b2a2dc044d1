//! How values, columns and rows look, on paper: no socket, no thread, no clock.
//!
//! - `column_type`: the types a column can have
//! - `column`:      a column of a table or an entity
//! - `reference`:   what a foreign key refers to
//! - `cell`:        one value, and the Rust types that values have
//! - `binary`:      values of results that have no column type of their own
//! - `param`:       a parameter of a statement
//! - `nul`:         what becomes of NUL in a text
//! - `entity`:      a struct whose values are rows of a table
//! - `table_shape`: the table of an entity, with its indexes
//! - `key`:         what tells one row from all others
//! - `key_range`:   the part of a key that a batch is
//! - `sharded`:     an entity whose rows are spread over shards
//! - `field`:       a column of an entity, known to the compiler
//! - `layout`:      the columns of packed rows
//! - `column_array`: the values of one column as one array
//! - `derived`:     what generated code calls; not for people
//! - `rows`:        rows packed as the tuples of COPY BINARY, the one form in which they travel
//! - `typed_fields`: the fields of such a row with their types, read one after the other
//! - `type_number`: the numbers of the built-in types
//! - `text`:        texts to values and back, exactly as PostgreSQL reads and prints them
//!
//! A packed field is what PostgreSQL's `typsend`/`typreceive` functions exchange: big-endian
//! numbers, UTF-8 text, microseconds since 2000-01-01. Every backend reads it.

pub mod binary;
pub mod cell;
pub mod column;
pub(crate) mod column_array;
pub mod column_type;
#[doc(hidden)]
pub mod derived;
pub mod entity;
pub mod field;
pub mod key;
pub mod key_range;
pub mod layout;
pub mod nul;
pub mod param;
pub mod reference;
pub mod rows;
pub mod sharded;
pub mod table_shape;
pub mod text;
mod type_number;
pub mod typed_fields;
