//! Updates and deletions of the rows for which a condition holds.

use super::expr::{Condition, Operand};
use super::node::Node;
use super::scope::{Source, Within};
use super::select::{Columns, Select};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use std::fmt;
use std::marker::PhantomData;

/// An update of the rows of `E` for which a condition holds. One without a condition is refused,
/// unless it says [`every_row`](Self::every_row).
///
/// ```
/// use rowmill::{Entity, Update};
/// #[derive(Entity)]
/// struct Runway {
///     #[entity(key)]
///     id: i64,
///     length_ft: i32,
///     closed: bool,
/// }
/// let close = Update::<Runway>::new().set(Runway::closed, true).filter(Runway::length_ft.lt(500));
/// let extend = Update::<Runway>::new()
///     .set(Runway::length_ft, Runway::length_ft + 100)
///     .every_row();
/// # let _ = (close, extend);
/// ```
pub struct Update<E> {
    pub(crate) change: Change,
    pub(crate) set: Vec<(&'static str, Node)>,
    marker: PhantomData<fn() -> E>,
}

/// A deletion of the rows of `E` for which a condition holds. One without a condition is refused,
/// unless it says [`every_row`](Self::every_row).
pub struct Delete<E> {
    pub(crate) change: Change,
    marker: PhantomData<fn() -> E>,
}

/// What both have.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) table: Source,
    pub(crate) filter: Option<Node>,
    pub(crate) every_row: bool,
}

impl Change {
    fn of<E: Entity>() -> Self {
        Self { table: Source::of::<E>(), filter: None, every_row: false }
    }

    /// The query for the rows that it hits, whose columns are `named`: what can be said of where a
    /// query goes can be said of it.
    pub(crate) fn rows(&self, named: Vec<Node>) -> Select {
        let mut select = Select::from(self.table);
        select.filter.clone_from(&self.filter);
        select.columns = Columns::Of(named);
        select
    }

    /// Refuses what would hit every row unasked.
    pub(crate) fn check(&self) -> Result<()> {
        if self.filter.is_some() || self.every_row {
            return Ok(());
        }
        let message = format!("this would change every row of {}", self.table.of);
        Err(Error::new(ErrorKind::Config, message)
            .with_hint("give a filter, or say every_row() if that is what you want"))
    }
}

impl<E: Entity> Update<E> {
    /// An update that changes nothing yet.
    pub fn new() -> Self {
        Self { change: Change::of::<E>(), set: Vec::new(), marker: PhantomData }
    }

    /// Gives `column` a value: of Rust, of another column, of an expression over the row as it was.
    #[must_use]
    pub fn set<T: Cell, R>(mut self, column: Field<E, T, R>, value: impl Operand<E, T>) -> Self {
        let node = match column.column_type() {
            Ok(column_type) => value.operand(&column_type).0,
            Err(error) => Node::fault(error),
        };
        self.set.push((column.name(), node));
        self
    }
}

impl<E: Entity> Delete<E> {
    /// A deletion of nothing yet.
    pub fn new() -> Self {
        Self { change: Change::of::<E>(), marker: PhantomData }
    }
}

macro_rules! change {
    ($($name:ident),+) => {
        $(impl<E: Entity> $name<E> {
            /// Only rows for which `condition` holds, too.
            #[must_use]
            pub fn filter<C: Condition, Index>(mut self, condition: C) -> Self
            where
                C::Scope: Within<E, Index>,
            {
                let condition = condition.condition().node;
                self.change.filter = Some(Node::and(self.change.filter, condition));
                self
            }

            /// Also without a condition.
            #[must_use]
            pub fn every_row(mut self) -> Self {
                self.change.every_row = true;
                self
            }
        }

        impl<E: Entity> Default for $name<E> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<E> fmt::Debug for $name<E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.change).finish()
            }
        })+
    };
}

change!(Update, Delete);

impl<E> Clone for Update<E> {
    fn clone(&self) -> Self {
        Self { change: self.change.clone(), set: self.set.clone(), marker: PhantomData }
    }
}

impl<E> Clone for Delete<E> {
    fn clone(&self) -> Self {
        Self { change: self.change.clone(), marker: PhantomData }
    }
}
