//! Why a record is refused.

use crate::error::{Error, ErrorKind};
use crate::sqlstate::SqlState;

/// Why a record is refused, in PostgreSQL's words where it has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Bytes that are not UTF-8, or NUL.
    Encoding,
    /// A carriage return outside quotes that ends no line.
    StrayReturn,
    /// A newline outside quotes that is no line end of this file.
    StrayNewline,
    /// The record stands behind such a newline.
    AfterStrayNewline,
    /// A line that would end a COPY.
    EndMarker,
    /// A quote that is never closed.
    Unterminated,
    /// It has fewer fields than the file; the number is the first that is missing, from 0.
    Few(usize),
    /// It has more fields than the file.
    Many,
}

impl Fault {
    /// The fault as an error; `name` is what the missing field is called.
    pub(super) fn error(self, name: impl FnOnce(usize) -> String) -> Error {
        let quotes = "put quotes around a field that contains a line end";
        let (message, hint) = match self {
            Self::Encoding => {
                ("invalid byte sequence for encoding \"UTF8\"".to_owned(), "save it as UTF-8")
            }
            Self::StrayReturn => ("unquoted carriage return found in data".to_owned(), quotes),
            Self::StrayNewline => ("unquoted newline found in data".to_owned(), quotes),
            Self::AfterStrayNewline => {
                ("the line before ends in an unquoted newline".to_owned(), quotes)
            }
            Self::EndMarker => (
                "a line \\. would end a COPY and is no row".to_owned(),
                "put quotes around it if it is data",
            ),
            Self::Unterminated => {
                ("unterminated CSV quoted field".to_owned(), "close the quote or write it twice")
            }
            Self::Few(field) => {
                (format!("missing data for column \"{}\"", name(field)), "the record is too short")
            }
            Self::Many => (
                "extra data after last expected column".to_owned(),
                "put quotes around a field that contains the delimiter",
            ),
        };
        let state = match self {
            Self::Encoding => SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            _ => SqlState::BAD_COPY_FORMAT,
        };
        Error::new(ErrorKind::Decode, message).with_sqlstate(state).with_hint(hint)
    }
}
