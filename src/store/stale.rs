//! The errors for rows that are not there any more as they were read.

use super::entity_map::EntityMap;
use crate::error::{Error, ErrorKind};

/// The error for a row that is not there any more as it was read.
pub(crate) fn error(map: &EntityMap) -> Error {
    of_some(map, 1, 1)
}

/// The error for `missing` of `asked` rows.
pub(crate) fn of_some(map: &EntityMap, missing: usize, asked: usize) -> Error {
    let (table, key) = (map.table.plain(), map.key_names());
    let which = match (missing, asked) {
        (1, 1) => format!("the row of {table} with this {key}"),
        (missing, asked) => format!("{missing} of {asked} rows of {table} with these {key}"),
    };
    let is = if missing == 1 { "is" } else { "are" };
    let message = if map.version.is_some() {
        format!("{which} {is} not there in this version: somebody else has changed or deleted it")
    } else {
        format!("{which} {is} not there: somebody else has deleted it, or it never was")
    };
    Error::new(ErrorKind::Stale, message).with_hint("read it again")
}
