//! How fresh what is read has to be, and tokens of commits.

use crate::backend::server_state::{LogPlace, LogPosition};
use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How fresh what is read has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Freshness {
    /// Whatever a replica shows that lagged no more than the engine's options allow
    /// ([`max_lag`](super::RoutingOptions::max_lag)) when it and the primary last answered, so that
    /// it may lag by the pause between two questions more. Where the primary is gone, which means
    /// that it was asked and gave no answer, any replica. The default.
    #[default]
    Any,
    /// What was committed so long ago or longer is there, as of the moment at which the replica is
    /// chosen: what happened since the servers last answered counts as lag, so that a time below
    /// the pause between two questions is for the primary most of the time. Only of a replica that
    /// is further behind than all that the engine has seen of the primary is the lag judged by the
    /// clocks of the servers.
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
/// can be sent elsewhere as a text and used by another engine for the same servers.
///
/// A place is one of a certain cluster, on a certain timeline: a promotion begins another one, on
/// which the same position means something else. A token from before a promotion holds as far as the
/// new primary has followed the old one. Beyond that, what it stands for was lost, where replicas do
/// not commit synchronously, and a read after it is refused: no server has it. Where the user may
/// not see how far that is (`pg_read_file` in PostgreSQL), the primary is read. A token from after a
/// promotion that an engine has not heard of yet is never answered by an older primary.
///
/// A token that stands for no place in a log (a database without replicas, or a connection that was
/// lost right after the commit) is for the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommitToken {
    place: Option<LogPlace>,
}

const PRIMARY: &str = "primary";

impl CommitToken {
    pub(crate) fn new(place: Option<LogPlace>) -> Self {
        Self { place }
    }

    pub(super) fn place(self) -> Option<LogPlace> {
        self.place
    }

    /// The position in the log; `None` if only the primary surely has it.
    pub fn position(self) -> Option<LogPosition> {
        self.place.map(|place| place.position)
    }

    /// The timeline on which its position is.
    pub fn timeline(self) -> Option<u32> {
        self.place.map(|place| place.timeline)
    }

    /// The one that covers both: of one timeline the later one, else that of the later timeline,
    /// unless it is before the other one: then what that stands for is lost, and it is kept, so that
    /// the read is refused. Of tokens of two clusters, the primary.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let both = self.place.zip(other.place);
        let place = both.filter(|(one, other)| one.system == other.system).map(|(one, other)| {
            let (older, newer) =
                if one.timeline <= other.timeline { (one, other) } else { (other, one) };
            if older.position > newer.position { older } else { newer }
        });
        Self { place }
    }
}

/// As a text that can be read again: `7512345678901234567:1:16/B374D848`, which are the cluster, the
/// timeline and the position, or `primary`.
impl fmt::Display for CommitToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(LogPlace { system, timeline, position }) => {
                write!(f, "{system}:{timeline}:{position}")
            }
            None => f.write_str(PRIMARY),
        }
    }
}

impl FromStr for CommitToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == PRIMARY {
            return Ok(Self { place: None });
        }
        let place = |text: &str| {
            let mut parts = text.splitn(3, ':');
            Some(LogPlace {
                system: parts.next()?.parse().ok()?,
                timeline: parts.next()?.parse().ok()?,
                position: parts.next()?.parse().ok()?,
            })
        };
        let place = place(text).ok_or_else(|| {
            Error::new(ErrorKind::Config, "this is no token of a commit")
                .with_hint("it looks like 7512345678901234567:1:16/B374D848, or is primary")
        })?;
        Ok(Self { place: Some(place) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(timeline: u32, position: u64) -> CommitToken {
        let position = LogPosition(position);
        CommitToken::new(Some(LogPlace { system: 7, timeline, position }))
    }

    #[test]
    fn a_token_travels_as_a_text() {
        for text in ["7512345678901234567:3:16/B374D848", "primary"] {
            assert_eq!(text.parse::<CommitToken>().unwrap().to_string(), text);
        }
        for text in ["Primary", "16/B374D848", "7:16/B374D848", "7:1:x", "-7:1:0/1"] {
            assert_eq!(text.parse::<CommitToken>().unwrap_err().kind(), ErrorKind::Config);
        }
    }

    #[test]
    fn of_two_tokens_the_later_one_covers_both_and_the_primary_covers_all() {
        assert_eq!(token(1, 3).and(token(1, 9)), token(1, 9));
        assert_eq!(token(1, 9).and(token(1, 3)), token(1, 9));
        assert_eq!(token(1, 9).and(CommitToken::new(None)), CommitToken::new(None));
        let strange: CommitToken = "8:1:0/9".parse().unwrap();
        assert_eq!(token(1, 3).and(strange), CommitToken::new(None), "of another cluster");
    }

    #[test]
    fn of_two_timelines_the_later_one_covers_what_was_not_lost() {
        assert_eq!(token(1, 3).and(token(2, 9)), token(2, 9));
        assert_eq!(token(2, 9).and(token(1, 3)), token(2, 9));
        assert_eq!(token(2, 9).and(token(1, 10)), token(1, 10), "it was never on the second");
    }
}
