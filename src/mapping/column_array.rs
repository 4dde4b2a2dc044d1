//! The values of one column as one array: what `unnest` takes.
//!
//! An array of an array would be flattened by `unnest`, and the elements of a type that only one
//! database knows have no number. The values of such columns travel as the texts that PostgreSQL
//! prints, and the statement casts them back.

use super::column_type::ColumnType;
use super::text;
use super::type_number::type_number;
use crate::error::Result;

/// The type of the elements in which the values of `column_type` travel in an array.
pub(crate) fn element_type(column_type: &ColumnType) -> ColumnType {
    match column_type {
        // A cast to varchar(n)[] would cut a longer text without a word.
        ColumnType::Varchar(_) | ColumnType::Char(_) => ColumnType::Text,
        // The column rounds as it does for any other number.
        ColumnType::Numeric(_) => ColumnType::Numeric(None),
        plain if type_number(plain).is_some() => plain.clone(),
        _ => ColumnType::Text,
    }
}

/// The type to which the elements of [`element_type`] have to be cast to be values of
/// `column_type`, where the database would not do so itself.
pub(crate) fn cast_to(column_type: &ColumnType) -> Option<String> {
    match column_type {
        ColumnType::Text | ColumnType::Varchar(_) => None,
        other if element_type(other) == ColumnType::Text => Some(other.sql()),
        _ => None,
    }
}

/// An array of one dimension that grows by one packed value after the other.
#[derive(Debug)]
pub(crate) struct ColumnArray<'a> {
    column_type: &'a ColumnType,
    element: ColumnType,
    /// Whether the packed values have to be printed.
    prints: bool,
    bytes: Vec<u8>,
    count: i32,
    has_null: bool,
    scratch: Vec<u8>,
    printed: String,
}

/// The number of dimensions, whether there is a NULL, the type of the elements, the length and the
/// lower bound.
const HEAD_BYTES: usize = 20;

impl<'a> ColumnArray<'a> {
    /// An empty array for the values of `column_type`.
    pub(crate) fn new(column_type: &'a ColumnType) -> Self {
        let element = element_type(column_type);
        let is_text = matches!(
            column_type,
            ColumnType::Text | ColumnType::Varchar(_) | ColumnType::Char(_) | ColumnType::Enum(_)
        ) || column_type.travels_as_text();
        Self {
            column_type,
            prints: element == ColumnType::Text && !is_text,
            element,
            bytes: vec![0; HEAD_BYTES],
            count: 0,
            has_null: false,
            scratch: Vec::new(),
            printed: String::new(),
        }
    }

    /// Appends the value that `pack` packs as the type of the column; `false` is NULL.
    ///
    /// # Errors
    /// What `pack` returns; the array is of no use then.
    pub(crate) fn push(&mut self, pack: impl FnOnce(&mut Vec<u8>) -> Result<bool>) -> Result<()> {
        let length_at = self.bytes.len();
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        let is_there = if self.prints {
            self.scratch.clear();
            let is_there = pack(&mut self.scratch)?;
            if is_there {
                self.printed.clear();
                text::output(self.column_type, &self.scratch, &mut self.printed)?;
                self.bytes.extend_from_slice(self.printed.as_bytes());
            }
            is_there
        } else {
            pack(&mut self.bytes)?
        };
        if is_there {
            let length = (self.bytes.len() - length_at - 4) as i32;
            self.bytes[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
        }
        self.has_null |= !is_there;
        self.count += 1;
        Ok(())
    }

    /// Its type and its packed bytes.
    pub(crate) fn finish(mut self) -> (ColumnType, Vec<u8>) {
        let number = type_number(&self.element).unwrap_or_default();
        let words = [1, u32::from(self.has_null), number, self.count as u32, 1];
        for (word, place) in words.into_iter().zip(self.bytes.chunks_exact_mut(4)) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        if self.count == 0 {
            self.bytes[..4].fill(0);
            self.bytes.truncate(12);
        }
        (ColumnType::Array(Box::new(self.element)), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::cell::{Cell, CellRef};

    fn array<T: Cell>(column_type: &ColumnType, values: &[T]) -> (ColumnType, Vec<u8>) {
        let mut array = ColumnArray::new(column_type);
        for value in values {
            array.push(|out| value.pack(column_type, out)).unwrap();
        }
        array.finish()
    }

    #[test]
    fn what_is_pushed_is_the_array_of_the_values() {
        for values in [vec![], vec![Some(7_i64), None, Some(-1)]] {
            let (array_type, bytes) = array(&ColumnType::Int8, &values);
            let mut expected = Vec::new();
            values.pack(&array_type, &mut expected).unwrap();
            assert_eq!(bytes, expected);
        }
    }

    #[test]
    fn arrays_and_types_of_one_database_travel_as_texts_and_are_cast() {
        let integers = ColumnType::Array(Box::new(ColumnType::Int4));
        let (array_type, bytes) = array(&integers, &[vec![1, 2], vec![]]);
        let read = Vec::<String>::unpack(CellRef::Packed(&array_type, &bytes)).unwrap();
        assert_eq!(read, ["{1,2}", "{}"]);
        assert_eq!(cast_to(&integers).as_deref(), Some("integer[]"));
        let mood = ColumnType::Enum("mood".into());
        assert_eq!(array(&mood, &["ok".to_owned()]).0.sql(), "text[]");
        assert_eq!(cast_to(&mood).as_deref(), Some("mood"));
    }

    #[test]
    fn a_limit_of_the_column_is_left_to_the_column() {
        assert_eq!(element_type(&ColumnType::Varchar(Some(3))), ColumnType::Text);
        assert_eq!(cast_to(&ColumnType::Varchar(Some(3))), None);
        assert_eq!(element_type(&ColumnType::Numeric(Some((5, 2)))), ColumnType::Numeric(None));
        assert_eq!(cast_to(&ColumnType::Char(3)).as_deref(), Some("char(3)"));
    }
}
