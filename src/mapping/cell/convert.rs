//! A cell, whatever it comes from, as a value of a column type.

use super::CellRef;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::{self, Input};
use crate::sqlstate::SqlState;

/// Makes packed values of one type of cells of any other: as the text that the cell prints would
/// be read.
#[derive(Clone, Debug)]
pub struct Converter(Input);

impl Converter {
    /// One for values of `column_type`.
    pub fn to(column_type: &ColumnType) -> Self {
        Self(Input::of(column_type))
    }

    /// The type it makes values of.
    pub fn column_type(&self) -> &ColumnType {
        self.0.column_type()
    }

    /// Appends the value of `cell`; `false` for NULL.
    ///
    /// # Errors
    /// `Encode` or `Decode` if the cell is no value of the type.
    pub fn pack(&self, cell: CellRef<'_>, out: &mut Vec<u8>) -> Result<bool> {
        match cell {
            CellRef::Null => return Ok(false),
            CellRef::Packed(column_type, bytes) if column_type == self.column_type() => {
                out.extend_from_slice(bytes);
            }
            CellRef::Packed(column_type, bytes) => {
                let mut shown = String::new();
                text::output(column_type, bytes, &mut shown)?;
                self.0.read(&shown, out)?;
            }
            CellRef::Text(shown) => self.0.read(shown, out)?,
            CellRef::Integer(number) => self.integer(number, out)?,
            CellRef::Real(number) => self.real(number, out)?,
            CellRef::Blob(bytes) => self.blob(bytes, out)?,
        }
        Ok(true)
    }

    fn integer(&self, number: i64, out: &mut Vec<u8>) -> Result<()> {
        match self.column_type() {
            ColumnType::Int8 => out.extend_from_slice(&number.to_be_bytes()),
            _ => self.0.read(&number.to_string(), out)?,
        }
        Ok(())
    }

    fn real(&self, number: f64, out: &mut Vec<u8>) -> Result<()> {
        match self.column_type() {
            ColumnType::Float8 => out.extend_from_slice(&number.to_be_bytes()),
            // A whole number is one, however it is kept; no exponent, which whole numbers lack.
            _ => self.0.read(&shown(number), out)?,
        }
        Ok(())
    }

    fn blob(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if *self.column_type() == ColumnType::Bytea {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Encode,
            format!("bytes where a value of type {} is expected", self.column_type()),
        )
        .with_sqlstate(SqlState::INVALID_TEXT))
    }
}

fn shown(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(sql: &str, cell: CellRef<'_>) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        Converter::to(&ColumnType::parse(sql)?).pack(cell, &mut out).map(|_| out)
    }

    #[test]
    fn a_cell_of_an_untyped_database_becomes_a_value_of_any_type_that_reads_it() {
        let seven = 7_i32.to_be_bytes();
        assert_eq!(packed("integer", CellRef::Integer(7)).unwrap(), seven);
        assert_eq!(packed("integer", CellRef::Text("7")).unwrap(), seven);
        assert_eq!(packed("integer", CellRef::Real(7.0)).unwrap(), seven);
        assert_eq!(packed("boolean", CellRef::Integer(1)).unwrap(), [1]);
        assert_eq!(packed("text", CellRef::Integer(-1)).unwrap(), b"-1");
        assert_eq!(packed("bytea", CellRef::Blob(b"\0")).unwrap(), [0]);
        assert_eq!(packed("double precision", CellRef::Real(0.1)).unwrap(), 0.1_f64.to_be_bytes());
        assert_eq!(packed("bigint", CellRef::Packed(&ColumnType::Int4, &seven)).unwrap()[7], 7);
    }

    #[test]
    fn what_is_no_value_of_the_type_costs_a_row() {
        for (sql, cell) in [
            ("integer", CellRef::Integer(1 << 40)),
            ("integer", CellRef::Real(0.5)),
            ("date", CellRef::Text("soon")),
            ("text", CellRef::Blob(b"x")),
            ("text", CellRef::Text("a\0b")),
        ] {
            assert!(packed(sql, cell).unwrap_err().is_data(), "{sql} {cell:?}");
        }
    }
}
