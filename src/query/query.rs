//! A query, made step by step.

use super::expr::Condition;
use super::node::Node;
use super::order::Sortable;
use super::projection::Projection;
use super::render::{self, Statement};
use super::scope::{Cells, Source, Within};
use super::select::{Busy, Columns, Distinct, Lock, Select, With};
use super::text::Sql;
use crate::error::Result;
use crate::mapping::entity::Entity;
use crate::mapping::typed_fields::TypedFields;
use crate::sql::dialect::Dialect;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A query over the scope `S` (an entity, or a tuple of those that are joined) whose rows become
/// an `R`.
///
/// It is text in the making: nothing happens until it is run. It can be kept, cloned and run on
/// several engines.
///
/// ```
/// use rowmill::{Entity, Find};
/// #[derive(Entity)]
/// struct Runway {
///     #[entity(key)]
///     id: i64,
///     length_ft: Option<i32>,
/// }
/// let long = Runway::query()
///     .filter(Runway::length_ft.gt(3_000))
///     .order_by(Runway::id.asc())
///     .limit(10);
/// # let _ = long;
/// ```
pub struct Query<S, R = S> {
    pub(crate) select: Select,
    pub(crate) read: Read<R>,
    marker: PhantomData<fn() -> S>,
}

/// What makes an `R` of the cells of a row.
pub(crate) struct Read<R> {
    cells: Arc<dyn for<'c, 'a> Fn(Cells<'c, 'a>) -> Result<R> + Send + Sync>,
    /// The same for cells that are packed one behind the other, where that is faster.
    fields: Option<fn(TypedFields<'_>) -> Result<R>>,
}

impl<R> Read<R> {
    /// Reads a row by its cells.
    pub(crate) fn cells(&self, cells: Cells<'_, '_>) -> Result<R> {
        (self.cells)(cells)
    }

    /// Reads a row whose cells are packed one behind the other, where that is faster.
    pub(crate) fn fields(&self) -> Option<fn(TypedFields<'_>) -> Result<R>> {
        self.fields
    }
}

impl<R> Clone for Read<R> {
    fn clone(&self) -> Self {
        Self { cells: Arc::clone(&self.cells), fields: self.fields }
    }
}

/// Entities that are looked for; every entity has this method.
pub trait Find: Entity {
    /// A query for all of its rows, to be narrowed down: `Runway::query().filter(..)`.
    fn query() -> Query<Self> {
        Query::new()
    }
}

impl<E: Entity> Find for E {}

impl<E: Entity> Query<E> {
    /// All rows of the entity; the same as [`Find::query`].
    pub fn new() -> Self {
        let mut query = Self::of(Select::from(Source::of::<E>()), |cells| E::unpack(cells));
        query.read.fields = Some(E::unpack_fields);
        query
    }
}

impl<E: Entity> Default for Query<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, R> Query<S, R> {
    pub(super) fn of(
        select: Select,
        read: impl for<'c, 'a> Fn(Cells<'c, 'a>) -> Result<R> + Send + Sync + 'static,
    ) -> Self {
        let read = Read { cells: Arc::new(read), fields: None };
        Self { select, read, marker: PhantomData }
    }

    /// Only rows for which `condition` holds, too.
    #[must_use]
    pub fn filter<C: Condition, Index>(mut self, condition: C) -> Self
    where
        C::Scope: Within<S, Index>,
    {
        self.select.filter = Some(Node::and(self.select.filter, condition.condition().node));
        self
    }

    /// Ordered by `order`, where all that came before are equal: a column or an expression, from the
    /// smallest to the largest unless it says [`desc`](super::Expr::desc), or several of them.
    ///
    /// ```
    /// # use rowmill::{Entity, Find};
    /// # #[derive(Entity)]
    /// # struct Runway { #[entity(key)] id: i64, surface: String, length_ft: Option<i32> }
    /// let by_length = Runway::query().order_by((Runway::surface, Runway::length_ft.desc()));
    /// # let _ = by_length;
    /// ```
    #[must_use]
    pub fn order_by<O, Index>(mut self, order: O) -> Self
    where
        O: Sortable<S, Index>,
    {
        self.select.order_by.extend(order.sorts().0);
        self
    }

    /// At most `rows` rows.
    #[must_use]
    pub fn limit(mut self, rows: u64) -> Self {
        self.select.limit = Some(rows);
        self
    }

    /// Without the first `rows` rows. The database makes them all the same: to read page after
    /// page, see `page`.
    #[must_use]
    pub fn offset(mut self, rows: u64) -> Self {
        self.select.offset = Some(rows);
        self
    }

    /// Equal rows once.
    #[must_use]
    pub fn distinct(mut self) -> Self {
        self.select.distinct = Distinct::Rows;
        self
    }

    /// Of the rows in which `by` is equal, the first, as `order_by` says, which must begin with the
    /// same. PostgreSQL alone has it.
    #[must_use]
    pub fn distinct_on<P, Index>(mut self, by: P) -> Self
    where
        P: Projection<S, Index>,
    {
        self.select.distinct = Distinct::On(nodes(by));
        self
    }

    /// One row for each group of rows in which `by` is equal.
    #[must_use]
    pub fn group_by<P, Index>(mut self, by: P) -> Self
    where
        P: Projection<S, Index>,
    {
        self.select.group_by.extend(nodes(by));
        self
    }

    /// Only groups for which `condition` holds, too.
    #[must_use]
    pub fn having<C: Condition, Index>(mut self, condition: C) -> Self
    where
        C::Scope: Within<S, Index>,
    {
        self.select.having = Some(Node::and(self.select.having, condition.condition().node));
        self
    }

    /// Hands out `projection` instead of whole entities.
    #[must_use]
    pub fn select<P, Index>(mut self, projection: P) -> Query<S, P::Row>
    where
        P: Projection<S, Index>,
    {
        self.select.columns = Columns::Of(nodes(projection));
        Query::of(self.select, |cells| P::read(cells))
    }

    /// Makes something else of each row: a struct of a tuple.
    ///
    /// ```
    /// # use rowmill::{Entity, Find, count_all};
    /// # #[derive(Entity)]
    /// # struct Runway { #[entity(key)] id: i64, surface: String }
    /// struct Share { surface: String, runways: i64 }
    /// let shares = Runway::query()
    ///     .group_by(Runway::surface)
    ///     .select((Runway::surface, count_all::<Runway>()))
    ///     .map(|(surface, runways)| Share { surface, runways });
    /// # let _ = shares;
    /// ```
    #[must_use]
    pub fn map<U>(self, make: impl Fn(R) -> U + Send + Sync + 'static) -> Query<S, U>
    where
        R: 'static,
    {
        let read = self.read;
        Query::of(self.select, move |cells| read.cells(cells).map(&make))
    }

    /// Locks the rows until the transaction ends, for changing them. Where whoever writes has the
    /// whole database, nothing is needed and nothing is done.
    #[must_use]
    pub fn for_update(mut self) -> Self {
        self.select.lock = Some(Lock { share: false, busy: Busy::Wait });
        self
    }

    /// Locks the rows until the transaction ends, so that nobody changes them.
    #[must_use]
    pub fn for_share(mut self) -> Self {
        self.select.lock = Some(Lock { share: true, busy: Busy::Wait });
        self
    }

    /// Locks the rows (as [`for_update`](Self::for_update) unless another lock is asked for), and
    /// passes over those that somebody else has locked.
    #[must_use]
    pub fn skip_locked(mut self) -> Self {
        self.locked().busy = Busy::Skip;
        self
    }

    /// Locks the rows (as [`for_update`](Self::for_update) unless another lock is asked for), and
    /// fails where somebody else has locked one.
    #[must_use]
    pub fn no_wait(mut self) -> Self {
        self.locked().busy = Busy::Fail;
        self
    }

    fn locked(&mut self) -> &mut Lock {
        self.select.lock.get_or_insert(Lock { share: false, busy: Busy::Wait })
    }

    /// Puts `WITH name AS (sql)` before the query, for [fragments](super::fragment) and entities that
    /// read from it: an entity whose table is called `name`. `sql` is a text, or an [`Sql`] with
    /// named values.
    ///
    /// ```
    /// # use rowmill::{Entity, Find, Sql};
    /// #[derive(Entity)]
    /// #[entity(table = "long_runways")]
    /// struct LongRunway {
    ///     id: i64,
    ///     metres: f64,
    /// }
    /// let sql = "select id, length_ft * 0.3048 as metres from runways where length_ft > :least";
    /// let query = LongRunway::query()
    ///     .with("long_runways", Sql::new(sql).bind("least", 9_000))
    ///     .filter(LongRunway::metres.lt(4_000.0));
    /// # let _ = query;
    /// ```
    #[must_use]
    pub fn with(mut self, name: &'static str, sql: impl Into<Sql>) -> Self {
        self.select.with.push(With { name, sql: sql.into() });
        self
    }

    /// As [`with`](Self::with); `sql` may read from itself.
    #[must_use]
    pub fn with_recursive(mut self, name: &'static str, sql: impl Into<Sql>) -> Self {
        self.select.recursive = true;
        self.with(name, sql)
    }
}

impl<S, R> Query<S, R> {
    /// The text and the values with which it is run on a database that speaks `dialect`.
    ///
    /// # Errors
    /// `Unsupported` if such a database cannot do it; `Config` if it names a column of an entity
    /// that it does not read; `Encode` if a value is none of its column.
    pub fn statement(&self, dialect: Dialect) -> Result<Statement> {
        render::select(&self.select, dialect)
    }
}

pub(super) fn nodes<S, Index>(projection: impl Projection<S, Index>) -> Vec<Node> {
    projection.pieces().into_iter().map(|piece| piece.0).collect()
}

impl<S, R> Clone for Query<S, R> {
    fn clone(&self) -> Self {
        Self { select: self.select.clone(), read: self.read.clone(), marker: PhantomData }
    }
}

impl<S, R> fmt::Debug for Query<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Query").field(&self.select).finish()
    }
}
