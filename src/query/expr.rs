//! Expressions whose type and scope the compiler knows.

use super::node::{Node, Piece};
use super::scope::{Within, short_name};
use super::value::Value;
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;

/// An expression over the columns of the scope `S` (an entity, or a tuple of them) whose value is
/// a `T`.
///
/// Conditions are expressions of `bool`; [`and`](Self::and), [`or`](Self::or) and `!` combine them,
/// and so do `&` and `|`.
///
/// ```
/// use rowmill::{Entity, Expr};
/// #[derive(Entity)]
/// struct Runway {
///     #[entity(key)]
///     id: i64,
///     length_ft: Option<i32>,
///     surface: Option<String>,
/// }
/// let long: Expr<Runway, bool> = Runway::length_ft.gt(3_000);
/// let odd = long.and(Runway::surface.is_null().or(Runway::surface.starts_with("GRVL")));
/// # let _ = !odd;
/// ```
pub struct Expr<S, T> {
    pub(crate) node: Node,
    column_type: Option<ColumnType>,
    marker: PhantomData<fn() -> (S, T)>,
}

impl<S, T> Expr<S, T> {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, column_type: None, marker: PhantomData }
    }

    /// The same expression, in a larger scope.
    pub fn lift<L, Index>(self) -> Expr<L, T>
    where
        S: Within<L, Index>,
    {
        Expr { node: self.node, column_type: self.column_type, marker: PhantomData }
    }
}

impl<S, T: Cell> Expr<S, T> {
    /// The type as which values are packed that are compared with it.
    pub(crate) fn column_type(&self) -> ColumnType {
        self.column_type.clone().unwrap_or_else(T::column_type)
    }

    /// The same expression, cast to the type that columns of `U` have.
    pub fn cast<U: Cell>(self) -> Expr<S, U> {
        Expr::new(Node::Cast(Box::new(self.node), U::column_type()))
    }

    /// The same expression, as the value of another type.
    pub(super) fn retyped<U>(self) -> Expr<S, U> {
        Expr { node: self.node, column_type: self.column_type, marker: PhantomData }
    }
}

impl<S, T: Cell> Expr<S, Option<Option<T>>> {
    /// The same expression: what may be NULL for two reasons is NULL for one.
    ///
    /// ```
    /// # use rowmill::{Entity, Expr};
    /// # #[derive(Entity)]
    /// # struct Runway { #[entity(key)] id: i64, length_ft: Option<i32> }
    /// let longest: Expr<Runway, Option<i32>> = Runway::length_ft.max().flatten();
    /// # let _ = longest;
    /// ```
    pub fn flatten(self) -> Expr<S, Option<T>> {
        self.retyped()
    }
}

impl<S> Expr<S, bool> {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: impl Condition<Scope = S>) -> Self {
        Self::new(Node::infix(self.node, "AND", other.condition().node))
    }

    /// One of them holds, or both.
    #[must_use]
    pub fn or(self, other: impl Condition<Scope = S>) -> Self {
        Self::new(Node::infix(self.node, "OR", other.condition().node))
    }

    /// All of `conditions` hold; also where there are none.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        let all = conditions.into_iter().reduce(Self::and);
        all.unwrap_or_else(|| Self::new(Node::raw("(1 = 1)")))
    }

    /// One of `conditions` holds; never where there are none.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        let any = conditions.into_iter().reduce(Self::or);
        any.unwrap_or_else(|| Self::new(Node::raw("(1 = 0)")))
    }
}

impl<S> std::ops::Not for Expr<S, bool> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(Node::Prefix("NOT", Box::new(self.node)))
    }
}

impl<S, C: Condition<Scope = S>> std::ops::BitAnd<C> for Expr<S, bool> {
    type Output = Self;

    fn bitand(self, other: C) -> Self {
        self.and(other)
    }
}

impl<S, C: Condition<Scope = S>> std::ops::BitOr<C> for Expr<S, bool> {
    type Output = Self;

    fn bitor(self, other: C) -> Self {
        self.or(other)
    }
}

impl<E: Entity, T: Cell, R> From<Field<E, T, R>> for Expr<E, T> {
    fn from(field: Field<E, T, R>) -> Self {
        let node =
            Node::Column { entity: TypeId::of::<E>(), of: short_name::<E>(), name: field.name() };
        match field.column_type() {
            Ok(column_type) => Self { node, column_type: Some(column_type), marker: PhantomData },
            Err(error) => Self::new(Node::fault(error)),
        }
    }
}

impl<S, T> Clone for Expr<S, T> {
    fn clone(&self) -> Self {
        Self { node: self.node.clone(), column_type: self.column_type.clone(), marker: PhantomData }
    }
}

impl<S, T> fmt::Debug for Expr<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expr").field(&self.node).finish()
    }
}

/// What an expression of `T` over `S` can be compared with: a value, a column, an expression. What
/// may be NULL is compared with values of the type within the `Option`, too.
#[diagnostic::on_unimplemented(
    message = "a `{T}` cannot be compared with this",
    label = "expected a `{T}`, or an expression of that type over `{S}`"
)]
pub trait Operand<S, T> {
    /// It as a part of a statement; a value is packed as `column_type`.
    #[doc(hidden)]
    fn operand(self, column_type: &ColumnType) -> Piece;
}

fn packed(value: Result<Value>) -> Piece {
    Piece(value.map_or_else(Node::fault, Node::Value))
}

impl<S, T: Cell> Operand<S, T> for T {
    fn operand(self, column_type: &ColumnType) -> Piece {
        packed(Value::of(&self, column_type))
    }
}

impl<S, T: Cell> Operand<S, Option<T>> for T {
    fn operand(self, column_type: &ColumnType) -> Piece {
        packed(Value::of(&self, column_type))
    }
}

macro_rules! borrowed_operand {
    ($borrowed:ty, $owned:ty) => {
        impl<S> Operand<S, $owned> for $borrowed {
            fn operand(self, column_type: &ColumnType) -> Piece {
                packed(Value::of(&<$owned>::from(self), column_type))
            }
        }

        impl<S> Operand<S, Option<$owned>> for $borrowed {
            fn operand(self, column_type: &ColumnType) -> Piece {
                packed(Value::of(&<$owned>::from(self), column_type))
            }
        }
    };
}

borrowed_operand!(&str, String);
borrowed_operand!(&String, String);
borrowed_operand!(&[u8], Vec<u8>);

impl<S, T> Operand<S, T> for Expr<S, T> {
    fn operand(self, _: &ColumnType) -> Piece {
        Piece(self.node)
    }
}

impl<S, T> Operand<S, Option<T>> for Expr<S, T> {
    fn operand(self, _: &ColumnType) -> Piece {
        Piece(self.node)
    }
}

impl<S, T> Operand<S, T> for Expr<S, Option<T>> {
    fn operand(self, _: &ColumnType) -> Piece {
        Piece(self.node)
    }
}

impl<E: Entity, T: Cell, R> Operand<E, T> for Field<E, T, R> {
    fn operand(self, _: &ColumnType) -> Piece {
        Piece(Expr::from(self).node)
    }
}

impl<E: Entity, T: Cell, R> Operand<E, Option<T>> for Field<E, T, R> {
    fn operand(self, _: &ColumnType) -> Piece {
        Piece(Expr::from(self).node)
    }
}

impl<E: Entity, T: Cell, R> Operand<E, T> for Field<E, Option<T>, R> {
    fn operand(self, _: &ColumnType) -> Piece {
        Piece(Expr::from(self).node)
    }
}

/// What is true or false for a row: an expression of `bool`, or a column.
#[diagnostic::on_unimplemented(
    message = "this is no condition",
    label = "expected an expression of `bool`, or a column of `bool`"
)]
pub trait Condition {
    /// The scope over which it is.
    type Scope;

    /// It as an expression.
    fn condition(self) -> Expr<Self::Scope, bool>;
}

impl<S> Condition for Expr<S, bool> {
    type Scope = S;

    fn condition(self) -> Self {
        self
    }
}

impl<E: Entity, R> Condition for Field<E, bool, R> {
    type Scope = E;

    fn condition(self) -> Expr<E, bool> {
        self.into()
    }
}

/// Both conditions hold, which may be over different entities: in a query that joins them.
pub fn both<A, B>(left: Expr<A, bool>, right: Expr<B, bool>) -> Expr<(A, B), bool> {
    Expr::new(Node::infix(left.node, "AND", right.node))
}

/// One of the conditions holds, or both, which may be over different entities: in a query that
/// joins them.
pub fn either<A, B>(left: Expr<A, bool>, right: Expr<B, bool>) -> Expr<(A, B), bool> {
    Expr::new(Node::infix(left.node, "OR", right.node))
}
