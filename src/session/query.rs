//! Queries whose rows become objects of a session.

use super::tracked::Tracked;
use super::unit_of_work::Session;
use crate::error::Result;
use crate::mapping::key::Keyed;
use crate::query::{Condition, Query, Sortable, Within};
use std::fmt;

/// A query for entities that a session looks after: what [`Session::query`] makes.
///
/// A row that is an object of the session already is that object, as it is: what was edited of it
/// and not flushed stays.
#[must_use = "nothing is read until its rows are asked for"]
pub struct SessionQuery<'s, E> {
    session: &'s Session,
    query: Query<E>,
}

impl Session {
    /// A query for the rows of `E`, which become objects of this session.
    ///
    /// ```
    /// use rowmill::prelude::*;
    ///
    /// #[derive(Entity)]
    /// #[entity(table = "runways")]
    /// struct Runway {
    ///     #[entity(key)]
    ///     id: i64,
    ///     length_ft: Option<i32>,
    /// }
    ///
    /// let engine = Engine::open("sqlite::memory:")?;
    /// engine.run("create table runways (id integer primary key, length_ft integer)")?;
    /// let mut session = engine.session()?;
    /// session.add(Runway { id: 7, length_ft: Some(9_000) });
    /// let long = session.query::<Runway>().filter(Runway::length_ft.gt(3_000)).all()?;
    /// long[0].edit().length_ft = Some(9_200);
    /// session.commit()?;
    /// assert_eq!(Runway::get(&engine, 7)?.unwrap().length_ft, Some(9_200));
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    pub fn query<E: Keyed>(&self) -> SessionQuery<'_, E> {
        SessionQuery { session: self, query: Query::new() }
    }
}

impl<E: Keyed> SessionQuery<'_, E> {
    /// Only rows for which `condition` holds, too.
    pub fn filter<C: Condition, Index>(mut self, condition: C) -> Self
    where
        C::Scope: Within<E, Index>,
    {
        self.query = self.query.filter(condition);
        self
    }

    /// Ordered by `order`, where all that came before are equal.
    pub fn order_by<O: Sortable<E, Index>, Index>(mut self, order: O) -> Self {
        self.query = self.query.order_by(order);
        self
    }

    /// At most `rows` rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.query = self.query.limit(rows);
        self
    }

    /// Without the first `rows` rows.
    pub fn offset(mut self, rows: u64) -> Self {
        self.query = self.query.offset(rows);
        self
    }

    /// Locks the rows until the transaction of the session ends, for changing them.
    pub fn for_update(mut self) -> Self {
        self.query = self.query.for_update();
        self
    }

    /// Locks the rows, and passes over those that somebody else has locked.
    pub fn skip_locked(mut self) -> Self {
        self.query = self.query.skip_locked();
        self
    }

    /// The query itself: for projections, joins and groups, which are no objects. It is run in the
    /// session by `all(&session)`.
    pub fn into_query(self) -> Query<E> {
        self.query
    }

    /// All rows.
    ///
    /// # Errors
    /// As [`Query::all`] and [`Session::flush`].
    #[track_caller]
    pub fn all(self) -> Result<Vec<Tracked<E>>> {
        let rows = self.query.all(self.session)?;
        rows.into_iter().map(|row| self.session.track(row)).collect()
    }

    /// The first row; `None` if there is none.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    #[track_caller]
    pub fn first(self) -> Result<Option<Tracked<E>>> {
        self.query.first(self.session)?.map(|row| self.session.track(row)).transpose()
    }

    /// The only row.
    ///
    /// # Errors
    /// `NotFound` if there is none, `NotUnique` if there are several; as [`all`](Self::all).
    #[track_caller]
    pub fn one(self) -> Result<Tracked<E>> {
        self.session.track(self.query.one(self.session)?)
    }

    /// The only row; `None` if there is none.
    ///
    /// # Errors
    /// `NotUnique` if there are several; as [`all`](Self::all).
    #[track_caller]
    pub fn one_or_none(self) -> Result<Option<Tracked<E>>> {
        self.query.one_or_none(self.session)?.map(|row| self.session.track(row)).transpose()
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    #[track_caller]
    pub fn count(self) -> Result<u64> {
        self.query.count(self.session)
    }

    /// Whether there is a row.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    #[track_caller]
    pub fn exists(self) -> Result<bool> {
        self.query.exists(self.session)
    }
}

impl<E> fmt::Debug for SessionQuery<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionQuery").field("query", &self.query).finish_non_exhaustive()
    }
}
