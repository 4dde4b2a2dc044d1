//! Values that depend on conditions.

use super::expr::{Condition, Expr};
use super::node::Node;
use super::projection::Selectable;
use crate::mapping::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

/// A value that depends on conditions (`CASE WHEN`): `value` where `condition` holds.
///
/// ```
/// use rowmill::{Entity, Find, value, when};
/// #[derive(Entity)]
/// struct Runway {
///     #[entity(key)]
///     id: i64,
///     length_ft: i32,
/// }
/// let class = when(Runway::length_ft.gt(9_000), value("long"))
///     .when(Runway::length_ft.gt(5_000), value("medium"))
///     .otherwise(value("short"));
/// let classes = Runway::query().select((Runway::id, class));
/// # let _ = classes;
/// ```
pub fn when<C: Condition, V, Index>(condition: C, value: V) -> Case<C::Scope, V::Value>
where
    V: Selectable<C::Scope, Index>,
{
    Case { branches: Vec::new(), marker: PhantomData }.when(condition, value)
}

/// A value that depends on conditions, in the making: what [`when`] begins.
#[must_use = "it becomes an expression by .otherwise(..) or .or_null()"]
pub struct Case<S, T> {
    branches: Vec<(Node, Node)>,
    marker: PhantomData<fn() -> (S, T)>,
}

impl<S, T: Cell> Case<S, T> {
    /// `value` where `condition` holds, and none before it did.
    pub fn when<C, V, Index>(mut self, condition: C, value: V) -> Self
    where
        C: Condition<Scope = S>,
        V: Selectable<S, Index, Value = T>,
    {
        self.branches.push((condition.condition().node, value.piece().0));
        self
    }

    /// `value` where no condition holds.
    pub fn otherwise<V, Index>(self, value: V) -> Expr<S, T>
    where
        V: Selectable<S, Index, Value = T>,
    {
        Expr::new(Node::Case(self.branches, Some(Box::new(value.piece().0))))
    }

    /// NULL where no condition holds.
    pub fn or_null(self) -> Expr<S, Option<T>> {
        Expr::new(Node::Case(self.branches, None))
    }
}

impl<S, T> fmt::Debug for Case<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.branches).finish()
    }
}
