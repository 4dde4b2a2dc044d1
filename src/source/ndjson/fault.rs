//! Why a line is refused.

use crate::error::{Error, ErrorKind};
use crate::sqlstate::SqlState;

/// Why a line is refused. No message has a value of the line in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It has nothing but white space.
    Blank,
    /// Bytes that are not UTF-8.
    Encoding,
    /// Another JSON value than an object.
    NoObject,
    /// No JSON: what was found, and the character at which.
    Syntax(String, usize),
    /// A key that is wanted stands twice.
    Twice(String),
}

impl Fault {
    /// What the parser says.
    pub(super) fn of(error: &serde_json::Error) -> Self {
        // What it calls data can have values of the line in it.
        if error.is_data() {
            return Self::NoObject;
        }
        let told = error.to_string();
        let what = told.rsplit_once(" at line ").map_or(&*told, |(what, _)| what);
        Self::Syntax(what.to_owned(), error.column())
    }

    /// The fault as an error.
    pub(super) fn error(&self) -> Error {
        let one = "write one JSON object on each line";
        let (message, hint) = match self {
            Self::Blank => ("the line is blank: expected a JSON object".to_owned(), one),
            Self::Encoding => {
                ("invalid byte sequence for encoding \"UTF8\"".to_owned(), "save it as UTF-8")
            }
            Self::NoObject => ("the line is no JSON object".to_owned(), one),
            Self::Syntax(what, at) => (format!("not valid JSON: {what} at byte {at}"), one),
            Self::Twice(key) => (
                format!("the key {key:?} stands twice in the object"),
                "nobody can tell which of the two is meant",
            ),
        };
        let state = match self {
            Self::Encoding => SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            Self::NoObject | Self::Blank | Self::Twice(_) => SqlState::BAD_COPY_FORMAT,
            Self::Syntax(..) => SqlState::INVALID_TEXT,
        };
        Error::new(ErrorKind::Decode, message).with_sqlstate(state).with_hint(hint)
    }
}
