//! What a query hands out instead of whole entities.

use super::expr::Expr;
use super::fragment::Literal;
use super::node::{Node, Piece};
use super::scope::{At, Cells, Maybe, Whole, Within};
use crate::error::{Locate, Result};
use crate::mapping::cell::Cell;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use std::marker::PhantomData;

/// The index of a projection of one expression.
#[derive(Debug)]
pub struct One<Index>(PhantomData<Index>);

/// The index of what is within every scope.
#[derive(Debug)]
pub struct Anywhere;

/// Expressions over the scope `S`, and the Rust values that rows of them become: a column or an
/// expression becomes its value, a tuple of up to eight a tuple.
#[diagnostic::on_unimplemented(
    message = "this cannot be selected from what the query reads",
    note = "a projection is a column, an expression, or a tuple of up to eight of them",
    note = "the query reads `{S}`; join what else it is to read"
)]
pub trait Projection<S, Index> {
    /// What a row becomes.
    type Row: 'static;

    /// The expressions.
    #[doc(hidden)]
    fn pieces(self) -> Vec<Piece>;

    /// Reads a row.
    ///
    /// # Errors
    /// `Decode` with the place of the value.
    #[doc(hidden)]
    fn read(cells: Cells<'_, '_>) -> Result<Self::Row>;
}

/// One expression of a projection.
pub trait Selectable<S, Index> {
    /// Its value.
    type Value: Cell + 'static;

    /// The expression.
    #[doc(hidden)]
    fn piece(self) -> Piece;
}

impl<S, Q, T: Cell + 'static, Index> Selectable<S, Index> for Expr<Q, T>
where
    Q: Within<S, Index>,
{
    type Value = T;

    fn piece(self) -> Piece {
        Piece(self.node)
    }
}

impl<S, E: Entity, T: Cell + 'static, R, Index> Selectable<S, Index> for Field<E, T, R>
where
    E: Within<S, Index>,
    T: Holds<Index>,
{
    type Value = T;

    fn piece(self) -> Piece {
        Piece(Expr::from(self).node)
    }
}

/// A type that can hold what a column is at a place of a scope: NULL where a left join may leave
/// its entity out.
#[diagnostic::on_unimplemented(
    message = "this column may be NULL here, which `{Self}` cannot hold",
    note = "a left join may leave its entity out: select the column with `.nullable()`"
)]
pub trait Holds<Index> {}

impl<T> Holds<Whole> for T {}
impl<T, const N: usize> Holds<At<N>> for T {}
impl<T, const N: usize> Holds<Maybe<N>> for Option<T> {}

impl<S, T: Cell + 'static> Selectable<S, Anywhere> for Literal<T> {
    type Value = T;

    fn piece(self) -> Piece {
        Piece(match self.value {
            Ok(value) => Node::Cast(Box::new(Node::Value(value)), T::column_type()),
            Err(error) => Node::fault(error),
        })
    }
}

impl<S, P: Selectable<S, Index>, Index> Projection<S, One<Index>> for P {
    type Row = P::Value;

    fn pieces(self) -> Vec<Piece> {
        vec![self.piece()]
    }

    fn read(cells: Cells<'_, '_>) -> Result<Self::Row> {
        value_at(cells, 0)
    }
}

fn value_at<T: Cell>(cells: Cells<'_, '_>, index: usize) -> Result<T> {
    let read = cells(index).and_then(T::unpack);
    read.locate(|place| place.column = Some(format!("{} of the selection", index + 1)))
}

macro_rules! tuple_projection {
    ($($place:tt $name:ident $index:ident),+) => {
        impl<S, $($name: Selectable<S, $index>, $index),+> Projection<S, ($($index,)+)>
            for ($($name,)+)
        {
            type Row = ($($name::Value,)+);

            fn pieces(self) -> Vec<Piece> {
                vec![$(self.$place.piece()),+]
            }

            fn read(cells: Cells<'_, '_>) -> Result<Self::Row> {
                Ok(($(value_at::<$name::Value>(cells, $place)?,)+))
            }
        }
    };
}

tuple_projection!(0 A IA);
tuple_projection!(0 A IA, 1 B IB);
tuple_projection!(0 A IA, 1 B IB, 2 C IC);
tuple_projection!(0 A IA, 1 B IB, 2 C IC, 3 D ID);
tuple_projection!(0 A IA, 1 B IB, 2 C IC, 3 D ID, 4 F IF);
tuple_projection!(0 A IA, 1 B IB, 2 C IC, 3 D ID, 4 F IF, 5 G IG);
tuple_projection!(0 A IA, 1 B IB, 2 C IC, 3 D ID, 4 F IF, 5 G IG, 6 H IH);
tuple_projection!(0 A IA, 1 B IB, 2 C IC, 3 D ID, 4 F IF, 5 G IG, 6 H IH, 7 J IJ);
