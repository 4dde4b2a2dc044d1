//! The columns of a CSV file.

use super::column::{From, Guessed};
use super::dialect::{self, Dialect};
use super::header::{self, First};
use super::look::Sample;
use super::names::Names;
use super::observed::Observed;
use super::{Found, Shape};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::mapping::column_type::ColumnType;
use crate::source::csv::{CsvColumn, CsvColumns, CsvFormat};
use crate::source::input::{Compression, Files};
use std::ops::Range;

/// A field that can become a column.
struct Field {
    /// Its position, from 1.
    position: usize,
    /// Its name, in a file with a header.
    name: Option<String>,
}

impl Field {
    fn source(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.position.to_string())
    }
}

pub(super) fn look_at(files: &Files, head: &[u8]) -> Result<Found> {
    let dialect = dialect::find(head);
    let (first, rest) = first_rows(files, dialect)?;
    let is_header = header::find(&first, &rest);
    let mut notes = Vec::new();
    if dialect.share < 90 {
        notes.push(format!(
            "only {}% of the first lines have {} fields",
            dialect.share, dialect.width
        ));
    }
    if dialect.first != dialect.width {
        let Dialect { first, width, .. } = dialect;
        notes.push(format!("the first line has {first} fields, most others have {width}"));
    }
    if is_header == First::LikelyNames {
        notes.push("the first line was taken for names; if it is a row: header = false".to_owned());
    }
    let header = is_header != First::Row;
    let fields = fields(&first, header, &mut notes);
    let format = format(dialect).header(header);
    let feed = open(files, format.clone(), &fields)?;
    let sample = Sample::of(&feed)?;
    let mut observed: Vec<_> = fields.iter().map(|_| Observed::new()).collect();
    let extent = sample.rows(&feed, &mut |row| {
        observed.iter_mut().zip(row).for_each(|(column, value)| column.see(*value));
    })?;
    let mut nulls = vec![String::new()];
    if observed.iter().any(|column| column.null_texts().contains(&"\\N")) {
        nulls.push("\\N".to_owned());
    }
    let mut columns = named(&fields, &observed, &nulls);
    let format = format.nulls(nulls.clone());
    Proof { files, format, fields: &fields, sample: &sample, broken: extent.broken }
        .give(&mut columns)?;
    let source = Shape::Csv { dialect, header, nulls };
    Ok(Found { source, compression: Compression::None, columns, notes, extent })
}

fn format(dialect: Dialect) -> CsvFormat {
    let Dialect { delimiter, quote, escape, .. } = dialect;
    CsvFormat::new().delimiter(delimiter).quote(quote).escape(escape)
}

type Row = Vec<Option<String>>;

/// The first row and some behind it, whatever they are.
fn first_rows(files: &Files, dialect: Dialect) -> Result<(Row, Vec<Row>)> {
    let fields: Vec<_> =
        (1..=dialect.first).map(|position| Field { position, name: None }).collect();
    let feed = open(files, format(dialect).header(false), &fields)?;
    let mut rows = Vec::new();
    Sample::beginning_of(&feed)?.rows(&feed, &mut |row| {
        rows.push(row.iter().map(|field| field.map(str::to_owned)).collect());
    })?;
    if rows.is_empty() {
        let error = Error::new(ErrorKind::Source, "no row can be read: is it a CSV file?");
        return Err(
            error.with_hint("CSV and NDJSON files in UTF-8 are known, also compressed ones")
        );
    }
    Ok((rows.remove(0), rows))
}

/// The fields that can become columns.
fn fields(first: &Row, header: bool, notes: &mut Vec<String>) -> Vec<Field> {
    let mut fields = Vec::with_capacity(first.len());
    for (place, name) in first.iter().enumerate() {
        let position = place + 1;
        if !header {
            fields.push(Field { position, name: None });
            continue;
        }
        match name {
            Some(name) if !name.contains('\0') => {
                fields.push(Field { position, name: Some(name.clone()) });
            }
            _ => notes.push(format!("field {position} has no name and is left out")),
        }
    }
    fields
}

fn open(files: &Files, format: CsvFormat, fields: &[Field]) -> Result<CsvColumns> {
    let column = |field: &Field| -> Result<CsvColumn> {
        let name = Ident::new(format!("c{}", field.position))?;
        Ok(CsvColumn::new(name, ColumnType::Text).from(field.source()))
    };
    CsvColumns::open(files.clone(), format, fields.iter().map(column).collect::<Result<_>>()?)
}

fn named(fields: &[Field], observed: &[Observed], nulls: &[String]) -> Vec<Guessed> {
    let mut names = Names::default();
    let column = |(field, observed): (&Field, &Observed)| {
        let Some(header) = &field.name else {
            let name = names.give(&format!("column_{}", field.position));
            return Guessed::of(name, Some(From::Position(field.position)), observed, nulls);
        };
        let name = names.give(header);
        let from = (name != *header).then(|| From::Field(header.clone()));
        Guessed::of(name, from, observed, nulls)
    };
    fields.iter().zip(observed).map(column).collect()
}

/// Reads the rows once more as the job will.
struct Proof<'a> {
    files: &'a Files,
    format: CsvFormat,
    fields: &'a [Field],
    sample: &'a Sample,
    /// How many rows are broken whatever the columns are.
    broken: u64,
}

impl Proof<'_> {
    /// Makes text of what does not load: a marker of NULL that stands in quotes, for one.
    fn give(&self, columns: &mut [Guessed]) -> Result<()> {
        // ORDER: all at once first; nearly always that is the only time.
        if self.loads(columns, 0..columns.len())? {
            return Ok(());
        }
        for place in 0..columns.len() {
            if columns[place].column_type != ColumnType::Text
                && !self.loads(columns, place..place + 1)?
            {
                columns[place].column_type = ColumnType::Text;
                columns[place].nulls = None;
                columns[place].note =
                    Some("some texts stand in quotes and are no values".to_owned());
            }
        }
        Ok(())
    }

    fn loads(&self, columns: &[Guessed], places: Range<usize>) -> Result<bool> {
        let column = |place: usize| -> Result<CsvColumn> {
            let Guessed { name, column_type, nulls, .. } = &columns[place];
            let column = CsvColumn::new(Ident::new(name)?, column_type.clone())
                .from(self.fields[place].source());
            Ok(match nulls {
                Some(nulls) => column.nulls(nulls.clone()),
                None => column,
            })
        };
        let columns = places.map(column).collect::<Result<_>>()?;
        let feed = CsvColumns::open(self.files.clone(), self.format.clone(), columns)?;
        Ok(self.sample.rows(&feed, &mut |_| {})?.broken <= self.broken)
    }
}
