//! How a file is written.

use crate::error::{Error, ErrorKind, Result};

/// How a CSV file is written. The defaults are those of PostgreSQL's `COPY ... (FORMAT csv)`, with
/// a header line.
///
/// ```
/// use rowmill::CsvFormat;
/// let format = CsvFormat::new().delimiter(b';').nulls(["", "NULL"]);
/// format.check()?;
/// assert!(CsvFormat::new().delimiter(b'"').check().is_err());
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvFormat {
    delimiter: u8,
    quote: u8,
    escape: Option<u8>,
    header: bool,
    nulls: Vec<String>,
}

impl Default for CsvFormat {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            escape: None,
            header: true,
            nulls: vec![String::new()],
        }
    }
}

impl CsvFormat {
    /// Commas, double quotes, a header line; an empty field without quotes is NULL.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the byte between two fields.
    ///
    /// Default: a comma.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Sets the byte around fields that contain delimiters, quotes or line ends.
    ///
    /// Default: a double quote.
    #[must_use]
    pub fn quote(mut self, quote: u8) -> Self {
        self.quote = quote;
        self
    }

    /// Sets the byte that stands, inside quotes, before a quote or another escape that is part of
    /// the text.
    ///
    /// Default: the quote, so that a quote inside quotes is written twice.
    #[must_use]
    pub fn escape(mut self, escape: u8) -> Self {
        self.escape = Some(escape);
        self
    }

    /// Sets whether the first line names the fields.
    ///
    /// Default: yes. Without it, fields are taken by their position.
    #[must_use]
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// Sets the texts that mean NULL where they stand without any quote.
    ///
    /// Default: only the empty text. A list without it makes an empty field the empty text, as
    /// `NULL 'text'` does in PostgreSQL.
    #[must_use]
    pub fn nulls<T: Into<String>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        self.nulls = texts.into_iter().map(Into::into).collect();
        self
    }

    /// Checks that a file can be read with it; whatever opens a file asks this first.
    ///
    /// # Errors
    /// `Config` if the delimiter, the quote or the escape is not one printable byte of ASCII (or a
    /// tab), if the delimiter is the quote, or if a text of NULL could never stand in a file.
    pub fn check(&self) -> Result<()> {
        let bytes =
            [("delimiter", self.delimiter), ("quote", self.quote), ("escape", self.escape_byte())];
        for (option, byte) in bytes {
            if !byte.is_ascii() || matches!(byte, 0 | b'\r' | b'\n') {
                return Err(refused(format!(
                    "the {option} must be one ASCII character other than NUL and line ends"
                )));
            }
        }
        if self.delimiter == self.quote {
            return Err(refused("the delimiter and the quote must be different"));
        }
        // PostgreSQL looks for the end marker `\.` before it looks at quotes, so that a backslash
        // as the quote would make a line mean two things.
        if self.quote == b'\\' {
            return Err(refused("the quote must not be a backslash"));
        }
        for text in &self.nulls {
            check_null(text, self)?;
        }
        Ok(())
    }

    pub(super) fn delimiter_byte(&self) -> u8 {
        self.delimiter
    }

    pub(super) fn quote_byte(&self) -> u8 {
        self.quote
    }

    pub(super) fn escape_byte(&self) -> u8 {
        self.escape.unwrap_or(self.quote)
    }

    pub(super) fn has_header(&self) -> bool {
        self.header
    }

    pub(super) fn null_texts(&self) -> &[String] {
        &self.nulls
    }

    /// Everything that changes what a file means, for its fingerprint.
    pub(super) fn describe(&self) -> String {
        let escape = self.escape_byte();
        let Self { delimiter, quote, header, nulls, .. } = self;
        format!("delimiter {delimiter} quote {quote} escape {escape} header {header} {nulls:?}")
    }
}

/// Refuses a text of NULL that no field without quotes can have.
pub(super) fn check_null(text: &str, format: &CsvFormat) -> Result<()> {
    let impossible = |byte: u8| {
        matches!(byte, 0 | b'\r' | b'\n') || byte == format.delimiter || byte == format.quote
    };
    if text.bytes().any(impossible) {
        return Err(refused(
            "a text that means NULL must not contain the delimiter, the quote, NUL or a line end",
        ));
    }
    Ok(())
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// Whether a text without quotes is one of `nulls`.
#[inline]
pub(super) fn is_null(text: &str, nulls: &[String]) -> bool {
    match nulls {
        // The usual list, without a comparison of texts.
        [only] if only.is_empty() => text.is_empty(),
        nulls => nulls.iter().any(|null| null == text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_accepts_is_accepted() {
        for format in [
            CsvFormat::new(),
            CsvFormat::new().delimiter(b'\t'),
            CsvFormat::new().delimiter(b'x').quote(b'\''),
            CsvFormat::new().escape(b'\\'),
            CsvFormat::new().nulls(["", "\\N", "NULL"]),
        ] {
            format.check().unwrap();
        }
    }

    #[test]
    fn what_would_mean_two_things_is_refused() {
        for format in [
            CsvFormat::new().delimiter(b'"'),
            CsvFormat::new().delimiter(b'\n'),
            CsvFormat::new().delimiter(0),
            CsvFormat::new().delimiter(0xA7),
            CsvFormat::new().quote(b'\r'),
            CsvFormat::new().quote(b'\\'),
            CsvFormat::new().escape(b'\n'),
            CsvFormat::new().nulls(["a,b"]),
            CsvFormat::new().nulls(["\"\""]),
            CsvFormat::new().nulls(["a\nb"]),
        ] {
            assert_eq!(format.check().unwrap_err().kind(), ErrorKind::Config, "{format:?}");
        }
    }
}
