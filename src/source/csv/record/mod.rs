//! The records of one batch, field by field.
//!
//! This is the loop that runs per byte of a load. A field is borrowed from the bytes of the batch;
//! only one that has quotes in its middle is copied, into one buffer that every record uses again.
//! The whole batch is checked to be UTF-8 at once; only if it is not is each record checked alone.

mod field;
mod specials;

pub(super) use field::Field;

use super::fault::Fault;
use super::format::CsvFormat;
use super::line_end::LineEnd;
use field::{Form, Span, Stop};
use specials::Specials;
use std::str;

/// Reads record after record of a batch. The methods that look at a record mean the one to which
/// [`Records::advance`] went last.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    /// All of `bytes`, where they are UTF-8.
    text: Option<&'a str>,
    has_nul: bool,
    delimiter: u8,
    quote: u8,
    escape: u8,
    line_end: LineEnd,
    /// The bytes that mean something, from the field that is read on.
    specials: Specials<'a>,
    /// How many fields a record should have.
    width: Option<usize>,
    after_stray_newline: bool,
    /// Where the next record begins.
    next: usize,
    /// How many records have been read.
    read: u32,
    start: usize,
    end: usize,
    fields: Vec<Span>,
    copied: Vec<u8>,
    fault: Option<Fault>,
    /// How many line ends stand before a byte: what was counted last.
    counted: (usize, u64),
}

impl<'a> Records<'a> {
    /// Reads the records of `bytes`, which begin at the beginning of a record.
    pub(super) fn new(bytes: &'a [u8], format: &CsvFormat, line_end: LineEnd) -> Self {
        let (delimiter, quote, escape) =
            (format.delimiter_byte(), format.quote_byte(), format.escape_byte());
        Self {
            bytes,
            text: str::from_utf8(bytes).ok(),
            has_nul: memchr::memchr(0, bytes).is_some(),
            delimiter,
            quote,
            escape,
            line_end,
            specials: Specials::new(bytes, [delimiter, quote, escape, b'\r', b'\n']),
            width: None,
            after_stray_newline: false,
            next: 0,
            read: 0,
            start: 0,
            end: 0,
            fields: Vec::new(),
            copied: Vec::new(),
            fault: None,
            counted: (0, 0),
        }
    }

    /// Leaves NUL in fields for whoever reads them, where a column has a use for it; otherwise a
    /// record with one is refused as a whole.
    pub(super) fn keep_nul(mut self, keep: bool) -> Self {
        self.has_nul &= !keep;
        self
    }

    /// Refuses records that do not have `width` fields.
    pub(super) fn width(mut self, width: usize) -> Self {
        self.width = Some(width);
        self
    }

    /// Says whether the first record stands behind a newline that is no line end of the file.
    pub(super) fn after_stray_newline(mut self, stray: bool) -> Self {
        self.after_stray_newline = stray;
        self
    }

    /// Goes to the next record; `false` behind the last one.
    pub(super) fn advance(&mut self) -> bool {
        if self.next >= self.bytes.len() {
            return false;
        }
        self.fields.clear();
        self.copied.clear();
        self.fault = self.after_stray_newline.then_some(Fault::AfterStrayNewline);
        self.after_stray_newline = false;
        self.start = self.next;
        let mut at = self.start;
        loop {
            match self.read_field(at) {
                Stop::Delimiter(next) => at = next,
                Stop::Line { end, next } => {
                    self.end = end;
                    self.next = next;
                    // A line end may have two bytes.
                    self.specials.skip_to(next);
                    break;
                }
            }
        }
        self.read += 1;
        if self.needs_check() {
            self.check();
        }
        true
    }

    /// How many fields the record has.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Field `index`, from 0; `None` if there is none or it is no text. A record with a fault may
    /// have fields all the same.
    #[inline]
    pub(super) fn field(&self, index: usize) -> Option<Field<'_>> {
        let span = *self.fields.get(index)?;
        let text = match (span.form, self.text) {
            (Form::Copied, _) => str::from_utf8(self.copied.get(span.start..span.end)?).ok()?,
            (_, Some(text)) => text.get(span.start..span.end)?,
            (_, None) => str::from_utf8(self.bytes.get(span.start..span.end)?).ok()?,
        };
        if self.has_nul && text.contains('\0') {
            return None;
        }
        Some(Field { text, quoted: span.form != Form::Plain })
    }

    /// Why the record is refused, if it is.
    #[inline]
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// The number of the record in the batch, from 0.
    #[inline]
    pub(super) fn index(&self) -> u32 {
        self.read.saturating_sub(1)
    }

    /// The byte of the batch at which it begins.
    pub(super) fn offset(&self) -> usize {
        self.start
    }

    /// Its bytes without its line end.
    pub(super) fn raw(&self) -> &'a [u8] {
        &self.bytes[self.start..self.end]
    }

    /// How many line ends of the batch stand before it, those inside quotes included.
    pub(super) fn lines_before(&mut self) -> u64 {
        let (from, lines) = self.counted;
        let passed = &self.bytes[from..self.start];
        let more = memchr::memchr_iter(self.line_end.counted(), passed).count() as u64;
        self.counted = (self.start, lines + more);
        lines + more
    }

    fn needs_check(&self) -> bool {
        self.text.is_none()
            || self.has_nul
            || self.width.is_some_and(|width| width != self.fields.len())
            || self.bytes[self.start] == b'\\'
    }

    /// Looks for the faults that concern a record as a whole. Bytes that are no text come first: the
    /// other faults may follow from them.
    fn check(&mut self) {
        let raw = self.raw();
        let is_text = || str::from_utf8(raw).is_ok() && memchr::memchr(0, raw).is_none();
        if (self.text.is_none() || self.has_nul) && !is_text() {
            self.fault = Some(Fault::Encoding);
        }
        // A `\.` that ends the file without a line end is data to PostgreSQL.
        if raw == b"\\." && self.next > self.end {
            self.refuse(Fault::EndMarker);
        }
        match self.width {
            Some(width) if self.fields.len() < width => self.refuse(Fault::Few(self.fields.len())),
            Some(width) if self.fields.len() > width => self.refuse(Fault::Many),
            _ => {}
        }
    }

    /// Notes a fault; the first one stays.
    fn refuse(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    #[inline]
    fn read_field(&mut self, start: usize) -> Stop {
        loop {
            let at = self.specials.next();
            let Some(&byte) = self.bytes.get(at) else {
                self.fields.push(Span { start, end: at, form: Form::Plain });
                return Stop::Line { end: at, next: at };
            };
            if byte == self.delimiter {
                self.fields.push(Span { start, end: at, form: Form::Plain });
                return Stop::Delimiter(at + 1);
            }
            if byte == self.quote {
                return if at == start { self.read_quoted(at) } else { self.read_mixed(start) };
            }
            // Outside quotes, an escape is a byte like others.
            if byte == self.escape {
                continue;
            }
            if let Some(stop) = self.line_stop(at) {
                self.fields.push(Span { start, end: at, form: Form::Plain });
                return stop;
            }
        }
    }

    /// Reads a field that begins with a quote. The common one ends with the next quote, and is
    /// borrowed; any other is read again and copied.
    #[inline]
    fn read_quoted(&mut self, start: usize) -> Stop {
        let close = loop {
            let at = self.specials.next();
            match self.bytes.get(at) {
                Some(&byte) if byte == self.quote => break at,
                Some(&byte) if byte != self.escape => {}
                _ => return self.read_mixed(start),
            }
        };
        let stop = match self.bytes.get(close + 1) {
            None => Some(Stop::Line { end: close + 1, next: close + 1 }),
            Some(&byte) if byte == self.delimiter => Some(Stop::Delimiter(close + 2)),
            Some(b'\r' | b'\n') => self.line_stop(close + 1),
            Some(_) => None,
        };
        let Some(stop) = stop else { return self.read_mixed(start) };
        self.specials.skip_to(close + 2);
        self.fields.push(Span { start: start + 1, end: close, form: Form::Quoted });
        stop
    }

    /// Reads a field that has quotes anywhere, and copies it: `CopyReadAttributesCSV`.
    #[cold]
    fn read_mixed(&mut self, start: usize) -> Stop {
        let copied = self.copied.len();
        let mut at = start;
        let stop = loop {
            match self.bytes.get(at) {
                None => break Stop::Line { end: at, next: at },
                Some(&byte) if byte == self.delimiter => break Stop::Delimiter(at + 1),
                Some(&byte) if byte == self.quote => at = self.copy_quoted(at + 1),
                Some(&byte) => {
                    if matches!(byte, b'\r' | b'\n')
                        && let Some(stop) = self.line_stop(at)
                    {
                        break stop;
                    }
                    self.copied.push(byte);
                    at += 1;
                }
            }
        };
        self.specials.skip_to(at + 1);
        self.fields.push(Span { start: copied, end: self.copied.len(), form: Form::Copied });
        stop
    }

    /// Copies what stands between quotes and returns where it goes on behind the closing one.
    fn copy_quoted(&mut self, from: usize) -> usize {
        let mut at = from;
        loop {
            let rest = &self.bytes[at..];
            let Some(offset) = memchr::memchr2(self.quote, self.escape, rest) else {
                self.copied.extend_from_slice(rest);
                self.refuse(Fault::Unterminated);
                return self.bytes.len();
            };
            self.copied.extend_from_slice(&rest[..offset]);
            at += offset;
            let byte = self.bytes[at];
            let next = self.bytes.get(at + 1).copied();
            match next {
                Some(next)
                    if byte == self.escape && (next == self.escape || next == self.quote) =>
                {
                    self.copied.push(next);
                    at += 2;
                }
                _ if byte == self.quote => return at + 1,
                _ => {
                    self.copied.push(byte);
                    at += 1;
                }
            }
        }
    }

    /// Whether the carriage return or newline at `at`, which stands outside quotes, ends the
    /// record; one that should not be there is noted.
    #[inline]
    fn line_stop(&mut self, at: usize) -> Option<Stop> {
        let newline = self.bytes[at] == b'\n';
        match self.line_end {
            LineEnd::Newline if newline => Some(Stop::Line { end: at, next: at + 1 }),
            LineEnd::Return if !newline => Some(Stop::Line { end: at, next: at + 1 }),
            LineEnd::ReturnNewline if !newline && self.bytes.get(at + 1) == Some(&b'\n') => {
                Some(Stop::Line { end: at, next: at + 2 })
            }
            _ if newline => {
                self.refuse(Fault::StrayNewline);
                self.after_stray_newline = true;
                Some(Stop::Line { end: at, next: at + 1 })
            }
            _ => {
                self.refuse(Fault::StrayReturn);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
