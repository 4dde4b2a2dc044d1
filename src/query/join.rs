//! Joins: along foreign keys, and by conditions.

use super::expr::{Condition, Expr};
use super::node::Node;
use super::query::Query;
use super::related::same;
use super::scope::{Part, Scope, Source, With, Within};
use super::select::Join;
use crate::mapping::cell::Cell;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use crate::mapping::key::Keyed;
use std::fmt;
use std::marker::PhantomData;

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

    /// Joins the entity `P` by a condition: `.join_with::<Navaid>().on(..)`.
    ///
    /// ```
    /// use rowmill::{Entity, Find, equal};
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
    /// let pairs =
    ///     Airport::query().join_with::<Navaid>().on(equal(Airport::ident, Navaid::airport));
    /// # let _ = pairs;
    /// ```
    pub fn join_with<P: Entity>(self) -> Joining<S, P>
    where
        S: With<P>,
    {
        Joining { query: self, optional: false, marker: PhantomData }
    }

    /// As [`join_with`](Self::join_with), but what has no match is there, with `None`.
    pub fn left_join_with<P: Entity>(self) -> Joining<S, Option<P>>
    where
        S: With<Option<P>>,
    {
        Joining { query: self, optional: true, marker: PhantomData }
    }

    fn joined<O: Scope>(mut self, source: Source, optional: bool, on: Node) -> Query<O> {
        self.select.joins.push(Join { source, optional, on });
        Query::of(self.select, |cells| O::read(cells))
    }
}

/// A join that has no condition yet.
#[must_use = "a join needs a condition: .on(..)"]
pub struct Joining<S, P> {
    query: Query<S>,
    optional: bool,
    marker: PhantomData<fn() -> P>,
}

impl<S: With<P>, P: Part> Joining<S, P> {
    /// Joins the rows for which `condition` holds.
    #[must_use]
    pub fn on<C: Condition, Index>(self, condition: C) -> Query<S::Out>
    where
        C::Scope: Within<S::Out, Index>,
    {
        let source = Source::of::<P::Entity>();
        self.query.joined(source, self.optional, condition.condition().node)
    }
}

impl<S, P> fmt::Debug for Joining<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Joining").field(&self.query).finish()
    }
}

/// The condition that a column of one entity is equal to a column of another, for
/// [`join_with`](Query::join_with).
pub fn equal<A, T, R, B, U, Q>(left: Field<A, T, R>, right: Field<B, U, Q>) -> Expr<(A, B), bool>
where
    A: Entity,
    B: Entity,
    T: Cell,
    U: Cell,
{
    Expr::new(Node::infix(Expr::from(left).node, "=", Expr::from(right).node))
}
