//! Sources that yield values, for a transform: the trait for a user's own, and any iterator.

use super::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use super::feed::{Frame, no_records};
use super::prepared::Stage;
use super::stateful::Stateful;
use crate::error::{Error, ErrorKind, Result};
use std::fmt::{self, Debug};

/// A row that a source could not make.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// The step that refused it.
    pub stage: Stage,
    /// Why.
    pub error: Error,
}

impl Refusal {
    /// A row refused at `stage` because of `error`.
    pub fn new(stage: Stage, error: Error) -> Self {
        Self { stage, error }
    }
}

/// Takes the rows of a batch with their number in it, and where they stand if that is known.
pub type EachPlaced<'a, T> =
    &'a mut dyn FnMut(u32, Result<T, Refusal>, Option<&dyn RowPlace>) -> Result<()>;

/// Where a row that is being read stands in its source.
pub trait RowPlace {
    /// Its origin, for the reject store.
    fn origin(&self) -> Origin;

    /// What finds it again, in few bytes, kept while its batch is in flight.
    fn position(&self) -> Vec<u8>;
}

/// Where values come from that a job transforms and writes.
///
/// A source is cut before the first batch runs, and must yield the same rows for the same bounds
/// every time: after a restart, and when a rejected row is looked up. It is asked from many threads
/// at once.
pub trait Source: Debug + Send + Sync {
    /// What it yields.
    type Row: Send;

    /// What it reads, for messages: a path, a name. It must not contain a secret.
    fn describe(&self) -> String;

    /// What decides, beside the input, which rows it yields: a job that stopped half-way is carried
    /// on only with the same. Default: what it reads.
    fn definition(&self) -> String {
        self.describe()
    }

    /// Identifies the input; cheap, asked at every start.
    ///
    /// # Errors
    /// `Source` if the input cannot be read.
    fn fingerprint(&self) -> Result<Fingerprint>;

    /// Cuts the input into batches, numbered from 0 in input order, in constant memory.
    ///
    /// # Errors
    /// `Source` if the input cannot be read or cut; what `each` returns.
    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()>;

    /// Hands every row of a batch to `each` with its number in the batch, from 0, in order and
    /// without gaps: also those that it cannot make.
    ///
    /// # Errors
    /// `Source` if the input cannot be read or is not what was planned; what `each` returns.
    fn read(
        &self,
        bounds: &Bounds,
        each: &mut dyn FnMut(u32, Result<Self::Row, Refusal>) -> Result<()>,
    ) -> Result<()>;

    /// As [`Source::read`], where a row is found again by what is known of it while it is read: a
    /// source in a database may give other rows the next time. Default: it is not.
    ///
    /// # Errors
    /// As [`Source::read`].
    fn read_with_places(&self, bounds: &Bounds, each: EachPlaced<'_, Self::Row>) -> Result<()> {
        self.read(bounds, &mut |index, row| each(index, row, None))
    }

    /// What it has beside what its bounds say. Default: nothing.
    fn stateful(&self) -> Option<&dyn Stateful> {
        None
    }

    /// Finds row `index` (from 0) of a batch again, for the reject store.
    ///
    /// # Errors
    /// `Source` as [`Source::read`].
    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin>;

    /// Finds several rows of a batch again, in the order of `indexes`, which ascend. A source that
    /// must read the batch to find one overrides it to find all of them at once.
    ///
    /// # Errors
    /// As [`Source::origin`].
    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        indexes.iter().map(|index| self.origin(bounds, *index)).collect()
    }

    /// Hands the row of each record, which stands as in the source, to `each` with its number in
    /// `records`, from 0: for the rejects of earlier runs. Default: it cannot.
    ///
    /// # Errors
    /// `Unsupported` where a record is not known by its bytes; what `each` returns.
    fn read_records(
        &self,
        records: &[&[u8]],
        each: &mut dyn FnMut(u32, Result<Self::Row, Refusal>) -> Result<()>,
    ) -> Result<()> {
        let _ = (records, each);
        Err(no_records(&self.describe()))
    }

    /// What stands around the records of a file of this kind: see
    /// [`Feed::frame`](super::feed::Feed::frame). Default: nothing, and a newline.
    ///
    /// # Errors
    /// `Source` if the input cannot be read.
    fn frame(&self) -> Result<Frame> {
        Ok(Frame { before: Vec::new(), behind: b"\n".to_vec() })
    }
}

/// Any iterator that can be started again.
///
/// Every batch starts a fresh iterator and skips to its rows, so the iterator should skip fast, as
/// those over ranges and slices do.
///
/// ```
/// use rowmill::{CutLimits, Iter, Source};
/// let source = Iter::new("squares", || (0..10_u64).map(|n| n * n));
/// let mut batches = Vec::new();
/// source.plan(CutLimits::new(4, u64::MAX), &mut |bounds| Ok(batches.push(bounds)))?;
/// assert_eq!(batches.iter().map(|bounds| bounds.rows).collect::<Vec<_>>(), [4, 4, 2]);
/// # Ok::<(), rowmill::Error>(())
/// ```
pub struct Iter<F, R> {
    name: String,
    rows: F,
    version: String,
    render: Option<Render<R>>,
}

type Render<R> = Box<dyn Fn(&R) -> Vec<u8> + Send + Sync>;

impl<F, I> Iter<F, I::Item>
where
    F: Fn() -> I + Send + Sync,
    I: IntoIterator,
{
    /// A source of what `rows` yields: the same rows in the same order each time it is called.
    pub fn new(name: impl Into<String>, rows: F) -> Self {
        Self { name: name.into(), rows, version: String::new(), render: None }
    }

    /// Says which rows these are, so that a restart on other rows is refused.
    ///
    /// Default: empty; then two iterators of one name are taken for the same.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets how a rejected row is written to the reject store.
    ///
    /// Default: `row N`, with its number.
    #[must_use]
    pub fn render(mut self, render: impl Fn(&I::Item) -> Vec<u8> + Send + Sync + 'static) -> Self {
        self.render = Some(Box::new(render));
        self
    }

    fn short(&self, bounds: &Bounds) -> Error {
        let message = format!("{} yields fewer rows than when it was planned", self.name);
        Error::new(ErrorKind::Source, message)
            .with_hint("its closure must return the same rows every time")
            .locate(|place| place.batch = Some(u64::from(bounds.number)))
    }

    fn skip(&self, rows: u64) -> Option<I::IntoIter> {
        let mut iterator = (self.rows)().into_iter();
        if let Some(last) = usize::try_from(rows).ok()?.checked_sub(1) {
            iterator.nth(last)?;
        }
        Some(iterator)
    }
}

impl<F, R> Debug for Iter<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<F, I> Source for Iter<F, I::Item>
where
    F: Fn() -> I + Send + Sync,
    I: IntoIterator,
    I::Item: Send,
{
    type Row = I::Item;

    fn describe(&self) -> String {
        self.name.clone()
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint(format!("iterator {:?} {:?}", self.name, self.version)))
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        let total = (self.rows)().into_iter().fold(0_u64, |rows, _| rows + 1);
        let limit = limits.rows.clamp(1, u64::from(u32::MAX));
        let mut first_row = 1;
        for number in 0.. {
            let rows = limit.min(total + 1 - first_row);
            if rows == 0 {
                break;
            }
            each(Bounds::of_rows(number, first_row, rows))?;
            first_row += rows;
        }
        Ok(())
    }

    fn read(
        &self,
        bounds: &Bounds,
        each: &mut dyn FnMut(u32, Result<Self::Row, Refusal>) -> Result<()>,
    ) -> Result<()> {
        let mut iterator = self.skip(bounds.start).ok_or_else(|| self.short(bounds))?;
        let rows = u32::try_from(bounds.rows).map_err(|_| self.short(bounds))?;
        for index in 0..rows {
            let row = iterator.next().ok_or_else(|| self.short(bounds))?;
            each(index, Ok(row))?;
        }
        Ok(())
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        let number = bounds.first_row + u64::from(index);
        let raw = match &self.render {
            None => format!("row {number}").into_bytes(),
            Some(render) => {
                let row = self.skip(number - 1).and_then(|mut iterator| iterator.next());
                render(&row.ok_or_else(|| self.short(bounds))?)
            }
        };
        Ok(Origin::of_row(number, raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn batches(source: &impl Source, rows: u64) -> Vec<Bounds> {
        let mut batches = Vec::new();
        source
            .plan(CutLimits::new(rows, 1), &mut |bounds| {
                batches.push(bounds);
                Ok(())
            })
            .unwrap();
        batches
    }

    #[test]
    fn the_batches_of_an_iterator_are_all_of_it_in_order() {
        let source = Iter::new("numbers", || 0..10_u64);
        for rows in [1, 3, 10, 11] {
            let mut seen = Vec::new();
            for bounds in batches(&source, rows) {
                source
                    .read(&bounds, &mut |index, row| {
                        assert_eq!(bounds.start + u64::from(index), *row.as_ref().unwrap());
                        seen.push(row.unwrap());
                        Ok(())
                    })
                    .unwrap();
            }
            assert_eq!(seen, (0..10).collect::<Vec<_>>());
        }
        assert!(batches(&Iter::new("none", Vec::<u8>::new), 3).is_empty());
    }

    #[test]
    fn an_iterator_that_became_shorter_is_noticed() {
        let rows = AtomicU64::new(5);
        let source = Iter::new("shrinking", || 0..rows.load(Ordering::Relaxed));
        let planned = batches(&source, 2);
        rows.store(4, Ordering::Relaxed);
        let error = source.read(&planned[2], &mut |_, _| Ok(())).unwrap_err();
        assert_eq!((error.kind(), error.place().batch), (ErrorKind::Source, Some(2)));
    }

    #[test]
    fn a_rejected_row_is_written_as_the_user_says() {
        let source = Iter::new("numbers", || 10..20_u64);
        let bounds = batches(&source, 4)[1];
        assert_eq!(source.origin(&bounds, 1).unwrap(), Origin::of_row(6, b"row 6".to_vec()));
        let source = source.render(|row| format!("<{row}>").into_bytes());
        assert_eq!(source.origins(&bounds, &[1, 3]).unwrap()[1].raw, b"<17>");
    }
}
