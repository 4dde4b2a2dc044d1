//! A value in a column of a type of the database itself: a domain, or a type that is unknown here.

use super::fault::malformed;
use super::{Cell, CellRef};
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::mapping::text;

/// Packs `value` as `column_type`: where values of the column travel as text, as the text that
/// PostgreSQL prints for a value of the Rust type's own column type. The database casts it.
pub(crate) fn pack_as<T: Cell>(
    value: &T,
    column_type: &ColumnType,
    out: &mut Vec<u8>,
) -> Result<bool> {
    if column_type.travels_as_text() {
        pack_shown(value, column_type, out)
    } else {
        value.pack(column_type, out)
    }
}

#[cold]
fn pack_shown<T: Cell>(value: &T, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
    let own = T::column_type();
    if own.travels_as_text() || is_text(&own) {
        return value.pack(column_type, out);
    }
    let mut packed = Vec::new();
    if !value.pack(&own, &mut packed)? {
        return Ok(false);
    }
    let mut shown = String::new();
    text::output(&own, &packed, &mut shown)?;
    out.extend_from_slice(shown.as_bytes());
    Ok(true)
}

/// Reads what [`pack_as`] writes for a column whose values travel as text.
pub(crate) fn read_shown<T: Cell>(shown: &str) -> Result<T> {
    let own = T::column_type();
    if own.travels_as_text() || is_text(&own) {
        return T::unpack(CellRef::Text(shown));
    }
    let mut packed = Vec::new();
    text::input(&own, shown, &mut packed).map_err(|_| malformed(&own.sql()))?;
    T::unpack(CellRef::Packed(&own, &packed))
}

/// Whether values of the type are texts and nothing else.
fn is_text(column_type: &ColumnType) -> bool {
    matches!(
        column_type,
        ColumnType::Text | ColumnType::Varchar(_) | ColumnType::Char(_) | ColumnType::Enum(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<T: Cell + PartialEq + std::fmt::Debug>(value: &T) -> String {
        let mut out = Vec::new();
        assert!(pack_as(value, &ColumnType::Other("quantity".into()), &mut out).unwrap());
        let shown = String::from_utf8(out).unwrap();
        assert_eq!(read_shown::<T>(&shown).unwrap(), *value);
        shown
    }

    #[test]
    fn a_value_of_a_type_of_the_database_travels_as_its_text() {
        assert_eq!(shown(&-7_i64), "-7");
        assert_eq!(shown(&1.5_f64), "1.5");
        assert_eq!(shown(&true), "t");
        assert_eq!(shown(&"a b".to_owned()), "a b");
        assert_eq!(shown(&vec![1_u8, 255]), "\\x01ff");
        assert_eq!(shown(&Some(3_i16)), "3");
        assert_eq!(shown(&vec![Some("a,b".to_owned()), None]), "{\"a,b\",NULL}");
        let mut out = Vec::new();
        assert!(!pack_as(&None::<i64>, &ColumnType::Other("quantity".into()), &mut out).unwrap());
        assert!(out.is_empty());
    }
}
