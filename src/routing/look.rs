//! What is known of the servers, for a person.

use super::roles::Verdict;
use super::router::{Inner, Router};
use super::state::State;
use super::status::{NodeHealth, NodeStatus, Role};

impl Router {
    /// What is known of each server, in the order in which they were declared.
    pub(crate) fn nodes(&self) -> Vec<NodeStatus> {
        (0..self.inner.nodes.len()).map(|node| self.inner.status(node)).collect()
    }
}

impl Inner {
    fn status(&self, node: usize) -> NodeStatus {
        let target = &self.nodes[node];
        let pool = target.pool.stats();
        let state = self.state.lock();
        let (seen, said) = (&state.seen[node], state.roles.said(node));
        let role = said.map(|said| if said.is_standby { Role::Replica } else { Role::Primary });
        NodeStatus {
            node: target.name.clone(),
            labels: target.labels.clone(),
            weight: target.weight,
            role,
            health: self.health(&state, node),
            timeline: said.map(|said| said.timeline),
            position: said.map(|_| seen.position),
            lag: seen.lag,
            lag_bytes: seen.lag_bytes,
            latency: seen.latency,
            error: seen.error.as_ref().map(ToString::to_string),
            pool,
        }
    }

    fn health(&self, state: &State, node: usize) -> NodeHealth {
        let seen = &state.seen[node];
        if !seen.health.is_known() {
            return NodeHealth::Unknown;
        }
        if !seen.health.is_up() {
            return NodeHealth::Down;
        }
        if state.roles.is_stranger(node) {
            return NodeHealth::Stranger;
        }
        if matches!(state.roles.verdict(), Verdict::Split(one, other) if one == node || other == node)
        {
            return NodeHealth::Split;
        }
        if state.roles.is_deposed(node) {
            return NodeHealth::Deposed;
        }
        if seen.is_doubtful {
            return NodeHealth::Doubtful;
        }
        let is_primary = state.roles.verdict() == Verdict::Primary(node);
        if !is_primary && !state.roles.is_replica(node) {
            return NodeHealth::NotFollowing;
        }
        if seen.is_lagging {
            return NodeHealth::Lagging;
        }
        if seen.health.warmth(self.clock.now(), &self.options) < 1.0 {
            return NodeHealth::Warming;
        }
        NodeHealth::Fit
    }
}
