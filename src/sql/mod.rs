//! SQL text, on paper: nothing here talks to a database.
//!
//! - `dialect`: how the same thing is spelled on different databases

pub mod dialect;
