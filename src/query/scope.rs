//! Which entities a query reads, known to the compiler.

use crate::error::Result;
use crate::ident::TableName;
use crate::mapping::cell::CellRef;
use crate::mapping::column::Column;
use crate::mapping::entity::Entity;
use std::any::{TypeId, type_name};

/// What hands out the cells of a row, by their place.
pub type Cells<'c, 'a> = &'c mut dyn FnMut(usize) -> Result<CellRef<'a>>;

/// The index of an entity that is the whole scope.
#[derive(Debug)]
pub struct Whole;

/// The index of the entity at place `N` of a scope.
#[derive(Debug)]
pub struct At<const N: usize>;

/// The index of the entity at place `N` of a scope, which a left join may leave out.
#[derive(Debug)]
pub struct Maybe<const N: usize>;

/// An entity that a query over `S` reads. The compiler finds the index by itself.
#[diagnostic::on_unimplemented(
    message = "this query does not read `{Self}`",
    label = "a column of `{Self}`",
    note = "the query reads `{S}`; join what else it is to read"
)]
pub trait Within<S, Index> {}

impl<E: Entity> Within<E, Whole> for E {}

impl<S, A, B, I, J> Within<S, (I, J)> for (A, B)
where
    A: Within<S, I>,
    B: Within<S, J>,
{
}

/// What a query reads: an entity, or a tuple of up to four, some of which may be left out.
pub trait Scope: Sized + 'static {
    /// The entities, in order.
    fn sources() -> Vec<Source>;

    /// Reads a row of all their columns.
    ///
    /// # Errors
    /// `Decode` with the column.
    fn read(cells: Cells<'_, '_>) -> Result<Self>;
}

/// A scope with one more entity: `P` is the entity, or an `Option` of it.
pub trait With<P>: Scope {
    /// The larger scope.
    type Out: Scope;
}

/// An element of a scope.
pub trait Part: Sized + 'static {
    /// The entity.
    type Entity: Entity;

    /// Reads it from the cells of its own columns.
    ///
    /// # Errors
    /// `Decode` with the column.
    fn read(cells: Cells<'_, '_>) -> Result<Self>;
}

impl<E: Entity> Part for E {
    type Entity = E;

    fn read(cells: Cells<'_, '_>) -> Result<Self> {
        E::unpack(cells)
    }
}

impl<E: Entity> Part for Option<E> {
    type Entity = E;

    fn read(cells: Cells<'_, '_>) -> Result<Self> {
        let columns = E::columns()?;
        let keys = E::key();
        let tells = |column: &Column| keys.is_empty() || keys.contains(&column.name.as_str());
        for (index, _) in columns.iter().enumerate().filter(|(_, column)| tells(column)) {
            if !matches!(cells(index)?, CellRef::Null) {
                return E::unpack(cells).map(Some);
            }
        }
        Ok(None)
    }
}

/// A table that a query reads.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    pub(crate) entity: TypeId,
    pub(crate) of: &'static str,
    pub(crate) table: fn() -> Result<TableName>,
    pub(crate) columns: fn() -> Result<Vec<Column>>,
    pub(super) key: fn() -> &'static [&'static str],
    pub(crate) shard_key: fn() -> Option<&'static str>,
}

impl Source {
    /// The table of `E`.
    pub(crate) fn of<E: Entity>() -> Self {
        Self {
            entity: TypeId::of::<E>(),
            of: short_name::<E>(),
            table: E::table,
            columns: E::columns,
            key: E::key,
            shard_key: E::shard_key,
        }
    }
}

/// The name of a type without its path, for messages.
pub(super) fn short_name<T>() -> &'static str {
    let name = type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

impl<E: Entity> Scope for E {
    fn sources() -> Vec<Source> {
        vec![Source::of::<E>()]
    }

    fn read(cells: Cells<'_, '_>) -> Result<Self> {
        E::unpack(cells)
    }
}

impl<E: Entity, P: Part> With<P> for E {
    type Out = (E, P);
}

macro_rules! tuple_scope {
    ($($name:ident),+) => {
        impl<$($name: Part),+> Scope for ($($name,)+) {
            fn sources() -> Vec<Source> {
                vec![$(Source::of::<$name::Entity>()),+]
            }

            fn read(cells: Cells<'_, '_>) -> Result<Self> {
                let mut start = 0;
                Ok(($({
                    let at = start;
                    start += <$name::Entity as Entity>::columns()?.len();
                    let _ = start;
                    <$name as Part>::read(&mut |index| cells(at + index))?
                },)+))
            }
        }
    };
}

tuple_scope!(A, B);
tuple_scope!(A, B, C);
tuple_scope!(A, B, C, D);

impl<A: Part, B: Part, P: Part> With<P> for (A, B) {
    type Out = (A, B, P);
}

impl<A: Part, B: Part, C: Part, P: Part> With<P> for (A, B, C) {
    type Out = (A, B, C, P);
}

macro_rules! within {
    ($place:literal of ($($before:ident),*) . ($($after:ident),*)) => {
        impl<$($before,)* E: Entity, $($after,)*> Within<($($before,)* E, $($after,)*), At<$place>>
            for E
        {
        }

        impl<$($before,)* E: Entity, $($after,)*>
            Within<($($before,)* Option<E>, $($after,)*), Maybe<$place>> for E
        {
        }
    };
}

within!(0 of () . (B));
within!(1 of (A) . ());
within!(0 of () . (B, C));
within!(1 of (A) . (C));
within!(2 of (A, B) . ());
within!(0 of () . (B, C, D));
within!(1 of (A) . (C, D));
within!(2 of (A, B) . (D));
within!(3 of (A, B, C) . ());
