//! Rows as CSV, as PostgreSQL's `COPY ... TO (FORMAT csv)` writes them.

use super::target::{FileFormat, FileTarget};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::Fields;
use crate::mapping::text;
use std::path::Path;

/// A CSV file that a job writes; [`CsvFile::create`] begins one.
///
/// It is what PostgreSQL's `COPY ... TO (FORMAT csv, HEADER)` would write, and what `COPY ... FROM`
/// and rowmill's own source read back as the same values: NULL is an empty field, the empty text
/// is `""`.
///
/// ```
/// use rowmill::{CsvFile, Entity, Iter, Job};
/// #[derive(Entity)]
/// #[entity(table = "squares")]
/// struct Square { #[entity(key)] n: i64, square: i64 }
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("squares.csv");
///
/// let file = CsvFile::create(&path);
/// let report = Job::named("squares")
///     .read(Iter::new("numbers", || 1..=3_i64))
///     .map(|n| Ok(Square { n, square: n * n }))
///     .write_file(file.clone())
///     .run(&file.ledger()?)?;
/// assert_eq!(report.written, 3);
/// assert_eq!(std::fs::read_to_string(&path)?, "n,square\n1,1\n2,4\n3,9\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvFile;

impl CsvFile {
    /// A CSV file at `path`; a folder of parts if `path` ends in a slash.
    pub fn create(path: impl AsRef<Path>) -> FileTarget {
        FileTarget::new(path.as_ref(), FileFormat::Csv(CsvOptions::default()))
    }
}

/// How CSV is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CsvOptions {
    /// The byte between two fields. Default: a comma.
    pub delimiter: u8,
    /// The byte around a field that needs it. Default: a double quote.
    pub quote: u8,
    /// Whether the first line names the columns. Default: yes.
    pub header: bool,
    /// The text of NULL. Default: the empty text.
    pub null: String,
    /// Whether a text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`,
    /// `@`, a tab or a carriage return) gets an apostrophe before it. Default: no; the file then
    /// no longer reads back as the same values.
    pub neutralise_formulas: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            header: true,
            null: String::new(),
            neutralise_formulas: false,
        }
    }
}

impl CsvOptions {
    /// Checks that what is written can be read.
    ///
    /// # Errors
    /// `Config`.
    pub fn check(&self) -> Result<()> {
        let usable = |byte: u8| byte.is_ascii() && !matches!(byte, 0 | b'\r' | b'\n');
        let impossible = |byte: u8| !usable(byte) || byte == self.delimiter || byte == self.quote;
        let what = if !usable(self.delimiter) || !usable(self.quote) || self.quote == b'\\' {
            "the delimiter and the quote must each be one ASCII character other than a line end"
        } else if self.delimiter == self.quote {
            "the delimiter and the quote must be different"
        } else if self.null.bytes().filter(u8::is_ascii).any(impossible) {
            "the text of NULL must not contain the delimiter, the quote, NUL or a line end"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Config, what))
    }

    /// The line with the names of the columns.
    pub(super) fn header_line(&self, columns: &[Column], out: &mut String) {
        for (index, column) in columns.iter().enumerate() {
            self.separate(index, out);
            self.push(column.name.as_str(), columns.len() == 1, out);
        }
        out.push('\n');
    }

    /// A row.
    pub(super) fn row(
        &self,
        columns: &[Column],
        fields: Fields<'_>,
        shown: &mut String,
        out: &mut String,
    ) -> Result<()> {
        for (index, (column, field)) in columns.iter().zip(fields).enumerate() {
            self.separate(index, out);
            let Some(packed) = field else {
                out.push_str(&self.null);
                continue;
            };
            shown.clear();
            if self.neutralise_formulas && is_text(&column.column_type) {
                shown.push('\'');
                text::output(&column.column_type, packed, shown)?;
                if !shown[1..].starts_with(['=', '+', '-', '@', '\t', '\r']) {
                    shown.remove(0);
                }
            } else {
                text::output(&column.column_type, packed, shown)?;
            }
            self.push(shown, columns.len() == 1, out);
        }
        out.push('\n');
        Ok(())
    }

    fn separate(&self, index: usize, out: &mut String) {
        if index > 0 {
            out.push(char::from(self.delimiter));
        }
    }

    /// Appends a field, in quotes where `CopyAttributeOutCSV` has them.
    fn push(&self, text: &str, alone: bool, out: &mut String) {
        let (delimiter, quote) = (char::from(self.delimiter), char::from(self.quote));
        let special = |letter: char| {
            letter == delimiter || letter == quote || letter == '\n' || letter == '\r'
        };
        // A line of nothing but `\.` would end a COPY.
        if text != self.null && !text.contains(special) && !(alone && text == "\\.") {
            out.push_str(text);
            return;
        }
        out.push(quote);
        for letter in text.chars() {
            if letter == quote {
                out.push(quote);
            }
            out.push(letter);
        }
        out.push(quote);
    }
}

/// Whether its values are texts of people, and not numbers or times.
fn is_text(column_type: &ColumnType) -> bool {
    matches!(
        column_type,
        ColumnType::Text
            | ColumnType::Varchar(_)
            | ColumnType::Char(_)
            | ColumnType::Enum(_)
            | ColumnType::Other(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Ident;
    use crate::mapping::rows::Rows;

    fn lines(options: &CsvOptions, fields: &[Option<&str>]) -> String {
        let columns: Vec<_> = (0..fields.len())
            .map(|n| Column::new(Ident::new(format!("c{n}")).unwrap(), ColumnType::Text))
            .collect();
        let mut rows = Rows::new(fields.len() as u16);
        let mut row = rows.begin();
        for field in fields {
            match field {
                Some(text) => row.field(text.as_bytes()).unwrap(),
                None => row.null(),
            }
        }
        row.finish().unwrap();
        let (mut shown, mut out) = (String::new(), String::new());
        options.row(&columns, rows.row(0), &mut shown, &mut out).unwrap();
        out
    }

    #[test]
    fn null_and_the_empty_text_differ() {
        let plain = CsvOptions::default();
        assert_eq!(lines(&plain, &[None, Some(""), Some("a b")]), ",\"\",a b\n");
        let named = CsvOptions { null: "NULL".into(), ..plain };
        assert_eq!(lines(&named, &[None, Some(""), Some("NULL")]), "NULL,,\"NULL\"\n");
    }

    #[test]
    fn what_would_be_taken_for_something_else_is_quoted() {
        let plain = CsvOptions::default();
        assert_eq!(lines(&plain, &[Some("a,\"b\""), Some("x\ny")]), "\"a,\"\"b\"\"\",\"x\ny\"\n");
        assert_eq!(lines(&plain, &[Some("\\.")]), "\"\\.\"\n");
        assert_eq!(lines(&plain, &[Some("\\."), Some("x")]), "\\.,x\n");
    }

    #[test]
    fn formulas_are_neutralised_only_where_asked_to() {
        let plain = CsvOptions::default();
        assert_eq!(lines(&plain, &[Some("=1+1")]), "=1+1\n");
        let safe = CsvOptions { neutralise_formulas: true, ..plain };
        assert_eq!(lines(&safe, &[Some("=1+1"), Some("a=1"), Some("@x")]), "'=1+1,a=1,'@x\n");
    }

    #[test]
    fn options_that_would_mean_two_things_are_refused() {
        let plain = CsvOptions::default();
        plain.check().unwrap();
        for options in [
            CsvOptions { delimiter: b'"', ..plain.clone() },
            CsvOptions { delimiter: b'\n', ..plain.clone() },
            CsvOptions { quote: b'\\', ..plain.clone() },
            CsvOptions { null: "a,b".into(), ..plain.clone() },
        ] {
            assert_eq!(options.check().unwrap_err().kind(), ErrorKind::Config);
        }
    }
}
