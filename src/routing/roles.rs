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
        *self.heard.get_mut(node)? = heard;
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

    /// The timeline of the primary, or of the last one; 0 if there was none.
    pub(super) fn timeline(&self) -> u32 {
        self.timeline
    }

    /// What all servers have to be of, once it is known.
    pub(super) fn system(&self) -> Option<&str> {
        self.system.as_deref()
    }

    /// How often the primary has changed.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether it answers, and follows the log that the primary writes.
    pub(super) fn is_replica(&self, node: usize) -> bool {
        self.follows(node) && self.is_of_the_system(node)
    }

    /// Whether it is a replica, or gave no answer when it was last asked and was none before that.
    pub(super) fn may_be_replica(&self, node: usize) -> bool {
        self.is_replica(node)
            || (self.heard.get(node) == Some(&Heard::Silence) && !self.is_deposed(node))
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
mod tests;
