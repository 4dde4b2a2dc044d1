//! Who holds a connection.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// Who holds a connection of a pool, since when and for what.
///
/// `Display` is a part of a message: `merge (thread rowmill-3, running SQL) for 4.2s, taken at
/// src/load.rs:17:9`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The number of the connection; `None` while it is being opened.
    pub connection: Option<u64>,
    /// For what it was taken, if that was said.
    pub label: Option<Cow<'static, str>>,
    /// The name of the thread that took it.
    pub thread: Option<String>,
    /// Where it was taken.
    pub place: &'static Location<'static>,
    /// How long it has been on loan.
    pub age: Duration,
    /// Whether a statement runs on it now; otherwise it is held and not used.
    pub is_running: bool,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = &self.label {
            write!(f, "{label} ")?;
        }
        let doing = match (self.connection, self.is_running) {
            (None, _) => "connecting",
            (Some(_), true) => "running SQL",
            (Some(_), false) => "not using it",
        };
        let thread = self.thread.as_deref().unwrap_or("without a name");
        write!(f, "(thread {thread}, {doing}) for {:.1?}, taken at {}", self.age, self.place)
    }
}
