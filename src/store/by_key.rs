//! Keys without their entities.

use super::entity_map::EntityMap;
use super::record::{Cells, Record, param};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use crate::mapping::key::Key;
use crate::mapping::param::Param;

/// The key of a row, as a record of which nothing else is known.
#[derive(Debug)]
pub(super) struct KeyOnly<'a, K> {
    pub(super) key: K,
    pub(super) map: &'a EntityMap,
}

impl<K: Key> Record for KeyOnly<'_, K> {
    fn pack(&self, index: usize, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        let part = self.map.key.iter().position(|&column| column == index);
        self.key.pack_part(part.ok_or_else(nothing_else)?, column_type, out)
    }

    fn fill(&mut self, _: usize, _: CellRef<'_>) -> Result<()> {
        Err(nothing_else())
    }

    fn key_in_row(&self, _: &EntityMap, _: Cells<'_, '_>) -> Result<Vec<u8>> {
        Err(nothing_else())
    }
}

/// A key as the parameters of a statement.
pub(crate) fn params<'m>(key: &impl Key, map: &'m EntityMap) -> Result<Vec<Param<'m>>> {
    let parts = map.key.iter().enumerate();
    parts
        .map(|(part, &index)| {
            let column_type = &map.columns[index].column_type;
            param(column_type, |out| key.pack_part(part, column_type, out))
        })
        .collect()
}

fn nothing_else() -> Error {
    Error::new(ErrorKind::Internal, "of a key nothing but its columns is known")
}
