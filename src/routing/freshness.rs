//! How fresh what is read has to be, and tokens of commits.

use crate::backend::server_state::LogPosition;
use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How fresh what is read has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Freshness {
    /// Whatever a replica shows that lags no more than the engine's options allow
    /// ([`max_lag`](super::RoutingOptions::max_lag)). Where the primary is gone, any replica. The
    /// default.
    #[default]
    Any,
    /// What was committed so long ago or longer is there. Judged by what the replicas said when
    /// they were last asked, so that a time below the pause between two questions is for the
    /// primary most of the time.
    MaxLag(Duration),
    /// What the token stands for is there: a replica that does not have it yet is waited for, up to
    /// a limit ([`token_wait`](super::RoutingOptions::token_wait)); then the primary is read.
    After(CommitToken),
    /// What the primary shows.
    Primary,
}

/// Stands for what was committed before it was made; a read [`After`](Freshness::After) it sees
/// that.
///
/// It is a place in the log of the server, asked for after the commit: what others committed in
/// between may be before it, too, so a read may wait for more than it needs and never for less. It
/// can be sent elsewhere as a text and used by another engine for the same servers. Of two tokens
/// the later one covers the earlier one.
///
/// One that stands for no place in a log (a database without replicas, or a connection that was
/// lost right after the commit) is for the primary. A promotion may lose what was committed last,
/// where replicas do not commit synchronously; no token brings that back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommitToken {
    position: Option<LogPosition>,
}

const PRIMARY: &str = "primary";

impl CommitToken {
    pub(crate) fn new(position: Option<LogPosition>) -> Self {
        Self { position }
    }

    /// The place in the log; `None` if only the primary surely has it.
    pub fn position(self) -> Option<LogPosition> {
        self.position
    }

    /// The one that covers both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let position = self.position.zip(other.position).map(|(one, other)| one.max(other));
        Self { position }
    }
}

/// As a text that can be read again: `16/B374D848`, or `primary`.
impl fmt::Display for CommitToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => position.fmt(f),
            None => f.write_str(PRIMARY),
        }
    }
}

impl FromStr for CommitToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let position = if text == PRIMARY { None } else { Some(text.parse()?) };
        Ok(Self { position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_travels_as_a_text() {
        for text in ["16/B374D848", "primary"] {
            assert_eq!(text.parse::<CommitToken>().unwrap().to_string(), text);
        }
        assert!("Primary".parse::<CommitToken>().is_err());
    }

    #[test]
    fn of_two_tokens_the_later_one_covers_both_and_the_primary_covers_all() {
        let token = |position| CommitToken::new(Some(LogPosition(position)));
        assert_eq!(token(3).and(token(9)), token(9));
        assert_eq!(token(9).and(token(3)), token(9));
        assert_eq!(token(9).and(CommitToken::new(None)), CommitToken::new(None));
    }
}
