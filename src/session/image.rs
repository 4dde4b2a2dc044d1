//! How a row was when it was read or written.

use crate::error::Result;
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use crate::store::entity_map::EntityMap;
use crate::store::record::{Record, key_part};
use std::fmt;

/// The packed columns of a row, by which a change is found and taken back.
#[derive(Clone, Default)]
pub(super) struct Image {
    packed: Vec<u8>,
}

impl Image {
    /// All columns of an entity as they are now.
    pub(super) fn of(record: &dyn Record, map: &EntityMap) -> Result<Self> {
        let mut packed = Vec::with_capacity(16 * map.columns.len());
        for (index, column) in map.columns.iter().enumerate() {
            key_part(&mut packed, |out| record.pack(index, &column.column_type, out))?;
        }
        Ok(Self { packed })
    }

    /// Which columns differ.
    pub(super) fn changes(&self, other: &Self) -> Vec<usize> {
        let pairs = self.fields().zip(other.fields()).enumerate();
        pairs.filter(|(_, (mine, other))| mine != other).map(|(index, _)| index).collect()
    }

    /// Makes an entity what it was.
    pub(super) fn restore(&self, record: &mut dyn Record, map: &EntityMap) -> Result<()> {
        self.fields().zip(&map.columns).enumerate().try_for_each(|(index, (field, column))| {
            record.fill(index, cell(field, &column.column_type))
        })
    }

    fn fields(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut rest = &*self.packed;
        std::iter::from_fn(move || {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
                rest = behind;
                return Some(None);
            };
            let (field, behind) = behind.split_at_checked(length)?;
            rest = behind;
            Some(Some(field))
        })
    }
}

/// A packed field as a cell that was read.
pub(super) fn cell<'a>(field: Option<&'a [u8]>, column_type: &'a ColumnType) -> CellRef<'a> {
    match field {
        None => CellRef::Null,
        Some(bytes) if column_type.travels_as_text() => {
            let text = std::str::from_utf8(bytes);
            text.map_or(CellRef::Packed(column_type, bytes), CellRef::Text)
        }
        Some(bytes) => CellRef::Packed(column_type, bytes),
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes are values of a row, which no log may show.
        write!(f, "Image({} bytes)", self.packed.len())
    }
}
