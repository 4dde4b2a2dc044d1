//! Everything that is tested from the outside, in one binary.

#[cfg(feature = "cli")]
mod cli_usage;
