//! A file that is being written.

use super::group::Group;
use super::options::ParquetOptions;
use super::schema::{self, Storage};
use super::values::{Encoding, elements};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::Rows;
use crate::sink::file::assemble::read;
use crate::sink::file::part::{Extent, NewPart, Out};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray,
    FixedLenByteArrayType, FloatType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// So many rows of a column are made values at once.
const BATCH_ROWS: usize = 4_096;

/// Writes the rows of a batch as a whole file, which will be called `path`.
pub(in crate::sink::file) fn whole(
    path: PathBuf,
    temporary: PathBuf,
    options: &ParquetOptions,
    columns: &[Column],
    rows: &Rows,
) -> Result<NewPart> {
    let mut writer = Writer::create(temporary, options, columns)?;
    writer.push(rows.tuples(0..rows.len()))?;
    let mut part = writer.end(path)?;
    part.extent.rows = rows.len() as u64;
    Ok(part)
}

/// Writes the rows of a batch packed, for [`assemble`].
pub(in crate::sink::file) fn packed(
    path: PathBuf,
    temporary: PathBuf,
    rows: &Rows,
) -> Result<NewPart> {
    let mut out = Out::create(temporary)?;
    out.write(rows.tuples(0..rows.len()))?;
    let mut part = out.end(path)?;
    part.extent.rows = rows.len() as u64;
    Ok(part)
}

/// Makes one file of packed parts, which will be called `path`. `halted` is asked now and then.
pub(in crate::sink::file) fn assemble(
    path: PathBuf,
    temporary: PathBuf,
    options: &ParquetOptions,
    columns: &[Column],
    parts: &[(PathBuf, Extent)],
    halted: &dyn Fn() -> Result<()>,
) -> Result<NewPart> {
    let mut writer = Writer::create(temporary, options, columns)?;
    for (part, extent) in parts {
        read(part, extent, &mut |piece| {
            halted()?;
            writer.push(piece)
        })?;
    }
    let mut whole = writer.end(path)?;
    whole.extent.rows = parts.iter().map(|(_, extent)| extent.rows).sum();
    Ok(whole)
}

struct Writer<'a> {
    file: SerializedFileWriter<Out>,
    group: Group,
    columns: &'a [Column],
    row_group_rows: u64,
}

impl<'a> Writer<'a> {
    fn create(temporary: PathBuf, options: &ParquetOptions, columns: &'a [Column]) -> Result<Self> {
        let schema = schema::schema(columns).map_err(failed)?;
        let properties = Arc::new(schema::properties(options));
        let out = Out::create(temporary)?;
        let file = SerializedFileWriter::new(out, schema, properties).map_err(failed)?;
        let row_group_rows = options.row_group_rows;
        Ok(Self { file, group: Group::default(), columns, row_group_rows })
    }

    /// Adds packed rows, of which the last may go on in the bytes that come next.
    fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            bytes = &bytes[self.group.take(bytes, self.row_group_rows)..];
            if self.group.is_full(self.row_group_rows) {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let fields = self.group.fields(self.columns.len());
        let mut group = self.file.next_row_group().map_err(failed)?;
        for (at, column) in self.columns.iter().enumerate() {
            let values = fields.iter().skip(at).step_by(self.columns.len()).copied();
            let next = group.next_column().map_err(failed)?;
            let writer = next.ok_or_else(|| {
                Error::new(ErrorKind::Internal, "the schema has fewer columns than the rows")
            })?;
            write(writer, column, values)
                .locate(|place| place.column = Some(column.name.as_str().to_owned()))?;
        }
        group.close().map_err(failed)?;
        drop(fields);
        self.group.clear();
        Ok(())
    }

    fn end(mut self, path: PathBuf) -> Result<NewPart> {
        self.group.whole()?;
        if self.group.rows() > 0 {
            self.flush()?;
        }
        self.file.into_inner().map_err(failed)?.end(path)
    }
}

/// Writes the values of a column of a row group.
fn write<'v>(
    mut writer: SerializedColumnWriter<'_>,
    column: &Column,
    values: impl Iterator<Item = Option<&'v [u8]>>,
) -> Result<()> {
    let (element, is_list) = match &column.column_type {
        ColumnType::Array(element) => (&**element, true),
        plain => (plain, false),
    };
    let encoding = Encoding::of(element);
    let shape = Shape { nullable: column.nullable, is_list };
    let bytes = |packed: &[u8]| encoding.bytes(packed).map(ByteArray::from);
    match encoding.storage {
        Storage::Bool => shape.write::<BoolType>(&mut writer, values, Encoding::boolean),
        Storage::Int2 | Storage::Int4 | Storage::Date | Storage::Decimal4(_) => {
            shape.write::<Int32Type>(&mut writer, values, |packed| encoding.int32(packed))
        }
        Storage::Int8 | Storage::Time | Storage::Timestamp | Storage::Decimal8(_) => {
            shape.write::<Int64Type>(&mut writer, values, |packed| encoding.int64(packed))
        }
        Storage::Float4 => shape.write::<FloatType>(&mut writer, values, Encoding::float),
        Storage::Float8 => shape.write::<DoubleType>(&mut writer, values, Encoding::double),
        Storage::Uuid | Storage::Decimal16(_) => {
            shape.write::<FixedLenByteArrayType>(&mut writer, values, |packed| {
                bytes(packed).map(FixedLenByteArray::from)
            })
        }
        Storage::Bytes | Storage::Printed => {
            shape.write::<ByteArrayType>(&mut writer, values, bytes)
        }
    }?;
    writer.close().map_err(failed)
}

/// How the levels of a column are written.
#[derive(Clone, Copy)]
struct Shape {
    nullable: bool,
    is_list: bool,
}

/// Values of some rows, and their levels.
struct Piece<T> {
    values: Vec<T>,
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

impl Shape {
    fn write<'v, T: DataType>(
        self,
        writer: &mut SerializedColumnWriter<'_>,
        mut values: impl Iterator<Item = Option<&'v [u8]>>,
        encode: impl Fn(&[u8]) -> Result<T::T>,
    ) -> Result<()> {
        let (values_of, mut rows) = (&mut values, BATCH_ROWS);
        let mut piece =
            Piece { values: Vec::new(), definition: Vec::new(), repetition: Vec::new() };
        while rows == BATCH_ROWS {
            piece.values.clear();
            piece.definition.clear();
            piece.repetition.clear();
            rows = 0;
            for value in values_of.take(BATCH_ROWS) {
                self.add(value, &encode, &mut piece)?;
                rows += 1;
            }
            if rows > 0 {
                let definition = (self.nullable || self.is_list).then_some(&*piece.definition);
                let repetition = self.is_list.then_some(&*piece.repetition);
                let typed = writer.typed::<T>();
                typed.write_batch(&piece.values, definition, repetition).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Adds what a row has. Of a list: below the level of the list there is none, at it there is an
    /// empty one, above it an element, and above that its value.
    fn add<T>(
        self,
        value: Option<&[u8]>,
        encode: &impl Fn(&[u8]) -> Result<T>,
        piece: &mut Piece<T>,
    ) -> Result<()> {
        let there = i16::from(self.nullable);
        let Some(packed) = value else {
            piece.definition.push(0);
            piece.repetition.push(0);
            return Ok(());
        };
        if !self.is_list {
            piece.values.push(encode(packed)?);
            piece.definition.push(there);
            return Ok(());
        }
        let before = piece.repetition.len();
        for element in elements(packed)? {
            piece.repetition.push(i16::from(piece.repetition.len() > before));
            match element? {
                Some(element) => {
                    piece.values.push(encode(element)?);
                    piece.definition.push(there + 2);
                }
                None => piece.definition.push(there + 1),
            }
        }
        if piece.repetition.len() == before {
            piece.repetition.push(0);
            piece.definition.push(there);
        }
        Ok(())
    }
}

#[cold]
fn failed(error: ParquetError) -> Error {
    let internal = |what: String| Error::new(ErrorKind::Internal, what);
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(failed) => match failed.downcast::<Error>() {
                // The disk is full, or the like: what our own file said.
                Ok(own) => own,
                Err(other) => Error::new(ErrorKind::Sink, format!("cannot write: {other}")),
            },
            Err(other) => internal(format!("the Parquet writer failed: {other}")),
        },
        other => internal(format!("the Parquet writer failed: {other}")),
    }
}

impl io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::write(self, bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
