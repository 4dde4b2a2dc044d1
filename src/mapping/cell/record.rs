//! What `#[derive(Composite)]` calls: a struct whose fields are those of a composite type.

use super::fault::{damaged, malformed, not_readable, unreadable};
use super::text::{pack_text, read_text};
use super::travel::{pack_as, read_shown};
use super::values::binary_of;
use super::{Cell, CellRef};
use crate::error::{Error, Result};
use crate::mapping::binary::{BinaryType, parts};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::quoted;
use crate::mapping::type_number::numbered_type;
use crate::sqlstate::SqlState;

/// The text of a record under way.
#[derive(Debug, Default)]
pub struct RecordWriter {
    shown: String,
    is_begun: bool,
}

impl RecordWriter {
    /// Writes the next field.
    ///
    /// # Errors
    /// `Encode` if the value is none of its own type.
    pub fn field<T: Cell>(&mut self, value: &T) -> Result<()> {
        self.shown.push(if self.is_begun { ',' } else { '(' });
        self.is_begun = true;
        let mut shown = Vec::new();
        if pack_as(value, &ColumnType::Other(String::new()), &mut shown)? {
            quoted::push(&String::from_utf8_lossy(&shown), &mut self.shown);
        }
        Ok(())
    }

    /// Packs the record.
    ///
    /// # Errors
    /// `Encode` if the column is neither of another type of the database nor of texts.
    pub fn finish(mut self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        self.shown.push(')');
        pack_text(&self.shown, column_type, out)
    }
}

/// A record that is being read.
#[derive(Debug)]
pub struct RecordReader<'a> {
    rust: &'static str,
    fields: Fields<'a>,
}

#[derive(Debug)]
enum Fields<'a> {
    Texts(Vec<Option<String>>),
    /// What the server says of the fields, where it does, and their values.
    Packed(&'a [(String, ColumnType)], Vec<parts::Field<'a>>),
}

impl<'a> RecordReader<'a> {
    /// Takes a record apart that is to have the fields `names`, in this order: a record that is
    /// written has no names, and the fields of two orders would be exchanged silently.
    ///
    /// # Errors
    /// `Decode` if the cell is no record, or one of other fields.
    pub fn new(cell: CellRef<'a>, rust: &'static str, names: &[&str]) -> Result<Self> {
        let fields = match binary_of(cell) {
            Some((ty @ (BinaryType::Composite(..) | BinaryType::Unknown(_)), bytes)) => {
                let values = parts::record(bytes).ok_or_else(|| broken(rust))?;
                let known = known_fields(ty, &values);
                if !known.is_empty() && known.iter().map(|(name, _)| name).ne(names) {
                    return Err(other_fields(rust, names));
                }
                Fields::Packed(known, values)
            }
            Some(_) => return Err(not_readable(rust, cell)),
            None => Fields::Texts(texts(read_text(cell, rust)?).ok_or_else(|| malformed(rust))?),
        };
        let count = match &fields {
            Fields::Texts(texts) => texts.len(),
            Fields::Packed(_, values) => values.len(),
        };
        if count == names.len() {
            Ok(Self { rust, fields })
        } else {
            Err(other_fields(rust, names))
        }
    }

    /// Reads field `index`.
    ///
    /// # Errors
    /// `Decode` if it is no value of its type.
    pub fn field<T: Cell>(&self, index: usize) -> Result<T> {
        match &self.fields {
            Fields::Texts(texts) => match texts.get(index).ok_or_else(|| broken(self.rust))? {
                Some(text) => read_shown(text),
                None => T::unpack(CellRef::Null),
            },
            Fields::Packed(known, values) => {
                let (number, value) = values.get(index).ok_or_else(|| broken(self.rust))?;
                let Some(bytes) = value else { return T::unpack(CellRef::Null) };
                let known = known.get(index).map(|(_, column_type)| column_type.clone());
                let column_type = known.or_else(|| numbered_type(*number));
                T::unpack(CellRef::Packed(&column_type.unwrap_or_else(own::<T>), bytes))
            }
        }
    }
}

/// What is known of the fields; nothing where the type has changed since it became known.
fn known_fields<'a>(ty: &'a BinaryType, values: &[parts::Field<'_>]) -> &'a [(String, ColumnType)] {
    match ty {
        BinaryType::Composite(_, known) if known.len() == values.len() => known,
        _ => &[],
    }
}

/// The type of a field of which the server says only its number: what the Rust type takes it for.
fn own<T: Cell>() -> ColumnType {
    match T::column_type() {
        ColumnType::Other(name) => ColumnType::Binary(Box::new(BinaryType::Unknown(name))),
        own => own,
    }
}

/// The texts of the fields; `None` for NULL.
fn texts(text: &str) -> Option<Vec<Option<String>>> {
    let mut rest = text.strip_prefix('(')?;
    let mut texts = Vec::new();
    loop {
        let (item, behind) = quoted::take(rest, &[',', ')'])?;
        texts.push(item);
        match behind {
            ")" => return Some(texts),
            _ => rest = behind.strip_prefix(',')?,
        }
    }
}

#[cold]
fn broken(rust: &str) -> Error {
    damaged(&ColumnType::Other(format!("record for {rust}")))
}

#[cold]
fn other_fields(rust: &str, names: &[&str]) -> Error {
    unreadable(
        format!("a record has other fields than {rust}, or has them in another order"),
        SqlState::DATATYPE_MISMATCH,
    )
    .with_hint(format!("the composite type has to be ({})", names.join(", ")))
}
