//! Reads the values of one column from the pages of a row group.

use super::chunks::{broken, guarded};
use super::kind::Kind;
use super::leaf::{Leaf, Shape};
use super::values::{Fault, Values};
use crate::error::Result;
use crate::mapping::cell::array::packed_array;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use std::fmt::Debug;
use std::ops::Range;

/// A column of a row group, read forward.
pub(super) struct Column {
    leaf: Leaf,
    reader: ColumnReader,
    levels: Levels,
}

/// The levels of the values that were read last, and the elements of a list.
#[derive(Default)]
struct Levels {
    definition: Vec<i16>,
    repetition: Vec<i16>,
    elements: Vec<Option<Range<usize>>>,
    bytes: Vec<u8>,
}

/// Calls a function of the reader, whatever its type is.
macro_rules! each_type {
    ($reader:expr, $name:ident => $work:expr) => {
        match $reader {
            ColumnReader::BoolColumnReader($name) => $work,
            ColumnReader::Int32ColumnReader($name) => $work,
            ColumnReader::Int64ColumnReader($name) => $work,
            ColumnReader::Int96ColumnReader($name) => $work,
            ColumnReader::FloatColumnReader($name) => $work,
            ColumnReader::DoubleColumnReader($name) => $work,
            ColumnReader::ByteArrayColumnReader($name) => $work,
            ColumnReader::FixedLenByteArrayColumnReader($name) => $work,
        }
    };
}

impl Column {
    pub(super) fn new(leaf: Leaf, reader: ColumnReader) -> Self {
        Self { leaf, reader, levels: Levels::default() }
    }

    /// Passes over rows.
    ///
    /// # Errors
    /// `Source` if the pages are damaged or cannot be read.
    pub(super) fn skip(&mut self, rows: u64) -> Result<()> {
        let rows = rows as usize;
        let skipped =
            guarded(|| each_type!(&mut self.reader, reader => reader.skip_records(rows)))?;
        if skipped == rows { Ok(()) } else { Err(ends_early()) }
    }

    /// Reads the values of the next rows.
    ///
    /// # Errors
    /// `Source` if the pages are damaged or cannot be read.
    pub(super) fn read(&mut self, rows: u64) -> Result<Values> {
        let Self { leaf, reader, levels } = self;
        let (kind, rows) = (leaf.kind, rows as usize);
        match reader {
            ColumnReader::BoolColumnReader(reader) => pull(leaf, reader, rows, levels, |v, out| {
                Kind::boolean(*v, out);
                Ok(())
            }),
            ColumnReader::Int32ColumnReader(reader) => {
                pull(leaf, reader, rows, levels, |v, out| kind.int32(*v, out))
            }
            ColumnReader::Int64ColumnReader(reader) => {
                pull(leaf, reader, rows, levels, |v, out| kind.int64(*v, out))
            }
            ColumnReader::Int96ColumnReader(reader) => {
                pull(leaf, reader, rows, levels, Kind::int96)
            }
            ColumnReader::FloatColumnReader(reader) => {
                pull(leaf, reader, rows, levels, |v, out| {
                    out.extend_from_slice(&v.to_be_bytes());
                    Ok(())
                })
            }
            ColumnReader::DoubleColumnReader(reader) => {
                pull(leaf, reader, rows, levels, |v, out| {
                    out.extend_from_slice(&v.to_be_bytes());
                    Ok(())
                })
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                pull(leaf, reader, rows, levels, |v, out| kind.bytes(v.data(), out))
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                pull(leaf, reader, rows, levels, |v, out| kind.bytes(v.data(), out))
            }
        }
    }
}

fn ends_early() -> crate::error::Error {
    broken("a column has fewer rows than its row group")
}

fn pull<T: DataType>(
    leaf: &Leaf,
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    levels: &mut Levels,
    pack: impl FnMut(&T::T, &mut Vec<u8>) -> Result<(), Fault>,
) -> Result<Values>
where
    T::T: Debug,
{
    levels.definition.clear();
    levels.repetition.clear();
    let mut found = Vec::new();
    let mut read = 0;
    while read < rows {
        let (definition, repetition) = (&mut levels.definition, &mut levels.repetition);
        let (more, _, _) = guarded(|| {
            reader.read_records(rows - read, Some(definition), Some(repetition), &mut found)
        })?;
        if more == 0 {
            return Err(ends_early());
        }
        read += more;
    }
    let values = match leaf.shape {
        Shape::Flat(0) => every(&found, pack),
        Shape::Flat(value) => flat(&found, &levels.definition, value, pack)?,
        Shape::List { element, value } => {
            let lists = Lists { kind: leaf.kind, element, value };
            lists.read(&found, levels, pack)?
        }
    };
    if values.len() == rows { Ok(values) } else { Err(ends_early()) }
}

/// Every row has a value.
fn every<T: Debug>(
    found: &[T],
    mut pack: impl FnMut(&T, &mut Vec<u8>) -> Result<(), Fault>,
) -> Values {
    let mut values = Values::default();
    for value in found {
        values.push(|out| pack(value, out), || shown(value));
    }
    values
}

fn flat<T: Debug>(
    found: &[T],
    definition: &[i16],
    there: i16,
    mut pack: impl FnMut(&T, &mut Vec<u8>) -> Result<(), Fault>,
) -> Result<Values> {
    let mut values = Values::default();
    let mut next = found.iter();
    for level in definition {
        if *level == there {
            let value = next.next().ok_or_else(ends_early)?;
            values.push(|out| pack(value, out), || shown(value));
        } else {
            values.null();
        }
    }
    Ok(values)
}

/// A value in words, for the reject store.
fn shown(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// How lists are read.
struct Lists {
    kind: Kind,
    element: i16,
    value: i16,
}

impl Lists {
    fn read<T: Debug>(
        &self,
        found: &[T],
        levels: &mut Levels,
        mut pack: impl FnMut(&T, &mut Vec<u8>) -> Result<(), Fault>,
    ) -> Result<Values> {
        let mut values = Values::default();
        let mut next = found.iter();
        let Levels { definition, repetition, elements, bytes } = levels;
        let mut at = 0;
        while at < definition.len() {
            // The level 0 of repetition begins a row.
            let rest = repetition.get(at + 1..).unwrap_or_default();
            let end = at + 1 + rest.iter().take_while(|level| **level > 0).count();
            elements.clear();
            bytes.clear();
            let mut fault = None;
            for level in &definition[at..end.min(definition.len())] {
                if *level == self.value {
                    let value = next.next().ok_or_else(ends_early)?;
                    let start = bytes.len();
                    if let Err(why) = pack(value, bytes) {
                        fault = Some((why, shown(value)));
                    }
                    elements.push(Some(start..bytes.len()));
                } else if *level >= self.element {
                    elements.push(None);
                }
            }
            match fault {
                Some((why, shown)) => values.push(|_| Err(why), || shown),
                // One level below that of an element, the list is there and empty.
                None if elements.is_empty() && definition[at] + 1 < self.element => values.null(),
                None => values.push(|out| self.pack(elements, bytes, out), String::new),
            }
            at = end;
        }
        Ok(values)
    }

    fn pack(
        &self,
        elements: &[Option<Range<usize>>],
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let items = elements.iter().map(|range| range.clone().and_then(|range| bytes.get(range)));
        let packed = packed_array(&self.kind.column_type(), items).ok_or(Fault::Length("array"))?;
        out.extend_from_slice(&packed);
        Ok(())
    }
}
