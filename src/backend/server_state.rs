//! What a server says of itself and of its place among its replicas.

use crate::error::{Error, ErrorKind};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A place in the log of changes of a server, which its replicas follow.
///
/// It is written as PostgreSQL writes it, and read back from that:
///
/// ```
/// use rowmill::LogPosition;
/// let position: LogPosition = "16/B374D848".parse()?;
/// assert_eq!(position.to_string(), "16/B374D848");
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition(pub u64);

impl LogPosition {
    /// How many bytes of the log lie between `earlier` and this; 0 if it is not earlier.
    pub fn bytes_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for LogPosition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || {
            Error::new(ErrorKind::Config, "this is no position in a log")
                .with_hint("it looks like 16/B374D848")
        };
        let (high, low) = text.split_once('/').ok_or_else(refused)?;
        let half = |digits: &str| match digits.len() {
            1..=8 if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                u64::from_str_radix(digits, 16).map_err(|_| refused())
            }
            _ => Err(refused()),
        };
        Ok(Self(half(high)? << 32 | half(low)?))
    }
}

/// A place in the log of changes of a certain cluster, on a certain branch of it.
///
/// A promotion begins another branch: from there on, the same position means something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogPlace {
    /// What is the same on a primary and all of its replicas, and on no other server; 0 if it is not
    /// known.
    pub system: u64,
    /// The branch: how often a standby was promoted in the history of the server, and one more.
    pub timeline: u32,
    /// The position on it.
    pub position: LogPosition,
}

/// Where a branch of a log left the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fork {
    /// The branch that was left.
    pub timeline: u32,
    /// Up to here, what was written to it is in the branch that left it, too.
    pub at: LogPosition,
}

/// What a server says of itself and of its place among its replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerState {
    /// What is the same on a primary and all of its replicas, and on no other server.
    pub system: String,
    /// Whether it follows another server and takes no writes.
    pub is_standby: bool,
    /// Whether a session can write as it is opened: not on a standby, nor where transactions are
    /// read only unless they say otherwise.
    pub takes_writes: bool,
    /// How often a standby was promoted in the history of this server, and one more. Of two
    /// servers that both take writes, the one with the higher number was promoted later.
    pub timeline: u32,
    /// How far its log is written, or on a standby how much of it shows in queries.
    pub position: LogPosition,
    /// How much of the log a standby has received.
    pub received: Option<LogPosition>,
    /// When the server was started, in microseconds of its clock.
    pub started: i64,
    /// How long ago the last transaction was committed that a standby shows, by its clock. Large
    /// also where the primary has nothing to do.
    pub behind: Option<Duration>,
}

impl ServerState {
    /// A primary that has written its log up to `position` and was started at `started`.
    pub fn primary(system: &str, timeline: u32, position: LogPosition, started: i64) -> Self {
        Self {
            system: system.to_owned(),
            is_standby: false,
            takes_writes: true,
            timeline,
            position,
            received: None,
            started,
            behind: None,
        }
    }

    /// A standby that shows what was written up to `position`.
    pub fn standby(system: &str, timeline: u32, position: LogPosition, started: i64) -> Self {
        Self {
            is_standby: true,
            takes_writes: false,
            received: Some(position),
            ..Self::primary(system, timeline, position, started)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written() {
        for text in ["0/0", "0/3000148", "16/B374D848", "FFFFFFFF/FFFFFFFF"] {
            assert_eq!(text.parse::<LogPosition>().unwrap().to_string(), text);
        }
        for text in ["", "/", "1", "1/", "+1/2", "1/123456789", "x/1"] {
            assert!(text.parse::<LogPosition>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_distance_is_never_less_than_nothing() {
        assert_eq!(LogPosition(7).bytes_since(LogPosition(3)), 4);
        assert_eq!(LogPosition(3).bytes_since(LogPosition(7)), 0);
    }
}
