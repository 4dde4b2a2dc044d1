//! Parquet files, as a source and as a target.
//!
//! - `round_trip`: a table goes to a file and comes back, of every type, with the edges of each
//! - `values`:     any values of any number of rows come back, whatever the sizes of row groups are
//! - `foreign`:    what other programs write: every physical form, lists, structs, several files
//! - `broken`:     files that are damaged, encrypted, changed; rows with bad values
//! - `kill`:       kill -9, and the same command again
//! - `memory`:     ten times the rows, the same memory

mod broken;
mod foreign;
#[cfg(feature = "cli")]
mod kill;
#[cfg(feature = "cli")]
mod memory;
mod round_trip;
mod values;

use parquet::data_type::DataType;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use rowmill::{
    Bounds, ColumnType, CutLimits, Feed, Ident, Layout, ParquetColumn, ParquetColumns, Prepared,
};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// A file that is written by hand.
struct ByHand {
    writer: SerializedFileWriter<File>,
}

impl ByHand {
    fn create(path: &Path, schema: &str, properties: WriterProperties) -> Self {
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let file = File::create(path).unwrap();
        let writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
        Self { writer }
    }

    /// Writes a row group; `fill` writes its columns, in their order.
    fn group(&mut self, fill: impl FnOnce(&mut Group<'_>)) {
        let mut group = Group(self.writer.next_row_group().unwrap());
        fill(&mut group);
        group.0.close().unwrap();
    }

    fn end(self) {
        self.writer.close().unwrap();
    }
}

struct Group<'a>(SerializedRowGroupWriter<'a, File>);

impl Group<'_> {
    /// The next column, of which every row has a value.
    fn column<T: DataType>(&mut self, values: &[T::T]) -> &mut Self {
        self.levels::<T>(values, None, None)
    }

    /// The next column, with levels of definition and repetition.
    fn levels<T: DataType>(
        &mut self,
        values: &[T::T],
        definition: Option<&[i16]>,
        repetition: Option<&[i16]>,
    ) -> &mut Self {
        let mut column = self.0.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, definition, repetition).unwrap();
        column.close().unwrap();
        self
    }
}

fn column(name: &str, ty: &str) -> ParquetColumn {
    ParquetColumn::new(Ident::new(name).unwrap(), ColumnType::parse(ty).unwrap())
}

/// How a source is cut.
fn plan(source: &dyn Feed, rows: u64) -> Vec<Bounds> {
    let mut planned = Vec::new();
    source
        .plan(CutLimits::new(rows, 4 << 20), &mut |bounds| {
            planned.push(bounds);
            Ok(())
        })
        .unwrap();
    planned
}

/// All rows, as PostgreSQL prints their values, and the rejects.
fn read(source: &ParquetColumns, rows: u64) -> (Vec<Vec<Option<String>>>, Vec<String>) {
    let layout = Layout::new(source.columns().to_vec(), Vec::new());
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for bounds in plan(source, rows) {
        let mut prepared = Prepared::new(&layout);
        source.prepare(&bounds, &layout, &mut prepared).unwrap();
        for row in 0..prepared.rows.len() {
            let fields = prepared.rows.row(row).zip(&layout.columns);
            let shown = fields.map(|(field, column)| {
                field.map(|packed| {
                    let mut shown = String::new();
                    rowmill::mapping::text::output(&column.column_type, packed, &mut shown)
                        .unwrap();
                    shown
                })
            });
            good.push(shown.collect());
        }
        for refused in &prepared.refused {
            let raw = String::from_utf8(refused.origin.raw.clone()).unwrap();
            bad.push(format!("row {}: {} {raw}", refused.origin.row, refused.error));
        }
    }
    (good, bad)
}

/// The values of the first column.
fn first(source: &ParquetColumns, rows: u64) -> Vec<Option<String>> {
    let (good, bad) = read(source, rows);
    assert_eq!(bad, Vec::<String>::new());
    good.into_iter().map(|row| row.into_iter().next().unwrap()).collect()
}
