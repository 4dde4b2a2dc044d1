//! What is known of the servers of an engine; tokens of what was written.

use super::database::Engine;
use super::wires::Wires;
use crate::error::Result;
use crate::routing::{CommitToken, NodeStatus};

impl Engine {
    /// A token of all that was committed before, by whomever: a read
    /// [`After`](crate::Freshness::After) it sees that. It costs a round trip to the primary.
    ///
    /// # Errors
    /// As [`get`](Self::get); `Database` or `Disconnect`.
    #[track_caller]
    pub fn token(&self) -> Result<CommitToken> {
        Ok(CommitToken::new(self.get()?.log_place()?))
    }

    /// How often another server became the primary: numbers that one gave mean nothing to another.
    pub(crate) fn primary_changes(&self) -> u64 {
        self.wires().changes()
    }

    /// What is known of each of its servers, in the order in which they were declared, without
    /// asking them; nothing for an engine of one server.
    pub fn nodes(&self) -> Vec<NodeStatus> {
        match self.wires() {
            Wires::One { .. } => Vec::new(),
            Wires::Many(router) => router.nodes(),
        }
    }

    /// Asks all of its servers now, all at once, and says what is known of them; nothing for an
    /// engine of one server. It takes as long as one question may take.
    pub fn ask_nodes(&self) -> Vec<NodeStatus> {
        if let Wires::Many(router) = self.wires() {
            router.look();
        }
        self.nodes()
    }
}
