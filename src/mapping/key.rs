//! The values of keys.

use super::cell::Cell;
use super::column_type::ColumnType;
use super::entity::Entity;
use crate::error::{Error, ErrorKind, Result};

/// An entity with a key, by which one row is told from all others.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no entity with a key",
    note = "mark the fields that are its key with #[entity(key)]"
)]
pub trait Keyed: Entity {
    /// The key: the value of its field, or a tuple of them in the order of the struct.
    type Key: Key;

    /// The key of this row.
    fn identity(&self) -> Self::Key;
}

/// The value of a key: a [`Cell`], or a tuple of up to four.
pub trait Key: Sized {
    /// How many columns it has.
    const COLUMNS: usize;

    /// Appends the packed value of column `part`, from 0, to `out`; `false` for NULL.
    ///
    /// # Errors
    /// `Encode` if it is no value of `column_type`; `Internal` if there is no such column.
    fn pack_part(&self, part: usize, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool>;
}

impl<T: Cell> Key for T {
    const COLUMNS: usize = 1;

    fn pack_part(&self, part: usize, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        if part == 0 { self.pack(column_type, out) } else { Err(no_part(part)) }
    }
}

macro_rules! tuple_key {
    ($columns:literal: $($part:tt $name:ident),+) => {
        impl<$($name: Cell),+> Key for ($($name,)+) {
            const COLUMNS: usize = $columns;

            fn pack_part(
                &self,
                part: usize,
                column_type: &ColumnType,
                out: &mut Vec<u8>,
            ) -> Result<bool> {
                match part {
                    $($part => self.$part.pack(column_type, out),)+
                    _ => Err(no_part(part)),
                }
            }
        }
    };
}

tuple_key!(2: 0 A, 1 B);
tuple_key!(3: 0 A, 1 B, 2 C);
tuple_key!(4: 0 A, 1 B, 2 C, 3 D);

fn no_part(part: usize) -> Error {
    Error::new(ErrorKind::Internal, format!("a key has no column {part}"))
}
