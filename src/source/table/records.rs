//! Rows of a table from their records in the reject store.
//!
//! What is replayed is the row as it was rejected, and not what its table has now: the reject store
//! is the input, also where the source cannot be reached.

use super::columns::TableColumns;
use super::position::RENAMED;
use super::selection::Handling;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::ident::Ident;
use crate::mapping::layout::Layout;
use crate::mapping::rows::RowWriter;
use crate::mapping::text::Input;
use crate::source::bounds::Origin;
use crate::source::prepared::{Prepared, Stage};
use serde_json::{Map, Value};

/// How the values of a record become a row of a layout.
pub(super) struct Records<'a> {
    layout: &'a Layout,
    fields: &'a [(Ident, Handling)],
    inputs: Vec<Input>,
}

impl<'a> Records<'a> {
    /// # Errors
    /// `Internal` if the layout is another one than that of the source.
    pub(super) fn of(source: &'a TableColumns, layout: &'a Layout) -> Result<Self> {
        let fields = source.fields();
        if layout.columns.len() != fields.len() {
            return Err(Error::new(ErrorKind::Internal, "the layout is not that of the source"));
        }
        let inputs = layout.columns.iter().map(|column| Input::of(&column.column_type)).collect();
        Ok(Self { layout, fields, inputs })
    }

    /// Packs the row of a record, or refuses it; an error is no fault of the record.
    pub(super) fn take(&self, index: u32, record: &[u8], out: &mut Prepared) -> Result<()> {
        let nowhere = || Origin::of_row(0, Vec::new());
        let Some((values, is_renamed)) = read(record) else {
            let error = Error::new(ErrorKind::Decode, "the record is no row of a table");
            out.refuse(index, nowhere(), Stage::Parse, error);
            return Ok(());
        };
        let packed = out.push(index, self.layout, |row| {
            (0..self.inputs.len()).try_for_each(|at| self.field(at, &values, is_renamed, row))
        });
        match packed {
            Err(error) if error.is_data() => {
                out.refuse(index, nowhere(), Stage::Convert, error);
                Ok(())
            }
            packed => packed,
        }
    }

    fn field(
        &self,
        at: usize,
        values: &Map<String, Value>,
        is_renamed: bool,
        row: &mut RowWriter<'_>,
    ) -> Result<()> {
        let (from, handling) = &self.fields[at];
        let name = self.layout.columns[at].name.as_str();
        let packed = match values.get(if is_renamed { name } else { from.as_str() }) {
            Some(Value::Null) => {
                row.null();
                Ok(())
            }
            Some(Value::String(text)) => handling.pack(text, &self.inputs[at], row),
            _ => Err(Error::new(ErrorKind::Decode, "the record has no such column")),
        };
        packed.locate(|place| place.column = Some(name.to_owned()))
    }
}

/// The values of a record, and whether they are called as the target calls them.
fn read(record: &[u8]) -> Option<(Map<String, Value>, bool)> {
    let Value::Object(mut record) = serde_json::from_slice(record).ok()? else { return None };
    let is_renamed = record.contains_key(RENAMED);
    match record.remove("row")? {
        Value::Object(values) => Some((values, is_renamed)),
        _ => None,
    }
}
