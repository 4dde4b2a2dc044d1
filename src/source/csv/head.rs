//! What stands before the first row, and the shape it announces.

use super::fault::Fault;
use super::format::CsvFormat;
use super::line_end::LineEnd;
use super::record::Records;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::source::input::{skip_mark, unreadable};
use std::io::BufRead;

const MAX_HEADER_BYTES: usize = 16 << 20;

/// What the beginning of a file says of the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// What ends its lines.
    pub(super) line_end: LineEnd,
    /// The names of the fields, where the file has a header.
    pub(super) names: Option<Vec<String>>,
    /// How many fields the first line has; 0 in an empty file.
    pub(super) fields: usize,
    /// The byte at which the first row begins.
    pub(super) start: u64,
    /// The line on which it begins, from 1.
    pub(super) line: u64,
}

impl Head {
    /// Reads the beginning of a file.
    ///
    /// # Errors
    /// `Source` if it cannot be read, is empty where a header is expected, or does not begin as a
    /// UTF-8 file does.
    pub(super) fn read(mut input: impl BufRead, format: &CsvFormat) -> Result<Self> {
        let mark = skip_mark(&mut input)?;
        let first = FirstLine::read(&mut input, format)?;
        if !format.has_header() {
            let FirstLine { line_end, fields, .. } = first;
            return Ok(Self { line_end, names: None, fields, start: mark, line: 1 });
        }
        if first.size == 0 {
            return Err(source("the file is empty: expected a header line"));
        }
        let names = read_names(&first, format)?;
        let start = mark + first.size;
        let breaks = memchr::memchr_iter(first.line_end.counted(), &first.bytes).count() as u64;
        let fields = names.len();
        Ok(Self { line_end: first.line_end, names: Some(names), fields, start, line: 1 + breaks })
    }
}

fn read_names(first: &FirstLine, format: &CsvFormat) -> Result<Vec<String>> {
    let mut records = Records::new(&first.bytes, format, first.line_end);
    let faulty = |fault: Fault| {
        let error = fault.error(|field| field.to_string());
        let mut refused = source(format!("the header line cannot be read: {}", error.message()));
        if let Some(hint) = error.hint() {
            refused = refused.with_hint(hint);
        }
        refused.locate(|place| place.line = Some(1))
    };
    if !records.advance() {
        return Err(source("the file is empty: expected a header line"));
    }
    if let Some(fault) = records.fault() {
        return Err(faulty(fault));
    }
    (0..records.len())
        .map(|index| records.field(index).map(|field| field.text.to_owned()))
        .collect::<Option<_>>()
        .ok_or_else(|| faulty(Fault::Encoding))
}

/// The first line of a file, which shows what ends the others.
struct FirstLine {
    line_end: LineEnd,
    fields: usize,
    size: u64,
    /// Its bytes with its end; kept only where it is a header.
    bytes: Vec<u8>,
}

impl FirstLine {
    fn read(input: &mut impl BufRead, format: &CsvFormat) -> Result<Self> {
        let mut line = Self { line_end: LineEnd::Newline, fields: 0, size: 0, bytes: Vec::new() };
        let (quote, escape) = (format.quote_byte(), format.escape_byte());
        let mut quoted = false;
        let mut escaped = false;
        while let Some(byte) = line.take(input, format)? {
            line.fields = line.fields.max(1);
            // As CopyReadLineText: an escape counts only inside quotes, and only if it is not the
            // quote itself.
            if quoted && byte == escape && escape != quote {
                escaped = !escaped;
                continue;
            }
            if byte == quote && !escaped {
                quoted = !quoted;
            }
            escaped = false;
            match byte {
                b'\n' if !quoted => return Ok(line),
                b'\r' if !quoted => {
                    line.line_end = LineEnd::Return;
                    if input.fill_buf().map_err(unreadable)?.first() == Some(&b'\n') {
                        line.line_end = LineEnd::ReturnNewline;
                        line.take(input, format)?;
                    }
                    return Ok(line);
                }
                byte if !quoted && byte == format.delimiter_byte() => line.fields += 1,
                _ => {}
            }
        }
        if quoted {
            return Err(source("unterminated CSV quoted field").with_hint("close the quote"))
                .locate(|place| place.line = Some(1));
        }
        Ok(line)
    }

    fn take(&mut self, input: &mut impl BufRead, format: &CsvFormat) -> Result<Option<u8>> {
        let mut byte = [0];
        if input.read(&mut byte).map_err(unreadable)? == 0 {
            return Ok(None);
        }
        self.size += 1;
        if format.has_header() {
            if self.bytes.len() == MAX_HEADER_BYTES {
                return Err(source("the header line is longer than 16 MiB")
                    .with_hint("look for a quote in it that is never closed"));
            }
            self.bytes.push(byte[0]);
        }
        Ok(Some(byte[0]))
    }
}

fn source(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Source, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: &[u8]) -> Result<Head> {
        Head::read(bytes, &CsvFormat::new())
    }

    #[test]
    fn the_first_line_names_the_fields_and_shows_the_line_end() {
        for (text, line_end, start) in [
            ("a,b\n1,2\n", LineEnd::Newline, 4),
            ("a,b\r\n1,2\r\n", LineEnd::ReturnNewline, 5),
            ("a,b\r1,2\r", LineEnd::Return, 4),
            ("a,b", LineEnd::Newline, 3),
            ("a,b\r", LineEnd::Return, 4),
        ] {
            let head = head(text.as_bytes()).unwrap();
            assert_eq!(head.line_end, line_end, "{text:?}");
            assert_eq!((head.start, head.fields), (start, 2), "{text:?}");
            assert_eq!(head.names.unwrap(), ["a", "b"], "{text:?}");
        }
    }

    #[test]
    fn a_line_end_inside_quotes_shows_nothing() {
        let head = head(b"\"a\r\nb\",c\n1,2\r\n").unwrap();
        assert_eq!(head.line_end, LineEnd::Newline);
        assert_eq!(head.names.unwrap(), ["a\r\nb", "c"]);
        assert_eq!(head.line, 3);
    }

    #[test]
    fn the_byte_order_mark_is_no_part_of_the_first_name() {
        let head = head(b"\xEF\xBB\xBFa,b\n").unwrap();
        assert_eq!((head.names.unwrap()[0].as_str(), head.start), ("a", 7));
    }

    #[test]
    fn an_empty_file_has_no_header() {
        for bytes in [&b""[..], b"\xEF\xBB\xBF"] {
            assert!(head(bytes).unwrap_err().message().contains("empty"));
        }
        let head = Head::read(&b""[..], &CsvFormat::new().header(false)).unwrap();
        assert_eq!((head.fields, head.start, head.line), (0, 0, 1));
    }

    #[test]
    fn a_header_that_is_no_text_is_refused() {
        for bytes in [&b"a,\xFF\n"[..], b"a,\0\n", b"\xFF\xFEa\0", b"a,\"b\n1,2\n", b"\\.\n"] {
            assert_eq!(head(bytes).unwrap_err().kind(), ErrorKind::Source, "{bytes:?}");
        }
    }

    #[test]
    fn a_header_without_an_end_is_not_read_into_memory() {
        let endless = std::io::BufReader::new(std::io::repeat(b'a'));
        let error = Head::read(endless, &CsvFormat::new()).unwrap_err();
        assert!(error.message().contains("longer than 16 MiB"), "{error}");
    }

    #[test]
    fn without_a_header_the_fields_of_the_first_line_are_counted() {
        let format = CsvFormat::new().header(false).escape(b'\\');
        let head = Head::read(&b"1,\"a\\\",b\\\\\",3\r\n"[..], &format).unwrap();
        assert_eq!((head.fields, head.line_end), (3, LineEnd::ReturnNewline));
    }
}
