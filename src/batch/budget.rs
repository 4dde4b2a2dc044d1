//! How many rows may still be rejected.

use crate::error::{Error, ErrorKind, Result};
use parking_lot::Mutex;

/// The rejects of a job, held against its limit. A unit takes its place before it commits, so the
/// limit is exact whatever the workers do.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u64,
    rejected: Mutex<u64>,
}

/// The place a unit has taken; it is kept over its attempts.
#[derive(Debug, Default)]
pub(super) struct Place(u64);

impl Budget {
    /// A limit of `limit` rejects, of which `rejected` were made by earlier runs.
    pub(super) fn new(limit: u64, rejected: u64) -> Self {
        Self { limit, rejected: Mutex::new(rejected) }
    }

    /// Takes the place of `count` rejects, instead of what `place` has.
    ///
    /// # Errors
    /// `RejectLimit` if there would be more than the limit; the place is given back then.
    pub(super) fn take(&self, place: &mut Place, count: u64) -> Result<()> {
        let mut rejected = self.rejected.lock();
        let others = *rejected - place.0;
        place.0 = 0;
        *rejected = others;
        if count > 0 && others + count > self.limit {
            let message = format!("{} rows rejected, {} are allowed", others + count, self.limit);
            return Err(Error::new(ErrorKind::RejectLimit, message).with_hint(
                "look at the rejects of the batches that are in, mend the input or raise \
                 max_rejects, and start the same command again",
            ));
        }
        place.0 = count;
        *rejected = others + count;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed_and_one_more_is_not() {
        let budget = Budget::new(3, 1);
        let mut place = Place::default();
        assert!(budget.take(&mut place, 2).is_ok());
        let error = budget.take(&mut Place::default(), 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RejectLimit);
        assert!(error.message().starts_with("4 rows rejected, 3 are allowed"));
    }

    #[test]
    fn a_second_attempt_does_not_count_twice() {
        let budget = Budget::new(2, 0);
        let mut place = Place::default();
        budget.take(&mut place, 2).unwrap();
        budget.take(&mut place, 2).unwrap();
        budget.take(&mut place, 1).unwrap();
        budget.take(&mut Place::default(), 1).unwrap();
    }

    #[test]
    fn units_without_rejects_go_on_when_the_limit_is_reached() {
        let budget = Budget::new(0, 0);
        assert!(budget.take(&mut Place::default(), 0).is_ok());
    }
}
