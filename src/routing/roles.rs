//! Who the primary is, by what the servers say of themselves.

use crate::backend::server_state::ServerState;

/// What was last heard of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Heard {
    /// It was not asked yet.
    #[default]
    Nothing,
    /// It gave no answer.
    Silence,
    /// This.
    Said(Said),
}

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) system: String,
    pub(super) is_standby: bool,
    pub(super) takes_writes: bool,
    pub(super) timeline: u32,
    pub(super) started: i64,
}

impl From<&ServerState> for Said {
    fn from(state: &ServerState) -> Self {
        Self {
            system: state.system.clone(),
            is_standby: state.is_standby,
            takes_writes: state.takes_writes,
            timeline: state.timeline,
            started: state.started,
        }
    }
}

/// Whether there is a primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This one.
    Primary(usize),
    /// Not every server was asked yet.
    Unsettled,
    /// None.
    Nobody,
    /// Two say that they are: nobody is written to.
    Split(usize, usize),
}

/// Who the primary is, by what the servers say of themselves.
///
/// 1. Nobody is the primary before every server was asked once: one that has not answered yet may
///    have been promoted.
/// 2. The primary stays it while it is silent, and is back if it answers as it was: a restart.
/// 3. Another one that takes writes while the primary still does is a split brain: nobody is
///    written to until one of them is gone or follows.
/// 4. Another one that takes writes while the primary is silent takes its place, if it was promoted
///    later (its timeline is higher). The old one is deposed: it is not written to any more, also
///    if it comes back and takes writes. Only once it has followed can it become the primary again.
/// 5. A server of another system is none of these servers.
#[derive(Debug)]
pub(super) struct Roles {
    heard: Vec<Heard>,
    deposed: Vec<bool>,
    primary: Option<usize>,
    /// The timeline of the primary, or of the last one: who is below it was overtaken.
    timeline: u32,
    /// What all servers have to be of.
    system: Option<String>,
    /// Split by these two, until one of them is gone.
    verdict: Verdict,
    /// How often the primary has changed.
    changes: u64,
}

impl Roles {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            heard: vec![Heard::Nothing; nodes],
            deposed: vec![false; nodes],
            primary: None,
            timeline: 0,
            system: None,
            verdict: Verdict::Unsettled,
            changes: 0,
        }
    }

    /// Notes what was heard of a server; says who was deposed by it.
    pub(super) fn hear(&mut self, node: usize, heard: Heard) -> Option<usize> {
        let Some(place) = self.heard.get_mut(node) else { return None };
        *place = heard;
        if self.is_settled() && self.system.is_none() {
            self.system =
                self.heard.iter().find_map(|heard| said(heard).map(|it| it.system.clone()));
        }
        if let Heard::Said(it) = &self.heard[node]
            && it.is_standby
            && it.timeline >= self.timeline
            && self.is_of_the_system(node)
        {
            self.deposed[node] = false;
        }
        self.judge()
    }

    fn judge(&mut self) -> Option<usize> {
        if !self.is_settled() {
            return None;
        }
        let claims: Vec<usize> = (0..self.heard.len()).filter(|node| self.claims(*node)).collect();
        let (verdict, deposed) = match (claims.as_slice(), self.primary) {
            ([], Some(primary)) if self.heard[primary] == Heard::Silence => {
                (Verdict::Primary(primary), None)
            }
            ([], _) => (Verdict::Nobody, None),
            // A primary that is below where it was has been put back to an older state.
            ([one], Some(primary))
                if one == &primary && self.timeline_of(primary) >= self.timeline =>
            {
                (Verdict::Primary(primary), None)
            }
            ([one], Some(primary)) => {
                // It takes the place of one that is silent or follows, if it was promoted later.
                if *one != primary && self.timeline_of(*one) > self.timeline {
                    (Verdict::Primary(*one), Some(primary))
                } else {
                    (Verdict::Nobody, None)
                }
            }
            ([one], None) => (Verdict::Primary(*one), None),
            ([one, other, ..], _) => (Verdict::Split(*one, *other), None),
        };
        self.settle(&verdict, deposed);
        self.verdict = verdict;
        deposed
    }

    fn settle(&mut self, verdict: &Verdict, deposed: Option<usize>) {
        if let Some(node) = deposed {
            // One that follows already is not deposed: it can be promoted again.
            self.deposed[node] = !self.follows(node);
        }
        let Verdict::Primary(node) = *verdict else { return };
        if self.primary != Some(node) {
            self.changes += 1;
            self.primary = Some(node);
        }
        self.timeline = self.timeline.max(self.timeline_of(node));
        if let Some(it) = said(&self.heard[node]) {
            self.system = Some(it.system.clone());
        }
    }

    fn is_settled(&self) -> bool {
        self.heard.iter().all(|heard| *heard != Heard::Nothing)
    }

    /// Whether it says that it takes writes, and may be believed.
    fn claims(&self, node: usize) -> bool {
        said(&self.heard[node])
            .is_some_and(|it| it.takes_writes && !self.deposed[node] && self.is_of_the_system(node))
    }

    fn follows(&self, node: usize) -> bool {
        said(&self.heard[node]).is_some_and(|it| it.is_standby && it.timeline >= self.timeline)
    }

    fn timeline_of(&self, node: usize) -> u32 {
        said(&self.heard[node]).map_or(0, |it| it.timeline)
    }

    fn is_of_the_system(&self, node: usize) -> bool {
        match (said(&self.heard[node]), &self.system) {
            (Some(it), Some(system)) => it.system == *system,
            _ => true,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.verdict.clone()
    }

    /// The primary, or the last one.
    pub(super) fn last_primary(&self) -> Option<usize> {
        self.primary
    }

    /// How often the primary has changed.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether it answers, and follows the log that the primary writes.
    pub(super) fn is_replica(&self, node: usize) -> bool {
        self.follows(node) && self.is_of_the_system(node)
    }

    /// A server that is of another system than the others.
    pub(super) fn stranger(&self) -> Option<usize> {
        (0..self.heard.len()).find(|node| !self.is_of_the_system(*node))
    }

    pub(super) fn is_stranger(&self, node: usize) -> bool {
        !self.is_of_the_system(node)
    }

    pub(super) fn is_deposed(&self, node: usize) -> bool {
        self.deposed.get(node).copied().unwrap_or(false)
    }

    /// What it said last, if it answered.
    pub(super) fn said(&self, node: usize) -> Option<&Said> {
        self.heard.get(node).and_then(said)
    }
}

fn said(heard: &Heard) -> Option<&Said> {
    match heard {
        Heard::Said(it) => Some(it),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(is_standby: bool, timeline: u32) -> Heard {
        let system = "7000".to_owned();
        Heard::Said(Said { system, is_standby, takes_writes: !is_standby, timeline, started: 1 })
    }

    fn primary(timeline: u32) -> Heard {
        says(false, timeline)
    }

    fn standby(timeline: u32) -> Heard {
        says(true, timeline)
    }

    /// A primary and two that follow it.
    fn three() -> Roles {
        let mut roles = Roles::new(3);
        roles.hear(0, primary(1));
        roles.hear(1, standby(1));
        assert_eq!(roles.verdict(), Verdict::Unsettled);
        roles.hear(2, standby(1));
        assert_eq!(roles.verdict(), Verdict::Primary(0));
        roles
    }

    #[test]
    fn nobody_is_the_primary_before_all_were_asked() {
        let mut roles = Roles::new(2);
        roles.hear(0, primary(1));
        assert_eq!(roles.verdict(), Verdict::Unsettled);
        roles.hear(1, Heard::Silence);
        assert_eq!(roles.verdict(), Verdict::Primary(0));
    }

    #[test]
    fn a_primary_that_is_silent_for_a_while_stays_it() {
        let mut roles = three();
        assert_eq!(roles.hear(0, Heard::Silence), None);
        assert_eq!(roles.verdict(), Verdict::Primary(0));
        roles.hear(0, primary(1));
        assert_eq!((roles.verdict(), roles.changes()), (Verdict::Primary(0), 1));
    }

    #[test]
    fn a_replica_that_was_promoted_takes_the_place_of_one_that_is_silent() {
        let mut roles = three();
        roles.hear(0, Heard::Silence);
        assert_eq!(roles.hear(2, primary(2)), Some(0));
        assert_eq!((roles.verdict(), roles.changes()), (Verdict::Primary(2), 2));
        assert!(!roles.is_replica(1), "it does not follow yet");
        roles.hear(1, standby(2));
        assert!(roles.is_replica(1));
    }

    #[test]
    fn an_old_primary_that_comes_back_and_takes_writes_is_not_written_to() {
        let mut roles = three();
        roles.hear(0, Heard::Silence);
        roles.hear(1, primary(2));
        for heard in [primary(1), Heard::Silence, primary(1), primary(9)] {
            roles.hear(0, heard);
            assert_eq!(roles.verdict(), Verdict::Primary(1));
        }
        // Not even if there is no other.
        roles.hear(1, Heard::Silence);
        roles.hear(0, primary(1));
        assert_eq!(roles.verdict(), Verdict::Primary(1), "which is waited for");
    }

    #[test]
    fn an_old_primary_that_follows_can_be_promoted_again() {
        let mut roles = three();
        roles.hear(0, Heard::Silence);
        roles.hear(1, primary(2));
        roles.hear(0, standby(1));
        assert!(roles.is_deposed(0) && !roles.is_replica(0), "of what was before the promotion");
        roles.hear(0, standby(2));
        assert!(!roles.is_deposed(0) && roles.is_replica(0));
        roles.hear(1, Heard::Silence);
        assert_eq!(roles.hear(0, primary(3)), Some(1));
        assert_eq!(roles.verdict(), Verdict::Primary(0));
    }

    #[test]
    fn a_planned_change_leaves_a_replica_behind() {
        let mut roles = three();
        roles.hear(0, standby(1));
        assert_eq!(roles.verdict(), Verdict::Nobody);
        roles.hear(1, primary(2));
        assert_eq!(roles.verdict(), Verdict::Primary(1));
        roles.hear(0, standby(2));
        assert!(roles.is_replica(0) && !roles.is_deposed(0));
    }

    #[test]
    fn while_two_take_writes_nobody_is_written_to() {
        let mut roles = three();
        assert_eq!(roles.hear(1, primary(2)), None);
        assert_eq!(roles.verdict(), Verdict::Split(0, 1));
        roles.hear(0, Heard::Silence);
        assert_eq!(roles.verdict(), Verdict::Primary(1));
        roles.hear(0, primary(1));
        assert_eq!(roles.verdict(), Verdict::Primary(1), "it was deposed");
    }

    #[test]
    fn two_that_take_writes_from_the_start_are_refused_whatever_their_timelines() {
        let mut roles = Roles::new(2);
        roles.hear(0, primary(1));
        roles.hear(1, primary(2));
        assert_eq!(roles.verdict(), Verdict::Split(0, 1));
    }

    #[test]
    fn one_that_takes_writes_and_was_not_promoted_later_is_not_believed() {
        let mut roles = three();
        roles.hear(0, Heard::Silence);
        assert_eq!(roles.hear(1, primary(1)), None);
        assert_eq!(roles.verdict(), Verdict::Nobody);
    }

    #[test]
    fn a_server_of_another_system_is_none_of_these() {
        let mut roles = Roles::new(2);
        roles.hear(0, primary(1));
        let Heard::Said(mut other) = primary(9) else { panic!("it was said") };
        other.system = "8000".to_owned();
        roles.hear(1, Heard::Said(other));
        assert_eq!((roles.verdict(), roles.stranger()), (Verdict::Primary(0), Some(1)));
        assert!(!roles.is_replica(1));
    }

    #[test]
    fn one_whose_sessions_only_read_is_no_primary() {
        let mut roles = Roles::new(1);
        let Heard::Said(mut it) = primary(1) else { panic!("it was said") };
        it.takes_writes = false;
        roles.hear(0, Heard::Said(it));
        assert_eq!(roles.verdict(), Verdict::Nobody);
    }

    /// Whatever is said in whatever order: nobody below the timeline of the last primary, nobody
    /// deposed and nobody of two is ever written to.
    #[test]
    fn nobody_that_was_overtaken_is_ever_written_to() {
        let dice = super::super::dice::Dice::new(Some(20_260_822));
        for _ in 0..2_000 {
            let mut roles = Roles::new(3);
            let mut highest = 0;
            for _ in 0..40 {
                let timeline = 1 + dice.below(4) as u32;
                let heard = match dice.below(3) {
                    0 => Heard::Silence,
                    1 => primary(timeline),
                    _ => standby(timeline),
                };
                roles.hear(dice.below(3), heard);
                let Verdict::Primary(node) = roles.verdict() else { continue };
                assert!(!roles.is_deposed(node), "{roles:?}");
                let Some(it) = roles.said(node) else { continue };
                assert!(it.takes_writes, "{roles:?}");
                let others = (0..3).filter(|other| *other != node && roles.claims(*other));
                assert_eq!(others.count(), 0, "{roles:?}");
                assert!(it.timeline >= highest || roles.last_primary() == Some(node), "{roles:?}");
                highest = highest.max(it.timeline);
            }
        }
    }
}
