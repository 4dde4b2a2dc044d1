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
mod support;

mod engine_options;
mod pool_bounds;
mod pool_close;
mod pool_connect;
mod pool_line;
mod pool_nested;
mod pool_return;
mod url_parse;
mod url_secrets;
