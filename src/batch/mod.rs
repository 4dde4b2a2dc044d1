//! A job, cut into batches that are done in parallel.
//!
//! - `observer`: watching a run
//! - `report`:   what a run did

pub mod observer;
pub mod report;
