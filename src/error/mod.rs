//! The one error type: what failed, where, and what to do.
//!
//! An [`Error`] is one word wide. Its [`ErrorKind`] is what callers ask about, its [`SqlState`] is
//! the database's word, and its [`Place`] is filled on the way up by whoever knows a part of it; a
//! part that is filled is never overwritten. `Display` is one line:
//! *what* (SQLSTATE) \[*where*\]: *what to do*.
//!
//! No password and no value of a row ever enters a message: they are kept out where the message
//! is made.

mod kind;
mod place;

pub use kind::ErrorKind;
pub use place::{Locate, Place};

use crate::sqlstate::{Class, SqlState};
use std::error::Error as StdError;
use std::fmt;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn StdError + Send + Sync>;

/// What failed, where, and what to do about it.
///
/// ```
/// use rowmill::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::Config, "batch_rows must not be 0").with_hint("leave it out for 5000");
/// assert_eq!(error.to_string(), "batch_rows must not be 0: leave it out for 5000");
/// ```
pub struct Error(Box<Repr>);

struct Repr {
    kind: ErrorKind,
    message: String,
    sqlstate: Option<SqlState>,
    constraint: Option<String>,
    hint: Option<String>,
    place: Place,
    passing: bool,
    source: Option<Cause>,
}

impl Error {
    /// An error of `kind` that says `message`: one sentence without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Repr {
            kind,
            message: message.into(),
            sqlstate: None,
            constraint: None,
            hint: None,
            place: Place::default(),
            passing: false,
            source: None,
        }))
    }

    /// The same error without the one it was made from: for those who keep or repeat it.
    #[must_use]
    pub fn without_source(&self) -> Self {
        let Repr { kind, message, sqlstate, constraint, hint, place, passing, source: _ } =
            &*self.0;
        Self(Box::new(Repr {
            kind: *kind,
            message: message.clone(),
            sqlstate: *sqlstate,
            constraint: constraint.clone(),
            hint: hint.clone(),
            place: place.clone(),
            passing: *passing,
            source: None,
        }))
    }

    /// Adds the SQLSTATE.
    #[must_use]
    pub fn with_sqlstate(mut self, sqlstate: SqlState) -> Self {
        self.0.sqlstate.get_or_insert(sqlstate);
        self
    }

    /// Adds the name of the constraint that did not hold.
    #[must_use]
    pub fn with_constraint(mut self, constraint: impl Into<String>) -> Self {
        self.0.constraint.get_or_insert_with(|| constraint.into());
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Adds the error of a lower layer, for machines; it is not part of `Display`.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Cause>) -> Self {
        self.0.source.get_or_insert_with(|| source.into());
        self
    }

    /// Says that the same transaction may succeed when it is run again, whatever the SQLSTATE means
    /// elsewhere.
    #[must_use]
    pub(crate) fn passing(mut self) -> Self {
        self.0.passing = true;
        self
    }

    /// Lets `fill` add what it knows of the place; what is filled already stays.
    #[must_use]
    pub fn locate(mut self, fill: impl FnOnce(&mut Place)) -> Self {
        let mut known = Place::default();
        fill(&mut known);
        self.0.place.fill_from(known);
        self
    }

    /// Lets `change` correct the place: for who knows a part of it better than what is filled.
    #[must_use]
    pub(crate) fn relocate(mut self, change: impl FnOnce(&mut Place)) -> Self {
        change(&mut self.0.place);
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence alone, without code, place and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The database's code, where it gave one.
    pub fn sqlstate(&self) -> Option<SqlState> {
        self.0.sqlstate
    }

    /// The constraint that did not hold, where the database named one.
    pub fn constraint(&self) -> Option<&str> {
        self.0.constraint.as_deref()
    }

    /// What the reader can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Where it happened, as far as it is known.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What the SQLSTATE asks for, unless more is known of the error; one without a code is judged
    /// by its kind.
    pub fn class(&self) -> Class {
        match (self.0.sqlstate, self.0.kind) {
            (_, ErrorKind::Disconnect | ErrorKind::CommitUnknown) => Class::Disconnect,
            _ if self.0.passing => Class::Transient,
            // The server lives on, and refuses the same message again.
            (Some(SqlState::PROTOCOL_VIOLATION), ErrorKind::Database) => Class::Permanent,
            (Some(state), _) => state.class(),
            (None, ErrorKind::Connect | ErrorKind::PoolTimeout | ErrorKind::PoolFull) => {
                Class::Unavailable
            }
            (None, ErrorKind::Decode | ErrorKind::Encode) => Class::Data,
            // Whoever reads the row again works on what is there now.
            (None, ErrorKind::Stale) => Class::Transient,
            (None, _) => Class::Permanent,
        }
    }

    /// Whether the row is at fault, and not the server, the network or the program.
    pub fn is_data(&self) -> bool {
        self.class() == Class::Data
    }

    /// Whether the same work may succeed when it is done again, perhaps on a new connection.
    pub fn is_transient(&self) -> bool {
        matches!(self.class(), Class::Transient | Class::Disconnect | Class::Unavailable)
    }

    /// Whether the connection that reported it is gone.
    pub fn is_disconnect(&self) -> bool {
        self.class() == Class::Disconnect
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(state) = self.0.sqlstate {
            write!(f, " ({state})")?;
        }
        if !self.0.place.is_empty() {
            write!(f, " [{}]", self.0.place)?;
        }
        match &self.0.hint {
            Some(hint) => write!(f, ": {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn the_line_says_what_code_where_and_what_to_do() {
        let error = Error::new(ErrorKind::Database, "duplicate key")
            .with_sqlstate(SqlState::UNIQUE_VIOLATION)
            .locate(|place| place.batch = Some(17))
            .locate(|place| {
                place.batch = Some(99);
                place.row = Some(8412);
            })
            .with_hint("look at the rejects");
        assert_eq!(
            error.to_string(),
            "duplicate key (23505) [batch 17, row 8412]: look at the rejects"
        );
    }

    #[test]
    fn what_is_kept_of_an_error_reads_the_same() {
        let error = Error::new(ErrorKind::Database, "duplicate key")
            .with_sqlstate(SqlState::UNIQUE_VIOLATION)
            .with_constraint("runways_pkey")
            .with_hint("look at the rejects")
            .with_source(std::io::Error::other("lost"))
            .locate(|place| place.row = Some(3));
        let kept = error.without_source();
        assert_eq!(kept.to_string(), error.to_string());
        assert_eq!((kept.kind(), kept.constraint()), (error.kind(), error.constraint()));
        assert!(StdError::source(&kept).is_none());
    }

    #[test]
    fn a_disconnect_is_one_whatever_its_code() {
        let error =
            Error::new(ErrorKind::Disconnect, "gone").with_sqlstate(SqlState::INTERNAL_ERROR);
        assert!(error.is_disconnect() && error.is_transient() && !error.is_data());
    }
}
