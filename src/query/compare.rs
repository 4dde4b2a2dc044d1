//! What columns and expressions can be asked: comparisons, ranges, lists, patterns, arithmetic.

use super::expr::{Expr, Operand};
use super::node::{Like, Node, Pattern};
use super::order::OrderBy;
use super::query::Query;
use super::value::Value;
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use std::ops::{Add, Div, Mul, Sub};

/// A type of texts: `String`, or an `Option` of it.
#[diagnostic::on_unimplemented(message = "`{Self}` is no text, and has no patterns")]
pub trait Textual: Cell {}

impl Textual for String {}
impl Textual for Option<String> {}

/// A type that can be calculated with.
#[diagnostic::on_unimplemented(message = "`{Self}` is no number")]
pub trait Number: Cell {}

impl Number for i16 {}
impl Number for i32 {}
impl Number for i64 {}
impl Number for f32 {}
impl Number for f64 {}
#[cfg(feature = "rust_decimal")]
impl Number for rust_decimal::Decimal {}
impl<T: Number> Number for Option<T> {}

/// What can stand in a list of values for a `T`: one, a reference to one, or what is within its
/// `Option`.
#[diagnostic::on_unimplemented(message = "a list of `{T}` cannot have this in it")]
pub trait Listed<T> {
    /// It, packed.
    #[doc(hidden)]
    fn packed(&self, column_type: &ColumnType) -> Result<Value>;
}

impl<T: Cell> Listed<T> for T {
    fn packed(&self, column_type: &ColumnType) -> Result<Value> {
        Value::of(self, column_type)
    }
}

impl<T: Cell> Listed<Option<T>> for T {
    fn packed(&self, column_type: &ColumnType) -> Result<Value> {
        Value::of(self, column_type)
    }
}

impl<T: Cell> Listed<T> for &T {
    fn packed(&self, column_type: &ColumnType) -> Result<Value> {
        Value::of(*self, column_type)
    }
}

impl<T: Cell> Listed<Option<T>> for &T {
    fn packed(&self, column_type: &ColumnType) -> Result<Value> {
        Value::of(*self, column_type)
    }
}

macro_rules! listed_text {
    ($($text:ty),+) => {
        $(impl Listed<String> for $text {
            fn packed(&self, column_type: &ColumnType) -> Result<Value> {
                Value::of(&(*self).to_string(), column_type)
            }
        }

        impl Listed<Option<String>> for $text {
            fn packed(&self, column_type: &ColumnType) -> Result<Value> {
                Value::of(&(*self).to_string(), column_type)
            }
        })+
    };
}

listed_text!(&str, &&str);

impl<S, T: Cell> Expr<S, T> {
    fn compare(self, operator: &'static str, other: impl Operand<S, T>) -> Expr<S, bool> {
        let right = other.operand(&self.column_type()).0;
        let null = right.is_null();
        Expr::new(match operator {
            "=" if null => Node::Postfix(Box::new(self.node), "IS NULL"),
            "<>" if null => Node::Postfix(Box::new(self.node), "IS NOT NULL"),
            _ => Node::infix(self.node, operator, right),
        })
    }

    fn list<V: Listed<T>>(
        self,
        values: impl IntoIterator<Item = V>,
        negated: bool,
    ) -> Expr<S, bool> {
        let element = self.column_type();
        let packed: Result<Vec<_>> =
            values.into_iter().map(|value| value.packed(&element)).collect();
        Expr::new(match packed {
            Ok(list) => Node::In { left: Box::new(self.node), list, element, negated },
            Err(error) => Node::fault(error),
        })
    }

    fn pattern(self, pattern: Pattern, any_case: bool, negated: bool) -> Expr<S, bool> {
        Expr::new(Node::Like(Like { left: Box::new(self.node), pattern, any_case, negated }))
    }
}

/// Writes methods for expressions, and the same ones for columns.
macro_rules! methods {
    (of $bound:ident: $($(#[$about:meta])* fn $name:ident(
        $this:ident $(, $argument:ident: $type:ty)*
    ) -> $result:ty $body:block)+) => {
        impl<S, T: $bound> Expr<S, T> {
            $($(#[$about])*
            #[must_use]
            pub fn $name(self $(, $argument: $type)*) -> $result {
                let $this = self;
                $body
            })+
        }

        impl<S: Entity, T: $bound, R> Field<S, T, R> {
            $($(#[$about])*
            #[must_use]
            pub fn $name(self $(, $argument: $type)*) -> $result {
                let $this = Expr::from(self);
                $body
            })+
        }
    };
}
pub(super) use methods;

methods! { of Cell:
    /// `=`; compared with `None`, `IS NULL`.
    fn eq(this, other: impl Operand<S, T>) -> Expr<S, bool> {
        this.compare("=", other)
    }

    /// `<>`, which never holds for NULL; compared with `None`, `IS NOT NULL`.
    fn ne(this, other: impl Operand<S, T>) -> Expr<S, bool> {
        this.compare("<>", other)
    }

    /// `<`
    fn lt(this, other: impl Operand<S, T>) -> Expr<S, bool> {
        this.compare("<", other)
    }

    /// `<=`
    fn le(this, other: impl Operand<S, T>) -> Expr<S, bool> {
        this.compare("<=", other)
    }

    /// `>`
    fn gt(this, other: impl Operand<S, T>) -> Expr<S, bool> {
        this.compare(">", other)
    }

    /// `>=`
    fn ge(this, other: impl Operand<S, T>) -> Expr<S, bool> {
        this.compare(">=", other)
    }

    /// Whether they differ, where NULL is equal to NULL.
    fn is_distinct_from(this, other: impl Operand<S, T>) -> Expr<S, bool> {
        this.compare("IS DISTINCT FROM", other)
    }

    /// From `low` to `high`, both included.
    fn between(
        this, low: impl Operand<S, T>, high: impl Operand<S, T>
    ) -> Expr<S, bool> {
        this.clone().compare(">=", low).and(this.compare("<=", high))
    }

    /// `IS NULL`
    fn is_null(this) -> Expr<S, bool> {
        Expr::new(Node::Postfix(Box::new(this.node), "IS NULL"))
    }

    /// `IS NOT NULL`
    fn is_not_null(this) -> Expr<S, bool> {
        Expr::new(Node::Postfix(Box::new(this.node), "IS NOT NULL"))
    }

    /// One of `values`; never where there are none. Where the database has arrays they are one
    /// parameter, so that the text of the statement is the same for any number of them; elsewhere
    /// there are at most 32,766.
    fn is_in(this, values: impl IntoIterator<Item = impl Listed<T>>) -> Expr<S, bool> {
        this.list(values, false)
    }

    /// None of `values`; where there are none, always.
    fn is_not_in(this, values: impl IntoIterator<Item = impl Listed<T>>) -> Expr<S, bool> {
        this.list(values, true)
    }

    /// One of the values that `query` finds.
    fn is_in_query(this, query: Query<impl Sized, T>) -> Expr<S, bool> {
        let (left, select) = (Box::new(this.node), Box::new(query.select));
        Expr::new(Node::InSelect { left, select, negated: false })
    }

    /// None of the values that `query` finds; never, if one of them is NULL.
    fn is_not_in_query(this, query: Query<impl Sized, T>) -> Expr<S, bool> {
        let (left, select) = (Box::new(this.node), Box::new(query.select));
        Expr::new(Node::InSelect { left, select, negated: true })
    }

    /// The same, but it may be NULL: a column of an entity that a left join may leave out.
    fn nullable(this) -> Expr<S, Option<T>> {
        this.retyped()
    }

    /// The value, or `other` where it is NULL.
    fn coalesce(this, other: impl Operand<S, T>) -> Expr<S, T> {
        let other = other.operand(&this.column_type()).0;
        Expr::new(Node::Call("coalesce", vec![this.node, other]))
    }

    /// From the smallest to the largest; NULL comes last.
    fn asc(this) -> OrderBy<S> {
        let column_type = this.column_type();
        OrderBy::new(this.node, column_type, false, T::NULLABLE)
    }

    /// From the largest to the smallest; NULL comes first.
    fn desc(this) -> OrderBy<S> {
        let column_type = this.column_type();
        OrderBy::new(this.node, column_type, true, T::NULLABLE)
    }
}

methods! { of Textual:
    /// Whether it looks like `pattern`: `%` is any text, `_` any character, and a backslash takes
    /// the meaning of the character behind it. Case matters, on every database.
    fn like(this, pattern: impl Into<String>) -> Expr<S, bool> {
        this.pattern(Pattern::Like(pattern.into()), false, false)
    }

    /// Whether it does not look like `pattern`.
    fn not_like(this, pattern: impl Into<String>) -> Expr<S, bool> {
        this.pattern(Pattern::Like(pattern.into()), false, true)
    }

    /// As [`like`](Self::like), whatever the case; on SQLite, of ASCII letters alone.
    fn ilike(this, pattern: impl Into<String>) -> Expr<S, bool> {
        this.pattern(Pattern::Like(pattern.into()), true, false)
    }

    /// Whether it starts with `text`, of which nothing has a meaning of its own.
    fn starts_with(this, text: impl Into<String>) -> Expr<S, bool> {
        this.pattern(Pattern::Prefix(text.into()), false, false)
    }

    /// Whether it ends with `text`.
    fn ends_with(this, text: impl Into<String>) -> Expr<S, bool> {
        this.pattern(Pattern::Suffix(text.into()), false, false)
    }

    /// Whether `text` is in it.
    fn contains(this, text: impl Into<String>) -> Expr<S, bool> {
        this.pattern(Pattern::Part(text.into()), false, false)
    }

    /// In lower case; on SQLite, the ASCII letters alone.
    fn lower(this) -> Expr<S, T> {
        Expr::new(Node::Call("lower", vec![this.node]))
    }

    /// In upper case; on SQLite, the ASCII letters alone.
    fn upper(this) -> Expr<S, T> {
        Expr::new(Node::Call("upper", vec![this.node]))
    }
}

macro_rules! arithmetic {
    ($($operator:ident $method:ident $sign:literal),+) => {
        $(impl<S, T: Number, O: Operand<S, T>> $operator<O> for Expr<S, T> {
            type Output = Self;

            fn $method(self, other: O) -> Self {
                let right = other.operand(&self.column_type()).0;
                Self::new(Node::infix(self.node, $sign, right))
            }
        }

        impl<E: Entity, T: Number, R, O: Operand<E, T>> $operator<O> for Field<E, T, R> {
            type Output = Expr<E, T>;

            fn $method(self, other: O) -> Expr<E, T> {
                $operator::$method(Expr::from(self), other)
            }
        })+
    };
}

arithmetic!(Add add "+", Sub sub "-", Mul mul "*", Div div "/");
