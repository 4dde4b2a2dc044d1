//! Values of many rows together.

use super::compare::{Number, methods};
use super::expr::Expr;
use super::node::{Node, Text};
use crate::mapping::cell::Cell;
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;

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
    Expr::new(Node::raw("count(*)"))
}

methods! { of Cell:
    /// In how many rows it is not NULL.
    fn count(this) -> Expr<S, i64> {
        Expr::new(Node::Call("count", vec![this.node]))
    }

    /// How many values it has, without NULL.
    fn count_distinct(this) -> Expr<S, i64> {
        Expr::new(Node::Raw(Text::Same("count(DISTINCT {})"), vec![this.node]))
    }

    /// The smallest value; `None` where there is none. Of what may be NULL it is an `Option` of an
    /// `Option`: [`flatten`](Expr::flatten) makes one of the two.
    fn min(this) -> Expr<S, Option<T>> {
        Expr::new(Node::Call("min", vec![this.node]))
    }

    /// The largest value; `None` where there is none. Of what may be NULL it is an `Option` of an
    /// `Option`: [`flatten`](Expr::flatten) makes one of the two.
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
