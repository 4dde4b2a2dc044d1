//! A column of an entity, known to the compiler.

use super::column_type::ColumnType;
use crate::error::Result;
use std::fmt;
use std::marker::PhantomData;

/// A field that refers to no entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nothing;

/// A column of the entity `E` whose values are `T`; where it is a foreign key, of the entity `R`.
///
/// `#[derive(Entity)]` makes one for each field that is a column, as a constant of the same name.
///
/// ```
/// use rowmill::Entity;
/// #[derive(Entity)]
/// struct Runway {
///     #[entity(key)]
///     id: i64,
///     length_ft: Option<i32>,
/// }
/// assert_eq!(Runway::length_ft.name(), "length_ft");
/// ```
pub struct Field<E, T, R = Nothing> {
    name: &'static str,
    index: usize,
    declared: Option<&'static str>,
    marker: PhantomData<Kinds<E, T, R>>,
}

/// Owns none of them, so that it can be sent and shared whatever they are.
type Kinds<E, T, R> = fn() -> (E, T, R);

impl<E, T, R> Field<E, T, R> {
    /// What the derive writes: the name of the column, its place in
    /// [`Entity::columns`](super::entity::Entity::columns), and its type where one is declared.
    pub(super) const fn declare(
        name: &'static str,
        index: usize,
        declared: Option<&'static str>,
    ) -> Self {
        Self { name, index, declared, marker: PhantomData }
    }

    /// The name of the column.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its place in [`Entity::columns`](super::entity::Entity::columns).
    pub const fn index(&self) -> usize {
        self.index
    }
}

impl<E, T: super::cell::Cell, R> Field<E, T, R> {
    /// The type of the column, as it is declared.
    ///
    /// # Errors
    /// `Config` if the declared type is none.
    pub fn column_type(&self) -> Result<ColumnType> {
        self.declared.map_or_else(|| Ok(T::column_type()), ColumnType::parse)
    }
}

impl<E, T, R> Clone for Field<E, T, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, T, R> Copy for Field<E, T, R> {}

impl<E, T, R> fmt::Debug for Field<E, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(&self.name).finish()
    }
}
