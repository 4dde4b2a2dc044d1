//! An entity whose type does not matter any more.

use super::entity_map::EntityMap;
use crate::error::Result;
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::mapping::param::Param;

/// What reads one cell of a row.
pub(crate) type Cells<'a, 'b> = &'a mut dyn FnMut(usize) -> Result<CellRef<'b>>;

/// An entity as statements see it: fields that are packed and filled by their place.
pub(crate) trait Record {
    /// See [`Entity::pack_field`].
    fn pack(&self, index: usize, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool>;

    /// See [`Entity::fill_field`].
    fn fill(&mut self, index: usize, cell: CellRef<'_>) -> Result<()>;

    /// The packed key of a row of all columns of an entity of this type.
    fn key_in_row(&self, map: &EntityMap, cells: Cells<'_, '_>) -> Result<Vec<u8>>;
}

impl<E: Entity> Record for E {
    fn pack(&self, index: usize, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        self.pack_field(index, column_type, out)
    }

    fn fill(&mut self, index: usize, cell: CellRef<'_>) -> Result<()> {
        self.fill_field(index, cell)
    }

    fn key_in_row(&self, map: &EntityMap, cells: Cells<'_, '_>) -> Result<Vec<u8>> {
        key_of(&E::unpack(cells)?, map)
    }
}

/// The packed key of an entity: its fields one behind the other, each with its length.
pub(crate) fn key_of(record: &dyn Record, map: &EntityMap) -> Result<Vec<u8>> {
    let mut key = Vec::with_capacity(12 * map.key.len());
    for &index in &map.key {
        key_part(&mut key, |out| record.pack(index, &map.columns[index].column_type, out))?;
    }
    Ok(key)
}

/// Appends a part of a key.
pub(crate) fn key_part(
    key: &mut Vec<u8>,
    pack: impl FnOnce(&mut Vec<u8>) -> Result<bool>,
) -> Result<()> {
    let length_at = key.len();
    key.extend_from_slice(&[0xff; 4]);
    if pack(key)? {
        let length = (key.len() - length_at - 4) as u32;
        key[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Columns of an entity as the parameters of a statement.
pub(crate) fn params<'a>(
    record: &dyn Record,
    map: &'a EntityMap,
    columns: impl IntoIterator<Item = usize>,
    params: &mut Vec<Param<'a>>,
) -> Result<()> {
    for index in columns {
        let column_type = &map.columns[index].column_type;
        params.push(param(column_type, |out| record.pack(index, column_type, out))?);
    }
    Ok(())
}

/// A packed value as a parameter.
pub(crate) fn param(
    column_type: &ColumnType,
    pack: impl FnOnce(&mut Vec<u8>) -> Result<bool>,
) -> Result<Param<'_>> {
    let mut packed = Vec::new();
    Ok(match pack(&mut packed)? {
        true => Param::Packed(column_type, packed.into()),
        false => Param::Null,
    })
}
