//! How many batches share a transaction, by what the ones before took.
//!
//! A transaction costs something however little is in it: on PostgreSQL up to 15 the beginning and
//! the end of a COPY alone are a millisecond. How much that is beside the rows is known only once
//! some are in, so the first batches go alone, and the number is doubled as long as transactions
//! are short: what is lost with one, and done again, stays below a second of work.

use super::group_choice::{GroupChoice, GroupReason};
use super::unit::{Phase, Unit};
use parking_lot::Mutex;
use std::time::Duration;

/// How many batches share a transaction.
#[derive(Debug)]
pub(super) struct GroupSize {
    most: usize,
    /// So much may they have together.
    bytes: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    size: usize,
    /// The packed bytes of a batch, as the last ones had them.
    packed: u64,
    /// So many batches have to go well before a group is tried again.
    wary: usize,
    /// How often a row was refused.
    refusals: u64,
    /// The most that shared one so far.
    largest: usize,
    /// Why there are no more; `None` as long as there may be twice as many next.
    limit: Option<GroupReason>,
}

/// Below this, twice as many may share a transaction; above [`LONG`], half as many.
const SHORT: Duration = Duration::from_millis(250);
const LONG: Duration = Duration::from_secs(1);

/// A group that has a bad row is rolled back and done batch by batch: where one came, more may.
const WARY: usize = 32;

impl GroupSize {
    /// For up to `most` batches together that have no more than `bytes`, in their source as well as packed;
    /// none where not even one is to be tried without a look at what comes of it.
    pub(super) fn new(bytes: u64, most: usize) -> Self {
        let state = State { size: 1, packed: 0, wary: 0, refusals: 0, largest: 1, limit: None };
        Self { most, bytes, state: Mutex::new(state) }
    }

    /// Whether the next batches, or the next one, are tried with the thought that every row is taken.
    pub(super) fn is_tried(&self) -> bool {
        self.most > 0 && self.state.lock().wary == 0
    }

    /// How many of `units`, which are all that are left to hand out to `workers` workers, the next
    /// of them gets: at least one, and no more than half of its share, so that all end at about the
    /// same time (factoring: Hummel, Schonberg, Flynn, 1992).
    pub(super) fn next(&self, units: &[Unit], workers: usize) -> usize {
        let size = self.state.lock().size.min(units.len() / (2 * workers.max(1)));
        let (mut taken, mut bytes) = (1, units.first().map_or(0, Unit::bytes));
        for pair in units.windows(2).take(size.saturating_sub(1)) {
            let follows = pair[1].number() == pair[0].number() + 1;
            bytes += pair[1].bytes();
            if pair[1].phase != Phase::Load || !follows || bytes > self.bytes {
                break;
            }
            taken += 1;
        }
        taken
    }

    /// Whether so many packed bytes may share a transaction.
    pub(super) fn has_room(&self, packed: usize) -> bool {
        packed as u64 <= self.bytes
    }

    /// How many may share a transaction now.
    pub(super) fn now(&self) -> usize {
        self.state.lock().size
    }

    /// Notes that `units` batches, `packed` bytes together, took so long.
    pub(super) fn took(&self, units: usize, packed: u64, time: Duration) {
        let mut state = self.state.lock();
        state.packed = packed / units.max(1) as u64;
        state.wary = state.wary.saturating_sub(units);
        state.largest = state.largest.max(units);
        if time >= SHORT {
            state.limit = Some(GroupReason::Time);
        }
        let fit = self.bytes.checked_div(state.packed).map_or(self.most, |fit| fit as usize).max(1);
        if time > LONG {
            state.size = (units / 2).max(1);
        } else if state.size > fit {
            (state.size, state.limit) = (fit, Some(GroupReason::Bytes));
        } else if time < SHORT && state.wary == 0 && units >= state.size {
            state.size = (units * 2).min(self.most).min(fit).max(1);
            state.limit = match units * 2 {
                more if more > fit => Some(GroupReason::Bytes),
                more if more > self.most => Some(GroupReason::Most),
                _ => None,
            };
        }
    }

    /// How many shared one in the whole run, and why no more did.
    pub(super) fn choice(&self) -> GroupChoice {
        let state = self.state.lock();
        let reason = match state.limit {
            _ if self.most == 0 => GroupReason::Alone,
            _ if state.largest >= self.most => GroupReason::Most,
            _ if state.refusals > 0 => GroupReason::Refused,
            limit => limit.unwrap_or(GroupReason::TooFewBatches),
        };
        GroupChoice { count: state.largest, most: self.most.max(1), reason }
    }

    /// Notes that a row was refused.
    pub(super) fn refused(&self) {
        let mut state = self.state.lock();
        (state.size, state.wary) = (1, WARY);
        state.refusals += 1;
    }

    /// How often a row was refused so far.
    pub(super) fn refusals(&self) -> u64 {
        self.state.lock().refusals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::limits::Limits;
    use crate::source::bounds::Bounds;

    fn units(count: u32) -> Vec<Unit> {
        let unit = |number| Unit { phase: Phase::Load, bounds: Bounds::of_rows(number, 1, 10) };
        (0..count).map(unit).collect()
    }

    fn size(most: usize) -> GroupSize {
        GroupSize::new(Limits::default().batch.bytes, most)
    }

    #[test]
    fn short_transactions_get_twice_as_many_batches_up_to_the_most() {
        let size = size(6);
        let mut sizes = Vec::new();
        for _ in 0..5 {
            let next = size.next(&units(100), 2);
            sizes.push(next);
            size.took(next, 1_000, Duration::from_millis(9));
        }
        assert_eq!(sizes, [1, 2, 4, 6, 6]);
        size.took(6, 1_000, Duration::from_millis(1_001));
        assert_eq!(size.next(&units(100), 2), 3);
        size.took(3, 1_000, Duration::from_millis(500));
        assert_eq!(size.next(&units(100), 2), 3);
    }

    #[test]
    fn they_have_no_more_bytes_together_than_one_batch_may_have() {
        let size = size(16);
        size.took(1, 1 << 20, Duration::ZERO);
        size.took(2, 2 << 20, Duration::ZERO);
        size.took(4, 4 << 20, Duration::ZERO);
        assert_eq!(size.next(&units(100), 2), 4);
        let mut large = units(100);
        for unit in &mut large {
            unit.bounds.end = unit.bounds.start + (3 << 20);
        }
        assert_eq!(size.next(&large, 2), 1);
    }

    #[test]
    fn batches_that_become_larger_share_less_at_once() {
        let size = size(16);
        size.took(8, 800, Duration::ZERO);
        assert_eq!(size.next(&units(100), 2), 16);
        assert!(size.has_room(4 << 20) && !size.has_room((4 << 20) + 1));
        size.took(2, 4 << 20, Duration::ZERO);
        assert_eq!((size.next(&units(100), 2), size.choice().reason), (2, GroupReason::Bytes));
    }

    #[test]
    fn the_last_ones_are_shared_by_all_workers_and_gaps_end_a_group() {
        let size = size(16);
        size.took(8, 800, Duration::ZERO);
        assert_eq!(size.next(&units(100), 2), 16);
        assert_eq!(size.next(&units(16), 2), 4);
        assert_eq!(size.next(&units(1), 2), 1);
        let mut gap = units(100);
        gap.remove(3);
        assert_eq!(size.next(&gap, 2), 3);
    }

    #[test]
    fn after_a_bad_row_batches_go_alone_until_many_went_well() {
        let size = size(16);
        size.took(8, 800, Duration::ZERO);
        size.refused();
        for _ in 1..WARY {
            size.took(1, 100, Duration::ZERO);
            assert_eq!(size.next(&units(100), 2), 1);
        }
        size.took(1, 100, Duration::ZERO);
        assert_eq!(size.next(&units(100), 2), 2);
    }

    #[test]
    fn why_no_more_share_a_transaction_is_told() {
        let choice = |most, work: &dyn Fn(&GroupSize)| {
            let size = size(most);
            work(&size);
            let GroupChoice { count, most, reason } = size.choice();
            (count, most, reason)
        };
        let short = Duration::from_millis(9);
        let took = |units, bytes, time| move |size: &GroupSize| size.took(units, bytes, time);
        assert_eq!(choice(16, &took(4, 100, short)), (4, 16, GroupReason::TooFewBatches));
        assert_eq!(choice(16, &took(16, 100, short)), (16, 16, GroupReason::Most));
        assert_eq!(choice(16, &took(2, 3 << 20, short)), (2, 16, GroupReason::Bytes));
        assert_eq!(choice(16, &took(2, 100, SHORT)), (2, 16, GroupReason::Time));
        assert_eq!(choice(1, &took(1, 100, short)), (1, 1, GroupReason::Most));
        assert_eq!(choice(0, &took(1, 100, short)), (1, 1, GroupReason::Alone));
        let refused = |size: &GroupSize| {
            size.took(2, 100, short);
            size.refused();
            size.took(1, 100, short);
        };
        assert_eq!(choice(16, &refused), (2, 16, GroupReason::Refused));
    }

    #[test]
    fn a_most_of_one_is_a_transaction_for_each() {
        let size = size(1);
        size.took(1, 100, Duration::ZERO);
        assert_eq!(size.next(&units(100), 2), 1);
    }
}
