//! The stream format of `COPY ... (FORMAT binary)`, on paper: no socket, no thread, no clock.
//!
//! - `encode`: packed rows as pieces of a stream, without a copy of them
//! - `decode`: a stream that arrives in any pieces as tuples
//! - `scan`:   where a tuple ends
//!
//! The format is that of PostgreSQL's documentation, COPY, "Binary Format": a signature, 32 flags
//! and an extension, then the tuples that [`Rows`](crate::Rows) holds, then the trailer, which is
//! a tuple with -1 fields. A stream without its trailer was cut off: it is an error, never a
//! shorter result.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod decode;
pub mod encode;
mod scan;

/// What a stream begins with.
pub const SIGNATURE: [u8; 11] = *b"PGCOPY\n\xff\r\n\0";

/// The signature, no flags, no extension.
pub const HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What a stream ends with.
pub const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
