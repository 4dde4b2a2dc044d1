//! What is known of the servers of an engine.

use crate::backend::server_state::LogPosition;
use crate::pool::PoolStats;
use std::fmt;
use std::time::Duration;

/// What a server is, as it said itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Takes writes, and is written to.
    Primary,
    /// Follows the primary.
    Replica,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
        })
    }
}

/// How a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeHealth {
    /// It was not asked yet.
    Unknown,
    /// It is used.
    Fit,
    /// It is used, for less than its share: it came back a short while ago.
    Warming,
    /// It gave no answer when it was last asked, or a connection to it was lost since.
    Doubtful,
    /// It lags behind by more than is allowed.
    Lagging,
    /// It follows another server than the primary, or is not read from.
    NotFollowing,
    /// It was the primary, another one is now, and it has not followed that one.
    Deposed,
    /// It takes writes while another does.
    Split,
    /// It belongs to another database cluster.
    Stranger,
    /// It is gone.
    Down,
}

impl fmt::Display for NodeHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Fit => "fit",
            Self::Warming => "warming",
            Self::Doubtful => "doubtful",
            Self::Lagging => "lagging",
            Self::NotFollowing => "not following",
            Self::Deposed => "deposed",
            Self::Split => "split",
            Self::Stranger => "stranger",
            Self::Down => "down",
        })
    }
}

/// What is known of a server of an engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeStatus {
    /// Where it is, without the password.
    pub node: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its share of the reads, beside those of the others.
    pub weight: f64,
    /// What it is; `None` if it never answered.
    pub role: Option<Role>,
    /// How it does.
    pub health: NodeHealth,
    /// How often a standby was promoted in its history, and one more.
    pub timeline: Option<u32>,
    /// How far its log is written, or shown.
    pub position: Option<LogPosition>,
    /// By how much a replica lags behind at most.
    pub lag: Option<Duration>,
    /// By how many bytes of log a replica lags behind.
    pub lag_bytes: Option<u64>,
    /// How long an answer takes, on average, the last ones counting most.
    pub latency: Option<Duration>,
    /// Why it gave no answer when it was last asked.
    pub error: Option<String>,
    /// The counts of its pool.
    pub pool: PoolStats,
}
