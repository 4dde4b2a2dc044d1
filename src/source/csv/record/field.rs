//! A field of a record, and where it stands.

/// A field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Field<'a> {
    /// Its text, without quotes and escapes.
    pub(in super::super) text: &'a str,
    /// Whether it has a quote anywhere, so that it cannot be NULL.
    pub(in super::super) quoted: bool,
}

/// Where a field stands.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) form: Form,
}

/// In which bytes a field stands, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it stands in the batch, without quotes.
    Plain,
    /// As it stands in the batch, between quotes.
    Quoted,
    /// In the buffer of copies.
    Copied,
}

/// What ended a field: positions of the batch.
pub(super) enum Stop {
    /// A delimiter; the next field begins here.
    Delimiter(usize),
    /// The end of the record, which ends and whose successor begins here.
    Line { end: usize, next: usize },
}
