//! Values of many rows together, and fragments of SQL.

use super::compare::{Number, methods};
use super::expr::Expr;
use super::node::Node;
use super::projection::Projection;
use crate::mapping::cell::Cell;
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use std::fmt;

/// A number that can be summed up.
pub trait Summable: Number {
    /// What a sum is: wide enough, or the statement fails.
    type Sum: Cell;
}

impl Summable for i16 {
    type Sum = i64;
}

impl Summable for i32 {
    type Sum = i64;
}

impl Summable for i64 {
    type Sum = i64;
}

impl Summable for f32 {
    type Sum = f64;
}

impl Summable for f64 {
    type Sum = f64;
}

#[cfg(feature = "rust_decimal")]
impl Summable for rust_decimal::Decimal {
    type Sum = Self;
}

impl<T: Summable> Summable for Option<T> {
    type Sum = T::Sum;
}

/// How many rows there are: `count_all::<Runway>()`.
pub fn count_all<S>() -> Expr<S, i64> {
    Expr::new(Node::Raw("count(*)", Vec::new()))
}

methods! { of Cell:
    /// In how many rows it is not NULL.
    fn count(this) -> Expr<S, i64> {
        Expr::new(Node::Call("count", vec![this.node]))
    }

    /// How many values it has, without NULL.
    fn count_distinct(this) -> Expr<S, i64> {
        Expr::new(Node::Raw("count(DISTINCT {})", vec![this.node]))
    }

    /// The smallest value; `None` where there is none.
    fn min(this) -> Expr<S, Option<T>> {
        Expr::new(Node::Call("min", vec![this.node]))
    }

    /// The largest value; `None` where there is none.
    fn max(this) -> Expr<S, Option<T>> {
        Expr::new(Node::Call("max", vec![this.node]))
    }
}

impl<S, T: Summable> Expr<S, T> {
    /// The sum; `None` where there is no value. A sum of whole numbers that does not fit 64 bits is
    /// an error of the database.
    pub fn sum(self) -> Expr<S, Option<T::Sum>> {
        let sum = Node::Call("sum", vec![self.node]);
        Expr::new(Node::Cast(Box::new(sum), T::Sum::column_type()))
    }

    /// The mean; `None` where there is no value.
    pub fn avg(self) -> Expr<S, Option<f64>> {
        let mean = Node::Call("avg", vec![self.node]);
        Expr::new(Node::Cast(Box::new(mean), ColumnType::Float8))
    }
}

impl<E: Entity, T: Summable, R> Field<E, T, R> {
    /// The sum; `None` where there is no value. A sum of whole numbers that does not fit 64 bits is
    /// an error of the database.
    pub fn sum(self) -> Expr<E, Option<T::Sum>> {
        Expr::from(self).sum()
    }

    /// The mean; `None` where there is no value.
    pub fn avg(self) -> Expr<E, Option<f64>> {
        Expr::from(self).avg()
    }
}

/// A fragment of SQL whose value is a `T`; each `{}` of it stands for one of `parts`: window
/// functions, functions of extensions, whatever has no method here.
///
/// It is part of the program and not of its input. Values come in as `parts`:
/// [`value`] makes one.
///
/// ```
/// use rowmill::{Entity, fragment, value};
/// #[derive(Entity)]
/// struct Runway {
///     #[entity(key)]
///     id: i64,
///     airport: String,
///     length_ft: i32,
/// }
/// let place = fragment::<Runway, i64, _>(
///     "rank() OVER (PARTITION BY {} ORDER BY {} DESC)",
///     (Runway::airport, Runway::length_ft),
/// );
/// let metres = fragment::<Runway, f64, _>("({} * {})", (Runway::length_ft, value(0.3048)));
/// # let _ = (place, metres);
/// ```
pub fn fragment<S, T: Cell, Index>(
    sql: &'static str,
    parts: impl Projection<S, Index>,
) -> Expr<S, T> {
    let parts = parts.pieces().into_iter().map(|piece| piece.0).collect();
    Expr::new(Node::Raw(sql, parts))
}

/// A value as an expression, over whatever it is used in.
pub fn value<T: Cell>(value: T) -> Literal<T> {
    Literal(value)
}

/// A value as an expression: what [`value`] makes.
pub struct Literal<T>(pub(super) T);

impl<T> fmt::Debug for Literal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Literal(..)")
    }
}
