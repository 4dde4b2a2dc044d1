//! The integration tests: one binary, one file per behaviour, names are sentences.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs,
    reason = "a test fails by panicking, and a test crate exports nothing"
)]

mod sqlite_backend;
