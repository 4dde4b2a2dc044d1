//! The `rowmill` command.

pub mod job_file;
