//! Values bound to `$1`, `$2`, ... whatever their order.

use super::errors;
use super::values;
use crate::error::{Error, Result};
use crate::mapping::param::Param;
use rusqlite::Statement;
use rusqlite::types::{ToSqlOutput, ValueRef};

/// Binds `params` to the placeholders of a statement: `$2` gets the second, wherever it stands and
/// however often. To SQLite, `$2` is a name, and names are numbered as they come.
pub(super) fn params(statement: &mut Statement<'_>, params: &[Param<'_>]) -> Result<()> {
    let mut scratch = String::new();
    let mut highest = 0;
    for index in 1..=statement.parameter_count() {
        let number = number_of(statement.parameter_name(index))?;
        highest = highest.max(number);
        let Some(param) = params.get(number - 1) else {
            return Err(errors::database(format!(
                "the statement has a placeholder ${number}, but {} parameters were given",
                params.len()
            ))
            .with_sqlstate(errors::state("42P02")));
        };
        value(statement, index, values::of_param(param, &mut scratch)?)?;
    }
    if highest < params.len() {
        let message = format!(
            "{} parameters were given, but the last placeholder is ${highest}",
            params.len()
        );
        return Err(errors::database(message).with_sqlstate(errors::state("42P02")));
    }
    Ok(())
}

/// Binds one value to the parameter that SQLite numbers `index`.
#[inline]
pub(super) fn value(
    statement: &mut Statement<'_>,
    index: usize,
    value: ValueRef<'_>,
) -> Result<()> {
    statement.raw_bind_parameter(index, ToSqlOutput::Borrowed(value)).map_err(errors::of)
}

fn number_of(name: Option<&str>) -> Result<usize> {
    let number =
        name.and_then(|name| name.strip_prefix('$')).and_then(|digits| digits.parse().ok());
    number.filter(|number| *number > 0).ok_or_else(|| placeholder(name))
}

fn placeholder(name: Option<&str>) -> Error {
    errors::database(format!("{:?} is no placeholder", name.unwrap_or("?")))
        .with_sqlstate(errors::state("42601"))
        .with_hint("write $1, $2, ...; a cast is written cast($1 as type)")
}
