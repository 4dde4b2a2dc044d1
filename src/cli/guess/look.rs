//! The rows that are looked at: all of a small file; of a large one those of its beginning, its
//! end, and some between.

use crate::error::{Error, ErrorKind, Result};
use crate::source::bounds::{Bounds, CutLimits};
use crate::source::feed::{Feed, Layout};
use crate::source::prepared::Prepared;

/// A file of so many rows is looked at as a whole.
const ALL_ROWS: u64 = 200_000;

/// A file is searched for the bounds of rows no further than that.
const MOST_BYTES: u64 = 4 << 30;

const BATCH_ROWS: u64 = 1_000;

/// So many batches of a large file are looked at, at each end and between them.
const BATCHES: usize = 20;

/// How much of a file was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// The rows that were looked at.
    pub(super) rows: u64,
    /// Those of them that could not be read.
    pub(super) broken: u64,
    /// The rows of the file, as far as it was searched.
    pub(super) all: u64,
    /// Whether it was searched to its end.
    pub(super) to_the_end: bool,
}

impl Extent {
    /// Whether every row was looked at.
    pub(super) fn is_whole(&self) -> bool {
        self.to_the_end && self.rows == self.all
    }
}

/// The batches that are to be looked at.
pub(super) struct Sample {
    batches: Vec<Bounds>,
    all: u64,
    to_the_end: bool,
}

impl Sample {
    /// Cuts the file and picks some of it.
    ///
    /// # Errors
    /// `Source` if it cannot be read or cut.
    pub(super) fn of(feed: &dyn Feed) -> Result<Self> {
        let mut sample = Self::cut(feed, MOST_BYTES)?;
        if sample.all > ALL_ROWS && sample.batches.len() > 3 * BATCHES {
            sample.batches = picked(&sample.batches);
        }
        Ok(sample)
    }

    /// The first rows alone.
    ///
    /// # Errors
    /// As [`Sample::of`].
    pub(super) fn beginning_of(feed: &dyn Feed) -> Result<Self> {
        Self::cut(feed, 1)
    }

    /// Cuts the file until so many bytes were passed.
    fn cut(feed: &dyn Feed, most: u64) -> Result<Self> {
        let (mut batches, mut bytes) = (Vec::new(), 0);
        let planned = feed.plan(CutLimits::new(BATCH_ROWS, 4 << 20), &mut |bounds| {
            batches.push(bounds);
            bytes += bounds.end - bounds.start;
            match bytes < most {
                true => Ok(()),
                false => Err(Error::new(ErrorKind::Stopped, "enough was seen")),
            }
        });
        let to_the_end = match planned {
            Ok(()) => true,
            Err(_) if bytes >= most => false,
            Err(error) => return Err(error),
        };
        let all = batches.iter().map(|bounds: &Bounds| bounds.rows).sum();
        Ok(Self { batches, all, to_the_end })
    }

    /// Hands the fields of every row to `each`; a row that cannot be read is passed over.
    ///
    /// # Errors
    /// `Source` if the file cannot be read.
    pub(super) fn rows(
        &self,
        feed: &dyn Feed,
        each: &mut dyn FnMut(&[Option<&str>]),
    ) -> Result<Extent> {
        let layout = Layout::new(feed.columns().to_vec(), Vec::new());
        let mut prepared = Prepared::new(&layout);
        let mut extent = Extent { all: self.all, to_the_end: self.to_the_end, ..Extent::default() };
        for bounds in &self.batches {
            prepared.clear();
            feed.prepare(bounds, &layout, &mut prepared)?;
            extent.rows += prepared.read;
            extent.broken += prepared.refused.len() as u64;
            for row in 0..prepared.rows.len() {
                let fields: Vec<_> = prepared
                    .rows
                    .row(row)
                    .map(|field| field.and_then(|bytes| std::str::from_utf8(bytes).ok()))
                    .collect();
                each(&fields);
            }
        }
        Ok(extent)
    }
}

fn picked(batches: &[Bounds]) -> Vec<Bounds> {
    let (last, step) = (batches.len() - BATCHES, batches.len() / BATCHES);
    let between = (BATCHES..last).filter(|place| place % step == 0);
    (0..BATCHES).chain(between).chain(last..batches.len()).map(|place| batches[place]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_looked_at_everywhere() {
        let batches: Vec<_> =
            (0..1_000).map(|number| Bounds::of_rows(number, u64::from(number) + 1, 1)).collect();
        let numbers: Vec<_> = picked(&batches).iter().map(|bounds| bounds.number).collect();
        assert_eq!(numbers[..20], (0..20).collect::<Vec<_>>());
        assert_eq!(numbers[numbers.len() - 20..], (980..1_000).collect::<Vec<_>>());
        assert!(numbers.contains(&500) && numbers.len() < 65, "{numbers:?}");
        assert!(numbers.is_sorted_by(|a, b| a < b));
    }
}
