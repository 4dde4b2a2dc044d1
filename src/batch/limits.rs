//! The limits of a run.

use crate::error::{Error, ErrorKind, Result};
use crate::retry::RetryPolicy;
use crate::source::bounds::CutLimits;
use crate::source::prepared::Stage;
use std::fmt;

/// How many rows may be rejected before a job stops.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum MaxRejects {
    /// So many.
    Count(u64),
    /// This share of all rows, 0.0 to 1.0.
    Share(f64),
}

impl MaxRejects {
    /// The count that is still allowed for an input of `rows` rows.
    pub(super) fn count(self, rows: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Share(share) => {
                let count = rows as f64 * share.clamp(0.0, 1.0);
                // 29 % of 100 rows are 28.999999999999996 in binary.
                let whole = count.round();
                let is_whole = (count - whole).abs() <= whole * f64::EPSILON * 4.0;
                (if is_whole { whole } else { count.floor() }) as u64
            }
        }
    }
}

/// Rejects of one kind, which may have a limit of their own: those of a step, or those with a code.
///
/// ```
/// use rowmill::RejectClass;
/// for text in ["parse", "store", "23505", "22"] {
///     assert_eq!(RejectClass::parse(text)?.to_string(), text);
/// }
/// assert!(RejectClass::parse("2350").is_err());
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectClass {
    word: String,
    is_stage: bool,
}

impl RejectClass {
    /// Reads the name of a step (`parse`, `convert`, `precheck`, `transform`, `store`), a SQLSTATE
    /// such as `23505`, or the first two characters of one, which are its class: `22`.
    ///
    /// # Errors
    /// `Config` if it is none of these.
    pub fn parse(text: &str) -> Result<Self> {
        let is_stage = Stage::ALL.iter().any(|stage| stage.name() == text);
        let is_code = matches!(text.len(), 2 | 5)
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        if is_stage || is_code {
            return Ok(Self { word: text.to_owned(), is_stage });
        }
        let message = format!("{text:?} is no kind of rejects");
        Err(Error::new(ErrorKind::Config, message).with_hint(
            "expected a step (parse, convert, precheck, transform, store), a SQLSTATE such as 23505, \
             or its first two characters",
        ))
    }

    /// The step, if it is one.
    pub(crate) fn stage(&self) -> Option<&str> {
        self.is_stage.then_some(self.word.as_str())
    }

    /// What the codes begin with, if it is about codes.
    pub(crate) fn code(&self) -> Option<&str> {
        (!self.is_stage).then_some(self.word.as_str())
    }
}

impl fmt::Display for RejectClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)
    }
}

/// The limits of a run. They are no part of a job's identity: a restart may have others.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// How large a batch may become; counts only until the job is planned.
    pub batch: CutLimits,
    /// How many rows may be rejected. Default: 100.
    pub max_rejects: MaxRejects,
    /// How many batches are in flight. Default: found by measuring, from as many as the machine has
    /// processors, at least 2, up to four times as many, at least 16 and at most 32; never more than
    /// the pool has connections.
    pub workers: Option<usize>,
    /// How many bytes of the source are in flight. Default: 64 MiB.
    pub in_flight_bytes: u64,
    /// How many batches may share a transaction. Default: 16.
    pub batches_a_transaction: usize,
    /// How often and how long a batch is tried.
    pub retry: RetryPolicy,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch: CutLimits::default(),
            max_rejects: MaxRejects::Count(100),
            workers: None,
            in_flight_bytes: 64 << 20,
            batches_a_transaction: 16,
            retry: RetryPolicy::default(),
        }
    }
}

impl Limits {
    /// What each of `parts` runs has of them, at least one worker.
    pub(crate) fn shared_by(&self, parts: usize) -> Self {
        let parts = parts.max(1);
        let workers = Some((self.worker_count(usize::MAX) / parts).max(1));
        let in_flight_bytes = (self.in_flight_bytes / parts as u64).max(1);
        Self { workers, in_flight_bytes, ..*self }
    }

    /// How many workers there are at first, with a pool of `capacity` connections.
    pub(crate) fn worker_count(&self, capacity: usize) -> usize {
        self.workers.unwrap_or_else(|| processors().max(2)).clamp(1, capacity.max(1))
    }

    /// The most of them that measuring may come to.
    pub(crate) fn most_workers(&self, capacity: usize) -> usize {
        let count = self.worker_count(capacity);
        match self.workers {
            Some(_) => count,
            None => (processors() * 4).clamp(16, 32).min(capacity).max(count),
        }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_count_of_the_planned_rows() {
        assert_eq!(MaxRejects::Share(0.01).count(250), 2);
        assert_eq!(MaxRejects::Count(7).count(1), 7);
    }

    #[test]
    fn every_whole_percentage_is_exact() {
        for percent in 0..=100_u32 {
            let share = MaxRejects::Share(f64::from(percent) / 100.0);
            for rows in [100, 300, 4_700, 1_000_000_000_000] {
                assert_eq!(share.count(rows), rows / 100 * u64::from(percent));
            }
        }
        assert_eq!(MaxRejects::Share(0.999_999_9).count(10), 9);
    }

    /// batch 4.7
    #[test]
    fn workers_never_outnumber_the_connections() {
        let limits = Limits { workers: Some(8), ..Limits::default() };
        assert_eq!(limits.worker_count(3), 3);
        assert_eq!(Limits { workers: Some(0), ..limits }.worker_count(3), 1);
        assert_eq!(Limits::default().most_workers(3), 3);
    }

    #[test]
    fn measuring_comes_to_more_workers_than_the_machine_has_processors_unless_their_number_is_set()
    {
        let limits = Limits::default();
        assert!(
            limits.most_workers(100) >= 16 && limits.most_workers(100) >= 2 * processors().min(8)
        );
        assert!(limits.most_workers(100) >= limits.worker_count(100));
        assert_eq!(Limits { workers: Some(5), ..limits }.most_workers(100), 5);
    }
}
