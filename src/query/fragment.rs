//! Fragments of SQL, and values, as expressions.

use super::expr::Expr;
use super::node::{Node, Text};
use super::projection::Projection;
use super::query::nodes;
use super::value::{ToValue, Value};
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::sql::dialect::Dialect;
use std::fmt;
use std::marker::PhantomData;

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
    Expr::new(Node::Raw(Text::Same(sql), nodes(parts)))
}

/// As [`fragment`], where databases spell it differently: `sql` says how.
///
/// ```
/// # use rowmill::{Entity, Find, fragment_for, Dialect};
/// # #[derive(Entity)]
/// # struct Invoice { #[entity(key)] id: i64, issued: String }
/// let year = fragment_for::<Invoice, i64, _>(
///     |dialect| match dialect {
///         Dialect::Sqlite => "CAST(strftime('%Y', {}) AS integer)",
///         _ => "CAST(extract(year FROM {}) AS bigint)",
///     },
///     Invoice::issued,
/// );
/// let of_2026 = Invoice::query().filter(year.eq(2026));
/// # let _ = of_2026;
/// ```
pub fn fragment_for<S, T: Cell, Index>(
    sql: fn(Dialect) -> &'static str,
    parts: impl Projection<S, Index>,
) -> Expr<S, T> {
    Expr::new(Node::Raw(Text::Of(sql), nodes(parts)))
}

/// A value as an expression, over whatever it is used in.
#[expect(clippy::needless_pass_by_value, reason = "values are given, not lent")]
pub fn value<T: ToValue>(value: T) -> Literal<T::Cell> {
    Literal { value: value.to_value(), marker: PhantomData }
}

/// A value as an expression: what [`value`] makes.
pub struct Literal<T> {
    pub(super) value: Result<Value>,
    marker: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Literal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Literal(..)")
    }
}
