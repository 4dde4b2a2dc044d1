//! SQL as it is written, and its rows by the names of their columns.

use super::run;
use crate::backend::RowRef;
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::cell::Cell;
use crate::mapping::entity::Entity;
use crate::query::Sql;

/// What a row of any result can become: an entity, whose columns are found by their names wherever
/// they stand, or a tuple of up to eight values, by their places.
///
/// A struct of which there is no table is made one by `#[derive(Entity)]` all the same.
pub trait FromRow: Sized {
    /// Where its values are in the rows of one result.
    type Places;

    /// Finds them, once for a result.
    ///
    /// # Errors
    /// `Decode` if the result does not have one.
    fn places(row: &dyn RowRef) -> Result<Self::Places>;

    /// Reads a row.
    ///
    /// # Errors
    /// `Decode` with the column.
    fn from_row(row: &dyn RowRef, places: &Self::Places) -> Result<Self>;
}

impl<E: Entity> FromRow for E {
    type Places = Vec<usize>;

    fn places(row: &dyn RowRef) -> Result<Vec<usize>> {
        let place = |name: &str| {
            let mut places = (0..row.len()).filter(|&index| row.name(index) == name);
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (None, _) => Err(Error::new(ErrorKind::Decode, "the result has no such column")
                    .with_hint("select it, or name it so: ... as name")),
                (Some(_), Some(_)) => {
                    Err(Error::new(ErrorKind::Decode, "the result has several such columns")
                        .with_hint("give them different names: ... as name"))
                }
            }
            .locate(|place| place.column = Some(name.to_owned()))
        };
        E::columns()?.iter().map(|column| place(column.name.as_str())).collect()
    }

    fn from_row(row: &dyn RowRef, places: &Vec<usize>) -> Result<Self> {
        E::unpack(&mut |index| row.cell(places[index]))
    }
}

macro_rules! tuple_row {
    ($count:literal: $($place:tt $name:ident),+) => {
        impl<$($name: Cell),+> FromRow for ($($name,)+) {
            type Places = ();

            fn places(row: &dyn RowRef) -> Result<()> {
                if row.len() == $count {
                    return Ok(());
                }
                let message = format!("a result of {} columns for {} values", row.len(), $count);
                Err(Error::new(ErrorKind::Decode, message))
            }

            fn from_row(row: &dyn RowRef, (): &()) -> Result<Self> {
                Ok(($(value::<$name>(row, $place)?,)+))
            }
        }
    };
}

tuple_row!(1: 0 A);
tuple_row!(2: 0 A, 1 B);
tuple_row!(3: 0 A, 1 B, 2 C);
tuple_row!(4: 0 A, 1 B, 2 C, 3 D);
tuple_row!(5: 0 A, 1 B, 2 C, 3 D, 4 F);
tuple_row!(6: 0 A, 1 B, 2 C, 3 D, 4 F, 5 G);
tuple_row!(7: 0 A, 1 B, 2 C, 3 D, 4 F, 5 G, 6 H);
tuple_row!(8: 0 A, 1 B, 2 C, 3 D, 4 F, 5 G, 6 H, 7 J);

fn value<T: Cell>(row: &dyn RowRef, index: usize) -> Result<T> {
    let read = row.cell(index).and_then(T::unpack);
    read.locate(|place| place.column = Some(row.name(index).to_owned()))
}

impl Sql {
    /// Runs it and says how many rows it changed.
    ///
    /// # Errors
    /// As [`Executor::with`] and [`Sql::statement`]; `Database` or `Disconnect`.
    #[track_caller]
    pub fn run(&self, on: &impl Executor) -> Result<u64> {
        run::execute(on, |_| self.statement())
    }

    /// All its rows.
    ///
    /// ```
    /// use rowmill::{Engine, Sql};
    /// let engine = Engine::open("sqlite::memory:")?;
    /// let sums: Vec<(i64, Option<String>)> = Sql::new("select :a + 1, upper(:b)")
    ///     .bind("a", 1)
    ///     .bind("b", "x")
    ///     .all(&engine)?;
    /// assert_eq!(sums, [(2, Some("X".to_owned()))]);
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run); `Decode` with the column.
    #[track_caller]
    pub fn all<R: FromRow>(&self, on: &impl Executor) -> Result<Vec<R>> {
        let mut rows = Vec::new();
        self.each(on, |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The only value of its only row: `Sql::new("select count(*) from t").scalar::<i64>(&engine)`.
    ///
    /// # Errors
    /// As [`one`](Self::one); `Decode` if a row is not one value.
    #[track_caller]
    pub fn scalar<T: Cell>(&self, on: &impl Executor) -> Result<T> {
        self.one::<(T,)>(on).map(|(value,)| value)
    }

    /// The only value of each of its rows.
    ///
    /// # Errors
    /// As [`all`](Self::all); `Decode` if a row is not one value.
    #[track_caller]
    pub fn scalars<T: Cell>(&self, on: &impl Executor) -> Result<Vec<T>> {
        let mut values = Vec::new();
        self.each(on, |(value,)| {
            values.push(value);
            Ok(())
        })?;
        Ok(values)
    }

    /// Hands each row to `each`, in constant memory; `each` must not use the same connection.
    ///
    /// # Errors
    /// As [`all`](Self::all); what `each` returns.
    #[track_caller]
    pub fn each<R: FromRow>(
        &self,
        on: &impl Executor,
        mut each: impl FnMut(R) -> Result<()>,
    ) -> Result<()> {
        let mut places = None;
        // Nobody can tell what a text does.
        run::query(on, Intent::Write, |_| self.statement(), &mut |row| {
            let places = match &mut places {
                Some(places) => places,
                none => none.insert(R::places(row)?),
            };
            each(R::from_row(row, places)?)
        })
    }

    /// Its first row; `None` if there is none.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    #[track_caller]
    pub fn first<R: FromRow>(&self, on: &impl Executor) -> Result<Option<R>> {
        Ok(self.all(on)?.into_iter().next())
    }

    /// Its only row.
    ///
    /// # Errors
    /// `NotFound` if there is none, `NotUnique` if there are several; as [`all`](Self::all).
    #[track_caller]
    pub fn one<R: FromRow>(&self, on: &impl Executor) -> Result<R> {
        self.one_or_none(on)?.ok_or_else(run::not_found)
    }

    /// Its only row; `None` if there is none.
    ///
    /// # Errors
    /// `NotUnique` if there are several; as [`all`](Self::all).
    #[track_caller]
    pub fn one_or_none<R: FromRow>(&self, on: &impl Executor) -> Result<Option<R>> {
        let mut rows = self.all(on)?;
        if rows.len() > 1 {
            return Err(run::not_unique());
        }
        Ok(rows.pop())
    }
}
