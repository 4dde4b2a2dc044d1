//! The limits of a run.

use crate::retry::RetryPolicy;
use crate::source::bounds::CutLimits;

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

/// The limits of a run. They are no part of a job's identity: a restart may have others.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// How large a batch may become; counts only until the job is planned.
    pub batch: CutLimits,
    /// How many rows may be rejected. Default: 100.
    pub max_rejects: MaxRejects,
    /// How many batches are in flight. Default: as many as the machine has processors, at least 2;
    /// never more than the pool has connections.
    pub workers: Option<usize>,
    /// How many bytes of the source are in flight. Default: 64 MiB.
    pub in_flight_bytes: u64,
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
            retry: RetryPolicy::default(),
        }
    }
}

impl Limits {
    /// How many workers there are, with a pool of `capacity` connections.
    pub(crate) fn worker_count(&self, capacity: usize) -> usize {
        let machine = || std::thread::available_parallelism().map_or(2, |n| n.get().max(2));
        self.workers.unwrap_or_else(machine).clamp(1, capacity.max(1))
    }
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

    #[test]
    fn workers_never_outnumber_the_connections() {
        let limits = Limits { workers: Some(8), ..Limits::default() };
        assert_eq!(limits.worker_count(3), 3);
        assert_eq!(Limits { workers: Some(0), ..limits }.worker_count(3), 1);
    }
}
