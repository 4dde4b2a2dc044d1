//! Keys of several rows: in order, and without those that are there twice.

use super::duplicates::Duplicates;
use super::entity_map::EntityMap;
use super::record::{Record, key_of};
use crate::error::{Error, ErrorKind, Locate, Result};

/// The places of the records in the order of their keys, one of each, as `duplicates` says.
///
/// All who write many rows write them in this order, so that no two wait for each other.
pub(crate) fn in_order<'r>(
    map: &EntityMap,
    records: impl Iterator<Item = &'r dyn Record>,
    duplicates: Duplicates,
) -> Result<Vec<usize>> {
    let mut keys = Vec::new();
    for (place, record) in records.enumerate() {
        let key = key_of(record, map).locate(|at| at.row = Some(place as u64 + 1))?;
        keys.push((key, place));
    }
    keys.sort_unstable();
    let mut order: Vec<usize> = Vec::with_capacity(keys.len());
    let mut before: Option<&Vec<u8>> = None;
    for (key, place) in &keys {
        let is_again = before == Some(key);
        before = Some(key);
        match (is_again, duplicates) {
            (false, _) => order.push(*place),
            (true, Duplicates::First) => {}
            (true, Duplicates::Last) => {
                order.pop();
                order.push(*place);
            }
            (true, Duplicates::Error) => return Err(twice(map, *place)),
        }
    }
    Ok(order)
}

fn twice(map: &EntityMap, place: usize) -> Error {
    let message = format!("two of the rows have the same {}", map.key_names());
    Error::new(ErrorKind::Config, message).locate(|at| {
        at.table = Some(map.table.plain());
        at.row = Some(place as u64 + 1);
    })
}

/// The error for an entity whose key the database makes, where it has to be known.
pub(crate) fn refuse_made(map: &EntityMap) -> Result<()> {
    if !map.makes_key() {
        return Ok(());
    }
    let message = "the database makes the key of this entity, so no row can be found by it before";
    Err(Error::new(ErrorKind::Config, message)
        .with_hint("insert the rows that are new, and update the others")
        .locate(|place| place.table = Some(map.table.plain())))
}
