//! A type made ready to read texts.

use super::{Reader, character, reader_of};
use crate::error::Result;
use crate::mapping::column_type::ColumnType;

/// A type made ready to read texts: which function reads it is found once, not once a field.
///
/// ```
/// use rowmill::{ColumnType, mapping::text::Input};
/// let input = Input::of(&ColumnType::Bool);
/// let mut packed = Vec::new();
/// input.read("yes", &mut packed)?;
/// input.read("off", &mut packed)?;
/// assert_eq!(packed, [1, 0]);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Input {
    column_type: ColumnType,
    reader: Reader,
}

impl Input {
    /// Makes a type ready.
    pub fn of(column_type: &ColumnType) -> Self {
        Self { column_type: column_type.clone(), reader: reader_of(column_type) }
    }

    /// The type it reads.
    pub fn column_type(&self) -> &ColumnType {
        &self.column_type
    }

    /// Appends the packed value of `text`, as [`input`](super::input) does.
    ///
    /// # Errors
    /// Those of [`input`](super::input).
    #[inline]
    pub fn read(&self, text: &str, out: &mut Vec<u8>) -> Result<()> {
        read(self.reader, &self.column_type, text, out)
    }
}

#[inline]
pub(super) fn read(
    reader: Reader,
    column_type: &ColumnType,
    text: &str,
    out: &mut Vec<u8>,
) -> Result<()> {
    let start = out.len();
    reader(column_type, text, out).map_err(|error| {
        out.truncate(start);
        // The server looks at the characters of a text before anything else does. No type reads
        // NUL, so it is looked for only where reading failed.
        character::no_nul(text).err().unwrap_or(error)
    })
}
