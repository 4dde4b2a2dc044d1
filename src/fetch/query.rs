//! Queries: all rows, the first, one, how many.

use super::pages::{Page, Pages};
use super::rows::{Chunks, RowStream};
use super::run;
use crate::backend::RowRef;
use crate::engine::{Acquire, Executor, Intent};
use crate::error::{Locate, Place, Result};
use crate::mapping::cell::Cell;
use crate::query::{PageToken, Query, Read, render};

impl<S, R> Query<S, R> {
    /// All rows.
    ///
    /// ```
    /// use rowmill::{Engine, Entity, Query};
    /// #[derive(Debug, PartialEq, Entity)]
    /// #[entity(table = "runways")]
    /// struct Runway {
    ///     #[entity(key)]
    ///     id: i64,
    ///     length_ft: Option<i32>,
    /// }
    /// let engine = Engine::open("sqlite::memory:")?;
    /// engine.run("create table runways (id integer primary key, length_ft integer)")?;
    /// engine.run("insert into runways values (1, 9000), (2, null), (3, 12000)")?;
    /// let long = Query::<Runway>::new()
    ///     .filter(Runway::length_ft.gt(3_000))
    ///     .order_by(Runway::length_ft.desc())
    ///     .all(&engine)?;
    /// assert_eq!(long[0], Runway { id: 3, length_ft: Some(12_000) });
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Executor::with`]; `Database` or `Disconnect`; `Decode` with the column if a cell is no
    /// value of its field; `Unsupported`, `Config` or `Encode` as [`Query::statement`].
    #[track_caller]
    pub fn all(&self, on: &impl Executor) -> Result<Vec<R>> {
        let build = |dialect| self.statement(dialect);
        run::rows(on, self.intent(), build, |row| read_row(row, &self.read))
    }

    /// Hands each row to `each`, in constant memory; `each` must not use the same connection.
    ///
    /// # Errors
    /// As [`all`](Self::all); what `each` returns.
    #[track_caller]
    pub fn each(&self, on: &impl Executor, mut each: impl FnMut(R) -> Result<()>) -> Result<()> {
        run::query(on, self.intent(), |dialect| self.statement(dialect), &mut |row| {
            each(read_row(row, &self.read)?)
        })
    }

    /// The first row; `None` if there is none. Only an order says which one that is.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    #[track_caller]
    pub fn first(&self, on: &impl Executor) -> Result<Option<R>> {
        Ok(self.at_most(1, on)?.pop())
    }

    /// The only row.
    ///
    /// # Errors
    /// `NotFound` if there is none, `NotUnique` if there are several; as [`all`](Self::all).
    #[track_caller]
    pub fn one(&self, on: &impl Executor) -> Result<R> {
        self.one_or_none(on)?.ok_or_else(run::not_found).locate(|place| self.name_table(place))
    }

    /// The only row; `None` if there is none.
    ///
    /// # Errors
    /// `NotUnique` if there are several; as [`all`](Self::all).
    #[track_caller]
    pub fn one_or_none(&self, on: &impl Executor) -> Result<Option<R>> {
        let mut rows = self.at_most(2, on)?;
        if rows.len() > 1 {
            return Err(run::not_unique()).locate(|place| self.name_table(place));
        }
        Ok(rows.pop())
    }

    /// The table it begins with.
    fn name_table(&self, place: &mut Place) {
        place.table = (self.select.from.table)().ok().map(|table| table.plain());
    }

    #[track_caller]
    fn at_most(&self, rows: u64, on: &impl Executor) -> Result<Vec<R>> {
        let mut query = self.clone();
        query.select.limit = Some(query.select.limit.map_or(rows, |limit| limit.min(rows)));
        query.all(on)
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    #[track_caller]
    pub fn count(&self, on: &impl Executor) -> Result<u64> {
        let build = |dialect| render::count(&self.select, dialect);
        let counts = run::rows(on, Intent::Read, build, |row| i64::unpack(row.cell(0)?))?;
        Ok(counts.last().map_or(0, |count| *count as u64))
    }

    /// Whether there is a row.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    #[track_caller]
    pub fn exists(&self, on: &impl Executor) -> Result<bool> {
        let build = |dialect| render::first(&self.select, dialect);
        Ok(!run::rows(on, Intent::Read, build, |_| Ok(()))?.is_empty())
    }

    /// The page of at most `size` rows behind `after`, or the first one. The order is made complete
    /// by the keys of what is read, so that no row is passed over or read twice, however many are
    /// equal otherwise. It must have no NULL.
    ///
    /// # Errors
    /// `Config` if an entity has no key, if the query is one for groups or distinct rows, if `after`
    /// belongs to another query, or if a NULL is in the order; as [`all`](Self::all).
    #[track_caller]
    pub fn page(
        &self,
        on: &impl Executor,
        size: u64,
        after: Option<&PageToken>,
    ) -> Result<Page<R>> {
        super::pages::read(self, on, size, after)
    }

    /// All pages of at most `size` rows, one after the other; between two, no connection is held,
    /// and what others change in the meantime may show.
    pub fn pages<'a, X: Executor>(&self, on: &'a X, size: u64) -> Pages<'a, S, R, X> {
        Pages::new(self.clone(), on, size)
    }

    /// Whether it needs a connection that can write: locks are written.
    pub(super) fn intent(&self) -> Intent {
        if self.select.lock.is_some() { Intent::Write } else { Intent::Read }
    }
}

impl<S: 'static, R: Send + 'static> Query<S, R> {
    /// The rows one after the other, in constant memory, on a connection and a thread of their own.
    /// Dropping the stream before its end cancels the query.
    ///
    /// While it lasts this thread holds a connection, and is refused another one of the same pool
    /// unless nested check-outs are allowed.
    ///
    /// # Errors
    /// As [`Acquire::acquire`]; what fails later is a row of the stream.
    #[expect(clippy::iter_not_returning_iterator, reason = "it has to find a connection first")]
    #[track_caller]
    pub fn iter(&self, from: &impl Acquire) -> Result<RowStream<R>> {
        RowStream::start(self, from)
    }

    /// As [`iter`](Self::iter), `size` rows at a time.
    ///
    /// # Errors
    /// As [`iter`](Self::iter); `Config` if `size` is 0.
    #[track_caller]
    pub fn chunks(&self, from: &impl Acquire, size: usize) -> Result<Chunks<R>> {
        Chunks::start(self, from, size)
    }
}

/// Reads a row.
pub(super) fn read_row<R>(row: &dyn RowRef, read: &Read<R>) -> Result<R> {
    match (read.fields(), row.fields()) {
        (Some(read), Some(fields)) => read(fields),
        _ => read.cells(&mut |index| row.cell(index)),
    }
}
