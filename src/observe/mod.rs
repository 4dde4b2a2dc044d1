//! Figures for the crate `metrics`, and through it for Prometheus, `StatsD` and others.
//!
//! - `names`:        the names of all figures, which stay as they are
//! - `pool_metrics`: [`PoolMetrics`]: listens to a pool
//! - `run_metrics`:  [`RunMetrics`]: watches the runs of a job
//!
//! Both are added by whoever wants figures, so that the pool and the job know nothing of them:
//!
//! ```
//! use rowmill::{Engine, Job, PoolMetrics, RunMetrics};
//! use std::sync::Arc;
//! # use rowmill::{Entity, Iter, Upsert};
//! # #[derive(Entity)]
//! # #[entity(table = "squares")]
//! # struct Square { #[entity(key)] number: i64, square: i64 }
//! // Install the recorder of your exporter first: figures keep to the one that was there.
//! let figures = Arc::new(PoolMetrics::of("warehouse"));
//! let engine = Engine::builder("sqlite::memory:")
//!     .hooks(|hooks| hooks.listener(Arc::clone(&figures) as _))
//!     .build()?;
//! let job = Job::named("squares")
//!     .read(Iter::new("numbers", || 1..=10_i64))
//!     .map(|number| Ok(Square { number, square: number * number }))
//!     .write(Upsert::<Square>::new().create(true))
//!     .observer(Arc::new(RunMetrics::of("squares")));
//! job.run(&engine)?;
//! figures.sample(&engine.stats()); // where they are read: who waits now
//! # Ok::<(), rowmill::Error>(())
//! ```
//!
//! # The figures of a pool
//!
//! Each has the label `pool`, which is what [`PoolMetrics::of`] was given.
//!
//! | name | kind | what |
//! |---|---|---|
//! | `rowmill_pool_in_use` | gauge | connections on loan |
//! | `rowmill_pool_idle` | gauge | connections that sleep in the pool |
//! | `rowmill_pool_total` | gauge | connections that are open |
//! | `rowmill_pool_waiting` | gauge | threads that wait for a connection; set by [`PoolMetrics::sample`] and each round of a housekeeper |
//! | `rowmill_pool_limit` | gauge | connections that may be open; set by [`PoolMetrics::sample`], each round of a housekeeper and a resize |
//! | `rowmill_pool_wait_seconds` | histogram | from asking for a connection to having it |
//! | `rowmill_pool_use_seconds` | histogram | how long a connection was on loan |
//! | `rowmill_pool_connect_seconds` | histogram | how long opening a connection took |
//! | `rowmill_pool_connects_total` | counter | connections that were opened |
//! | `rowmill_pool_connect_failures_total` | counter | attempts to open one that failed |
//! | `rowmill_pool_closes_total` | counter | connections that were closed |
//! | `rowmill_pool_timeouts_total` | counter | borrowers who got no connection in time |
//! | `rowmill_pool_resets_total` | counter | connections that came back with something left behind |
//! | `rowmill_pool_leaks_total` | counter | connections that were on loan for too long |
//!
//! # The figures of a job
//!
//! Each has the label `job`, which is what [`RunMetrics::of`] was given.
//!
//! | name | kind | what |
//! |---|---|---|
//! | `rowmill_run_rows_total` | counter | rows that were read, in batches that were committed |
//! | `rowmill_run_bytes_total` | counter | bytes of the source that these were |
//! | `rowmill_run_batches_total` | counter | batches that were committed |
//! | `rowmill_run_rejects_total` | counter | rows that were rejected |
//! | `rowmill_run_retries_total` | counter | times that something was tried again |
//! | `rowmill_run_batch_seconds` | histogram | how long a batch took, with all its attempts |
//! | `rowmill_run_planned_rows` | gauge | rows of the source |
//! | `rowmill_run_planned_batches` | gauge | batches of the job |

mod names;
mod pool_metrics;
mod run_metrics;

pub use names::describe;
pub use pool_metrics::PoolMetrics;
pub use run_metrics::RunMetrics;
