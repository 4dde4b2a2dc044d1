//! `Vec<T>`: an array of one dimension.
//!
//! Packed, an array is the number of dimensions, whether there are NULLs, the object id of the
//! element type, then per dimension its length and its lower bound, then the elements as the
//! fields of a tuple: a length (-1 for NULL) and the bytes.

use super::fault::{damaged, malformed, not_packable, not_readable, unreadable};
use super::text::read_text;
use super::travel::{pack_as, read_shown};
use super::{Cell, CellRef};
use crate::error::{Error, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text;
use crate::mapping::type_number::{element_number, type_number};
use crate::sqlstate::SqlState;

/// A Rust type whose values can be elements of an array.
///
/// `u8` is none: a `Vec<u8>` is a `bytea`. `#[derive(SqlEnum)]` and `#[derive(Cell)]` write it.
pub trait Element: Cell {}

impl Element for bool {}
impl Element for i16 {}
impl Element for i32 {}
impl Element for i64 {}
impl Element for f32 {}
impl Element for f64 {}
impl Element for String {}
impl Element for Vec<u8> {}
impl Element for serde_json::Value {}
impl<T: Element> Element for Option<T> {}

impl<T: Element> Cell for Vec<T> {
    fn column_type() -> ColumnType {
        ColumnType::Array(Box::new(T::column_type()))
    }

    fn labels() -> &'static [&'static str] {
        T::labels()
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match column_type {
            other if other.travels_as_text() => write_literal(self, other, out)?,
            ColumnType::Array(element) => {
                let number = element_number(element);
                let number = number.ok_or_else(|| not_packable("Vec", column_type))?;
                write(self, element, number, out)?;
            }
            other => return Err(not_packable("Vec", other)),
        }
        Ok(true)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match cell {
            CellRef::Text(_) => read_literal(cell),
            CellRef::Packed(column_type, _) if column_type.travels_as_text() => read_literal(cell),
            CellRef::Packed(column_type @ ColumnType::Array(element), bytes) => {
                read(column_type, bytes, |field| {
                    T::unpack(field.map_or(CellRef::Null, |bytes| CellRef::Packed(element, bytes)))
                })
            }
            other => Err(not_readable("Vec", other)),
        }
    }
}

/// An array of elements that are packed already; `None` where the number of their type is not the
/// same on every server.
pub(crate) fn packed_array<'a>(
    element: &ColumnType,
    elements: impl ExactSizeIterator<Item = Option<&'a [u8]>>,
) -> Option<Vec<u8>> {
    let oid = type_number(element)?;
    let length = i32::try_from(elements.len()).ok()?;
    let mut out = Vec::new();
    for word in [u32::from(length > 0), 0, oid] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    if length > 0 {
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&1_i32.to_be_bytes());
    }
    for element in elements {
        let length = match element {
            Some(bytes) => i32::try_from(bytes.len()).ok()?,
            None => -1,
        };
        out[7] |= u8::from(length < 0);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(element.unwrap_or_default());
    }
    Some(out)
}

fn write<T: Cell>(
    values: &[T],
    element_type: &ColumnType,
    number: u32,
    out: &mut Vec<u8>,
) -> Result<()> {
    let dimensions = u32::from(!values.is_empty());
    let nulls_at = out.len() + 4;
    for word in [dimensions, 0, number] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    if !values.is_empty() {
        let length = i32::try_from(values.len()).map_err(|_| too_large())?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&1_i32.to_be_bytes());
    }
    let mut nulls = false;
    for element in values {
        nulls |= !pack_element(element, element_type, out)?;
    }
    out[nulls_at + 3] = u8::from(nulls);
    Ok(())
}

/// Writes the literal of an array of a type that only the database knows: that of its texts.
fn write_literal<T: Cell>(values: &[T], column_type: &ColumnType, out: &mut Vec<u8>) -> Result<()> {
    let mut packed = Vec::new();
    let number = element_number(&ColumnType::Text).unwrap_or_default();
    write(values, column_type, number, &mut packed)?;
    let mut shown = String::new();
    text::output(&ColumnType::Array(Box::new(ColumnType::Text)), &packed, &mut shown)?;
    out.extend_from_slice(shown.as_bytes());
    Ok(())
}

/// Reads the literal of an array.
fn read_literal<T: Element>(cell: CellRef<'_>) -> Result<Vec<T>> {
    let literal = read_text(cell, "Vec")?;
    let own = T::column_type();
    let mut packed = Vec::new();
    let mut packed_as = |column_type: &ColumnType| {
        text::input(column_type, literal, &mut packed).map_err(|_| malformed("array"))
    };
    if own.travels_as_text() {
        let texts = ColumnType::Array(Box::new(ColumnType::Text));
        packed_as(&texts)?;
        return read(&texts, &packed, |field| match field {
            None => T::unpack(CellRef::Null),
            Some(bytes) => read_shown(read_text(CellRef::Packed(&ColumnType::Text, bytes), "Vec")?),
        });
    }
    let array = ColumnType::Array(Box::new(own));
    packed_as(&array)?;
    Vec::unpack(CellRef::Packed(&array, &packed))
}

fn pack_element<T: Cell>(element: &T, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
    let length_at = out.len();
    out.extend_from_slice(&(-1_i32).to_be_bytes());
    let there = pack_as(element, column_type, out)?;
    if there {
        let length = out.len() - length_at - 4;
        let length = i32::try_from(length).map_err(|_| too_large())?;
        out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(there)
}

/// Reads the elements, each by `element`; `None` is NULL.
fn read<'a, T>(
    array: &ColumnType,
    bytes: &'a [u8],
    element: impl Fn(Option<&'a [u8]>) -> Result<T>,
) -> Result<Vec<T>> {
    let broken = || damaged(array);
    let mut rest = bytes;
    let dimensions = word(&mut rest).ok_or_else(broken)?;
    let _nulls = word(&mut rest).ok_or_else(broken)?;
    let _oid = word(&mut rest).ok_or_else(broken)?;
    let length = match dimensions {
        0 => 0,
        1 => {
            let length = word(&mut rest).ok_or_else(broken)?;
            let _lower_bound = word(&mut rest).ok_or_else(broken)?;
            usize::try_from(length).map_err(|_| broken())?
        }
        _ => {
            let message = "an array of more than one dimension cannot be read as Vec";
            return Err(unreadable(message, SqlState::DATATYPE_MISMATCH));
        }
    };
    // A length that lies reserves no more than its bytes could hold: four for each element.
    let mut values = Vec::with_capacity(length.min(rest.len() / 4));
    for _ in 0..length {
        let field = match usize::try_from(word(&mut rest).ok_or_else(broken)?) {
            Err(_) => None,
            Ok(length) => {
                let (field, behind) = rest.split_at_checked(length).ok_or_else(broken)?;
                rest = behind;
                Some(field)
            }
        };
        values.push(element(field)?);
    }
    if rest.is_empty() { Ok(values) } else { Err(broken()) }
}

fn word(rest: &mut &[u8]) -> Option<i32> {
    let (word, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(i32::from_be_bytes(*word))
}

#[cold]
fn too_large() -> Error {
    Error::new(crate::error::ErrorKind::Encode, "an array is larger than 1 GiB")
        .with_sqlstate(SqlState::PROGRAM_LIMIT_EXCEEDED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_array_comes_back_with_its_nulls(values: Vec<Option<i32>>) {
            let column_type = Vec::<Option<i32>>::column_type();
            let mut out = Vec::new();
            values.pack(&column_type, &mut out).unwrap();
            let back = Vec::<Option<i32>>::unpack(CellRef::Packed(&column_type, &out)).unwrap();
            prop_assert_eq!(back, values);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let column_type = Vec::<String>::column_type();
            let _ = Vec::<String>::unpack(CellRef::Packed(&column_type, &bytes));
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_server() {
        // select array_send(array[7, null]::int4[]), array_send('{}'::int4[])
        let column_type = Vec::<i32>::column_type();
        let mut out = Vec::new();
        vec![Some(7), None].pack(&column_type, &mut out).unwrap();
        let header = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1];
        let elements = [0, 0, 0, 4, 0, 0, 0, 7, 255, 255, 255, 255];
        assert_eq!(out, [&header[..], &elements].concat());
        out.clear();
        Vec::<i32>::new().pack(&column_type, &mut out).unwrap();
        assert_eq!(out, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23]);
    }

    #[test]
    fn a_null_among_values_that_have_none_is_refused() {
        let column_type = Vec::<i32>::column_type();
        let mut out = Vec::new();
        vec![None::<i32>].pack(&column_type, &mut out).unwrap();
        assert!(Vec::<i32>::unpack(CellRef::Packed(&column_type, &out)).is_err());
    }

    #[test]
    fn the_literal_of_an_array_is_read() {
        let read = Vec::<Option<String>>::unpack(CellRef::Text(r#"{"a,b",NULL,c}"#)).unwrap();
        assert_eq!(read, [Some("a,b".to_owned()), None, Some("c".to_owned())]);
        assert_eq!(Vec::<i64>::unpack(CellRef::Text("{}")).unwrap(), [0; 0]);
        assert!(Vec::<i32>::unpack(CellRef::Text("{secret}")).is_err());
    }

    #[test]
    fn an_array_of_a_type_that_only_the_database_knows_is_its_literal() {
        let other = |name: &str| ColumnType::Other(name.to_owned());
        for column_type in [other("quantity[]"), ColumnType::Array(Box::new(other("quantity")))] {
            let mut out = Vec::new();
            vec![Some(7_i64), None].pack(&column_type, &mut out).unwrap();
            assert_eq!(out, b"{7,NULL}");
            let back = Vec::<Option<i64>>::unpack(CellRef::Packed(&column_type, &out)).unwrap();
            assert_eq!(back, [Some(7), None]);
        }
    }

    #[test]
    fn bytes_stay_a_bytea() {
        assert_eq!(Vec::<u8>::column_type(), ColumnType::Bytea);
        assert_eq!(Vec::<Vec<u8>>::column_type().sql(), "bytea[]");
    }
}
