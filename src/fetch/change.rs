//! Updates and deletions, run.

use super::run;
use crate::engine::{Executor, Intent};
use crate::error::Result;
use crate::mapping::entity::Entity;
use crate::query::{Delete, Statement, Update, render};
use crate::sql::dialect::Dialect;

macro_rules! run_change {
    ($name:ident, $render:path) => {
        impl<E: Entity> $name<E> {
            /// Runs it and says how many rows there were.
            ///
            /// # Errors
            /// `Config` if it has no condition and does not say `every_row`; as [`Executor::with`];
            /// `Database` or `Disconnect`; as [`Query::statement`](crate::Query::statement).
            #[track_caller]
            pub fn run(&self, on: &impl Executor) -> Result<u64> {
                run::execute(on, |dialect| $render(self, dialect, false))
            }

            /// Runs it and hands out the rows.
            ///
            /// # Errors
            /// As [`run`](Self::run); `Decode` with the column.
            #[track_caller]
            pub fn returning(&self, on: &impl Executor) -> Result<Vec<E>> {
                let mut rows = Vec::new();
                let build = |dialect| $render(self, dialect, true);
                run::query(on, Intent::Write, build, &mut |row| {
                    rows.push(E::unpack(&mut |index| row.cell(index))?);
                    Ok(())
                })?;
                Ok(rows)
            }

            /// The text and the values with which it is run on a database that speaks `dialect`.
            ///
            /// # Errors
            /// As [`Query::statement`](crate::Query::statement); `Config` if it has no condition.
            pub fn statement(&self, dialect: Dialect) -> Result<Statement> {
                $render(self, dialect, false)
            }
        }
    };
}

run_change!(Update, render::update);
run_change!(Delete, render::delete);
