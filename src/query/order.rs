//! In which order rows come.

use super::expr::Expr;
use super::node::Node;
use super::scope::Within;
use crate::mapping::cell::Cell;
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use std::fmt;
use std::marker::PhantomData;

/// An expression by which rows are ordered; NULL counts as larger than everything, on every
/// database.
pub struct OrderBy<S> {
    pub(crate) by: Sort,
    marker: PhantomData<fn() -> S>,
}

/// It, without the types of Rust.
#[derive(Clone, Debug)]
pub(crate) struct Sort {
    pub(crate) node: Node,
    pub(crate) descending: bool,
    /// Where NULL comes; `None` where there is none.
    pub(crate) nulls_first: Option<bool>,
    /// The type of its values, where it is known.
    pub(crate) column_type: Option<ColumnType>,
}

impl<S> OrderBy<S> {
    pub(super) fn new(
        node: Node,
        column_type: ColumnType,
        descending: bool,
        nullable: bool,
    ) -> Self {
        let nulls_first = nullable.then_some(descending);
        let by = Sort { node, descending, nulls_first, column_type: Some(column_type) };
        Self { by, marker: PhantomData }
    }

    /// Has NULL come first.
    #[must_use]
    pub fn nulls_first(mut self) -> Self {
        self.by.nulls_first = Some(true);
        self
    }

    /// Has NULL come last.
    #[must_use]
    pub fn nulls_last(mut self) -> Self {
        self.by.nulls_first = Some(false);
        self
    }

    /// The same order, in a larger scope.
    pub fn lift<L, Index>(self) -> OrderBy<L>
    where
        S: Within<L, Index>,
    {
        OrderBy { by: self.by, marker: PhantomData }
    }
}

impl<S> Clone for OrderBy<S> {
    fn clone(&self) -> Self {
        Self { by: self.by.clone(), marker: PhantomData }
    }
}

impl<S> fmt::Debug for OrderBy<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OrderBy").field(&self.by).finish()
    }
}

/// What the rows of a query over `S` can be ordered by: a column, an expression, either of them
/// with a direction ([`OrderBy`]), a list of these made at run time, or a tuple of up to six.
#[diagnostic::on_unimplemented(
    message = "the rows of this query cannot be ordered by this",
    note = "an order is a column, an expression, `.asc()` or `.desc()` of one, or a tuple of them"
)]
pub trait Sortable<S, Index> {
    /// It, without the types of Rust.
    #[doc(hidden)]
    fn sorts(self) -> Sorts;
}

/// Orders, of which nothing is shown.
#[derive(Debug)]
pub struct Sorts(pub(crate) Vec<Sort>);

impl<S, Q: Within<S, Index>, Index> Sortable<S, Index> for OrderBy<Q> {
    fn sorts(self) -> Sorts {
        Sorts(vec![self.by])
    }
}

impl<S, Q: Within<S, Index>, Index> Sortable<S, Index> for Vec<OrderBy<Q>> {
    fn sorts(self) -> Sorts {
        Sorts(self.into_iter().map(|order| order.by).collect())
    }
}

impl<S, Q: Within<S, Index>, T: Cell, Index> Sortable<S, Index> for Expr<Q, T> {
    fn sorts(self) -> Sorts {
        Sorts(vec![self.asc().by])
    }
}

impl<S, E: Entity + Within<S, Index>, T: Cell, R, Index> Sortable<S, Index> for Field<E, T, R> {
    fn sorts(self) -> Sorts {
        Sorts(vec![self.asc().by])
    }
}

macro_rules! tuple_order {
    ($($place:tt $name:ident $index:ident),+) => {
        impl<S, $($name: Sortable<S, $index>, $index),+> Sortable<S, ($($index,)+)>
            for ($($name,)+)
        {
            fn sorts(self) -> Sorts {
                let mut sorts = Vec::new();
                $(sorts.extend(self.$place.sorts().0);)+
                Sorts(sorts)
            }
        }
    };
}

tuple_order!(0 A IA, 1 B IB);
tuple_order!(0 A IA, 1 B IB, 2 C IC);
tuple_order!(0 A IA, 1 B IB, 2 C IC, 3 D ID);
tuple_order!(0 A IA, 1 B IB, 2 C IC, 3 D ID, 4 F IF);
tuple_order!(0 A IA, 1 B IB, 2 C IC, 3 D ID, 4 F IF, 5 G IG);
