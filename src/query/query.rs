//! A query, made step by step.

use super::expr::{Condition, Expr};
use super::node::Node;
use super::order::OrderBy;
use super::projection::Projection;
use super::render::{self, Statement};
use super::scope::{Cells, Part, Scope, Source, With, Within};
use super::select::{Busy, Columns, Distinct, Join, Lock, Select};
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use crate::mapping::key::Keyed;
use crate::sql::dialect::Dialect;
use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;

/// A query over the scope `S` (an entity, or a tuple of those that are joined) whose rows become
/// an `R`.
///
/// It is text in the making: nothing happens until it is run. It can be kept, cloned and run on
/// several engines.
///
/// ```
/// use rowmill::{Entity, Query};
/// #[derive(Entity)]
/// struct Runway {
///     #[entity(key)]
///     id: i64,
///     length_ft: Option<i32>,
/// }
/// let long = Query::<Runway>::new()
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
pub(crate) type Read<R> = for<'c, 'a> fn(Cells<'c, 'a>) -> Result<R>;

impl<E: Entity> Query<E> {
    /// All rows of the entity.
    pub fn new() -> Self {
        Self::of(Select::from(Source::of::<E>()), E::unpack)
    }
}

impl<E: Entity> Default for Query<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, R> Query<S, R> {
    fn of(select: Select, read: Read<R>) -> Self {
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

    /// Ordered by `order`, where all that came before are equal.
    #[must_use]
    pub fn order_by<Q, Index>(mut self, order: OrderBy<Q>) -> Self
    where
        Q: Within<S, Index>,
    {
        self.select.order_by.push(order.by);
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
        Query::of(self.select, P::read)
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

    /// Puts `WITH name AS (sql)` before the query; a [`fragment`](super::fragment) can read from
    /// it.
    #[must_use]
    pub fn with(mut self, name: &'static str, sql: &'static str) -> Self {
        self.select.with.push((name, sql));
        self
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

impl<S: Scope> Query<S> {
    /// Joins the entity that the foreign key `key` of what is read refers to; rows without it are
    /// left out.
    #[must_use]
    pub fn join<C, T, P, Index>(self, key: Field<C, T, P>) -> Query<S::Out>
    where
        C: Entity + Within<S, Index>,
        T: Cell,
        P: Keyed,
        S: With<P>,
    {
        self.joined(Source::of::<P>(), false, same::<C, T, P>(key))
    }

    /// As [`join`](Self::join), but rows without it are there, with `None`.
    #[must_use]
    pub fn left_join<C, T, P, Index>(
        self,
        key: Field<C, T, P>,
    ) -> Query<<S as With<Option<P>>>::Out>
    where
        C: Entity + Within<S, Index>,
        T: Cell,
        P: Keyed,
        S: With<Option<P>>,
    {
        self.joined(Source::of::<P>(), true, same::<C, T, P>(key))
    }

    /// Joins the entities whose foreign key `key` refers to one that is read: one row for each of
    /// them.
    #[must_use]
    pub fn join_children<C, T, P, Index>(self, key: Field<C, T, P>) -> Query<S::Out>
    where
        P: Keyed + Within<S, Index>,
        T: Cell,
        C: Entity,
        S: With<C>,
    {
        self.joined(Source::of::<C>(), false, same::<C, T, P>(key))
    }

    /// As [`join_children`](Self::join_children), but what has none is there once, with `None`.
    #[must_use]
    pub fn left_join_children<C, T, P, Index>(
        self,
        key: Field<C, T, P>,
    ) -> Query<<S as With<Option<C>>>::Out>
    where
        P: Keyed + Within<S, Index>,
        T: Cell,
        C: Entity,
        S: With<Option<C>>,
    {
        self.joined(Source::of::<C>(), true, same::<C, T, P>(key))
    }

    /// Joins the rows of the entity `P` for which `condition` holds.
    #[must_use]
    pub fn join_on<P, C: Condition, Index>(self, condition: C) -> Query<S::Out>
    where
        P: Part + Entity,
        S: With<P>,
        C::Scope: Within<S::Out, Index>,
    {
        self.joined(Source::of::<P>(), false, condition.condition().node)
    }

    fn joined<O: Scope>(mut self, source: Source, optional: bool, on: Node) -> Query<O> {
        self.select.joins.push(Join { source, optional, on });
        Query::of(self.select, O::read)
    }
}

/// The condition that a foreign key refers to a row.
fn same<C: Entity, T: Cell, P: Keyed>(key: Field<C, T, P>) -> Node {
    let Some(&name) = P::key().first() else {
        return Node::fault(crate::mapping::derived::no_column(0));
    };
    let referred =
        Node::Column { entity: TypeId::of::<P>(), of: super::scope::short_name::<P>(), name };
    Node::infix(Expr::from(key).node, "=", referred)
}

/// The condition that a column of one entity is equal to a column of another.
///
/// ```
/// use rowmill::{Entity, Query, equal};
/// #[derive(Entity)]
/// struct Airport {
///     #[entity(key)]
///     ident: String,
/// }
/// #[derive(Entity)]
/// struct Navaid {
///     #[entity(key)]
///     id: i64,
///     airport: Option<String>,
/// }
/// let pairs = Query::<Airport>::new().join_on::<Navaid, _, _>(equal(Airport::ident, Navaid::airport));
/// # let _ = pairs;
/// ```
pub fn equal<A, T, R, B, U, Q>(left: Field<A, T, R>, right: Field<B, U, Q>) -> Expr<(A, B), bool>
where
    A: Entity,
    B: Entity,
    T: Cell,
    U: Cell,
{
    Expr::new(Node::infix(Expr::from(left).node, "=", Expr::from(right).node))
}

/// Whether there is a row whose foreign key `key` refers to the one that is read, and which
/// `matching` lets through.
///
/// ```
/// use rowmill::{Entity, Query, has};
/// #[derive(Entity)]
/// struct Artist {
///     #[entity(key)]
///     id: i64,
/// }
/// #[derive(Entity)]
/// struct Album {
///     #[entity(key)]
///     id: i64,
///     #[entity(references = Artist)]
///     artist_id: i64,
///     title: String,
/// }
/// let with_a_blue_one = Query::<Artist>::new()
///     .filter(has(Album::artist_id, |albums| albums.filter(Album::title.contains("Blue"))));
/// let without_any = Query::<Artist>::new().filter(!has(Album::artist_id, |albums| albums));
/// # let _ = (with_a_blue_one, without_any);
/// ```
pub fn has<C: Entity, T: Cell, P: Keyed>(
    key: Field<C, T, P>,
    matching: impl FnOnce(Query<C>) -> Query<C>,
) -> Expr<P, bool> {
    let mut select = matching(Query::new()).select;
    select.filter = Some(Node::and(select.filter, same(key)));
    select.columns = Columns::Of(vec![Node::Raw("1", Vec::new())]);
    Expr::new(Node::Exists { select: Box::new(select), negated: false })
}

pub(super) fn nodes<S, Index>(projection: impl Projection<S, Index>) -> Vec<Node> {
    projection.pieces().into_iter().map(|piece| piece.0).collect()
}

impl<S, R> Clone for Query<S, R> {
    fn clone(&self) -> Self {
        Self { select: self.select.clone(), read: self.read, marker: PhantomData }
    }
}

impl<S, R> fmt::Debug for Query<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Query").field(&self.select).finish()
    }
}
