//! Which branches of a log hold what another one held: where a token stands.

use super::state::State;
use crate::backend::server_state::{Fork, LogPlace, LogPosition};
use std::collections::BTreeMap;

/// Where the timelines that were heard of left those before them; `None` where nobody may see that.
#[derive(Debug, Default)]
pub(super) struct Branches(BTreeMap<u32, Option<Vec<Fork>>>);

/// Where a token stands among the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The log that the primary writes holds what it stands for.
    Held,
    /// It is from before a promotion, and nobody may see whether that has lost it.
    Unproven,
    /// A promotion has lost it: the log was left before it, here, if it was left at all.
    Lost(Option<LogPosition>),
    /// It is from after a promotion that was not heard of yet.
    Ahead,
    /// It is of another cluster.
    Strange,
}

impl Branches {
    pub(super) fn learn(&mut self, timeline: u32, forks: Option<Vec<Fork>>) {
        self.0.insert(timeline, forks);
    }

    /// Whether nothing was asked of this timeline yet. The first one has left none.
    pub(super) fn lack(&self, timeline: u32) -> bool {
        timeline > 1 && !self.0.contains_key(&timeline)
    }

    /// Where `place` stands for one whose log is on `timeline`.
    fn standing(&self, timeline: u32, place: LogPlace) -> Standing {
        if place.timeline == timeline {
            return Standing::Held;
        }
        if place.timeline > timeline {
            return Standing::Ahead;
        }
        let Some(Some(forks)) = self.0.get(&timeline) else { return Standing::Unproven };
        let left = forks.iter().find(|fork| fork.timeline == place.timeline).map(|fork| fork.at);
        match left {
            Some(at) if place.position <= at => Standing::Held,
            left => Standing::Lost(left),
        }
    }
}

impl State {
    /// Where a token stands.
    pub(super) fn standing(&self, place: LogPlace) -> Standing {
        // Who cannot say which cluster it is of is not held against it.
        let system = self.roles.system().and_then(|system| system.parse::<u64>().ok());
        if place.system != 0 && system.is_some_and(|system| system != place.system) {
            return Standing::Strange;
        }
        match self.roles.timeline() {
            // There was no primary yet.
            0 => Standing::Unproven,
            timeline => self.branches.standing(timeline, place),
        }
    }

    /// Whether `node` surely shows what is at `place`.
    pub(super) fn shows(&self, node: usize, place: LogPlace) -> bool {
        let (Some(said), Some(seen)) = (self.roles.said(node), self.seen.get(node)) else {
            return false;
        };
        seen.position >= place.position
            && self.branches.standing(said.timeline, place) == Standing::Held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(timeline: u32, position: u64) -> LogPlace {
        LogPlace { system: 7, timeline, position: LogPosition(position) }
    }

    #[test]
    fn a_place_before_a_promotion_holds_up_to_where_the_log_was_left() {
        let mut branches = Branches::default();
        assert!(branches.lack(3) && !branches.lack(1));
        assert_eq!(branches.standing(3, place(1, 5)), Standing::Unproven);
        let fork = |timeline, at| Fork { timeline, at: LogPosition(at) };
        branches.learn(3, Some(vec![fork(1, 500), fork(2, 900)]));
        assert!(!branches.lack(3));
        let standing = |timeline, position| branches.standing(3, place(timeline, position));
        assert_eq!([standing(3, 2_000), standing(1, 500)], [Standing::Held; 2]);
        assert_eq!(standing(1, 501), Standing::Lost(Some(LogPosition(500))));
        assert_eq!(standing(2, 900), Standing::Held);
        assert_eq!(standing(2, 901), Standing::Lost(Some(LogPosition(900))));
        assert_eq!(standing(4, 1), Standing::Ahead);
    }

    #[test]
    fn a_branch_that_was_never_followed_is_lost_and_one_that_nobody_may_see_is_not_proven() {
        let mut branches = Branches::default();
        branches.learn(3, Some(vec![Fork { timeline: 1, at: LogPosition(500) }]));
        assert_eq!(branches.standing(3, place(2, 5)), Standing::Lost(None));
        branches.learn(4, None);
        assert_eq!(branches.standing(4, place(1, 5)), Standing::Unproven);
    }
}
