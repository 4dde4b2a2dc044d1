//! What is known of the types of a server, shared by the connections of an engine.
//!
//! A type that is no longer what it was has another number, so that what is known of a number
//! stays true as long as the database is the same. Whether it is cannot be told from a number: one
//! that was restored, or another server behind the same address, may have given the same number to
//! something else. So what is known ends with the first connection that is lost or refused, with
//! the first error that tells of a change, and for connections that are opened more than [`AGE`]
//! after it began; connections that are open go on with what is true for their session.
//!
//! Names are remembered along with the types: the new name of a type, after `ALTER TYPE ... RENAME`,
//! is seen by the connections that are opened from then on, after [`AGE`] at the latest. The labels of
//! an enum are not remembered, so that `ADD VALUE` changes nothing here. The fields of a composite
//! type are: a connection that knows a type goes on with the fields that it had, and whoever reads a
//! record compares it with them.

use parking_lot::{Mutex, MutexGuard, RwLock};
use postgres::types::{Oid, Type};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long connections that are opened begin with what others have learned.
const AGE: Duration = Duration::from_mins(1);

/// How long one that wants to ask waits for another that is just asking.
const TURN: Duration = Duration::from_millis(250);

/// A type of a server.
#[derive(Clone, Debug)]
pub(crate) struct KnownType {
    pub(crate) server: Type,
    /// How many bytes its values have; negative where that varies.
    pub(crate) size: i16,
}

impl KnownType {
    /// Whether it can be a type of whose size the server says this.
    pub(crate) fn fits(&self, size: Option<i16>) -> bool {
        size.is_none_or(|size| size == self.size)
    }
}

/// What is known at some moment, by number.
pub(crate) type Snapshot = Arc<HashMap<Oid, KnownType>>;

/// What is known of the types of a host, as long as its database is the same.
#[derive(Debug)]
pub(crate) struct TypeCache {
    current: Mutex<(Arc<KnownTypes>, Instant)>,
}

impl Default for TypeCache {
    fn default() -> Self {
        Self { current: Mutex::new((Arc::default(), Instant::now())) }
    }
}

impl TypeCache {
    /// What a connection that is opened now begins with.
    pub(crate) fn current(&self) -> Arc<KnownTypes> {
        self.current_at(Instant::now())
    }

    fn current_at(&self, now: Instant) -> Arc<KnownTypes> {
        let mut current = self.current.lock();
        if now.saturating_duration_since(current.1) > AGE {
            *current = (Arc::default(), now);
        }
        Arc::clone(&current.0)
    }

    /// Ends `known`, unless that was done; gives what comes after it.
    pub(crate) fn retire(&self, known: &Arc<KnownTypes>) -> Arc<KnownTypes> {
        let mut current = self.current.lock();
        if Arc::ptr_eq(&current.0, known) {
            *current = (Arc::default(), Instant::now());
        }
        Arc::clone(&current.0)
    }

    /// Ends whatever is known.
    pub(crate) fn retire_current(&self) {
        *self.current.lock() = (Arc::default(), Instant::now());
    }
}

/// What the connections to one database know of its types.
#[derive(Debug, Default)]
pub(crate) struct KnownTypes {
    state: RwLock<State>,
    asking: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    types: Snapshot,
    /// Whether all the types were asked for that statements are likely to meet.
    is_filled: bool,
    /// Met, and not known yet.
    wanted: BTreeSet<Oid>,
}

/// What to ask the catalog for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Question {
    All,
    These(BTreeSet<Oid>),
}

impl KnownTypes {
    pub(crate) fn snapshot(&self) -> Snapshot {
        Arc::clone(&self.state.read().types)
    }

    /// Waits for another that is just asking, but not for long.
    pub(crate) fn take_turn(&self) -> Option<MutexGuard<'_, ()>> {
        self.asking.try_lock_for(TURN)
    }

    /// What has to be asked before a statement of which nothing is known.
    pub(crate) fn question_ahead(&self) -> Option<Question> {
        let state = self.state.read();
        if !state.is_filled {
            return Some(Question::All);
        }
        (!state.wanted.is_empty()).then(|| Question::These(state.wanted.clone()))
    }

    /// What has to be asked for these types.
    pub(crate) fn question_for(&self, oids: impl Iterator<Item = Oid>) -> Option<Question> {
        let types = self.snapshot();
        let missing: BTreeSet<_> = oids.filter(|oid| !types.contains_key(oid)).collect();
        (!missing.is_empty()).then_some(Question::These(missing))
    }

    /// Remembers types that were met and are not known.
    pub(crate) fn want(&self, oids: impl Iterator<Item = Oid>) {
        let oids: Vec<_> = oids.collect();
        if !oids.is_empty() {
            self.state.write().wanted.extend(oids);
        }
    }

    /// Adds the answer to a question.
    pub(crate) fn add(&self, question: &Question, found: HashMap<Oid, KnownType>) {
        let mut state = self.state.write();
        match question {
            Question::All => state.is_filled = true,
            Question::These(oids) => state.wanted.retain(|oid| !oids.contains(oid)),
        }
        let mut types = HashMap::clone(&state.types);
        types.extend(found);
        state.types = Arc::new(types);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(oid: Oid) -> HashMap<Oid, KnownType> {
        let server = Type::new("mood".into(), oid, postgres::types::Kind::Simple, "public".into());
        HashMap::from([(oid, KnownType { server, size: 4 })])
    }

    fn these(oids: &[Oid]) -> Question {
        Question::These(oids.iter().copied().collect())
    }

    #[test]
    fn what_one_connection_learned_the_next_one_knows() {
        let cache = TypeCache::default();
        let (first, second) = (cache.current(), cache.current());
        let question = first.question_for([7, 8].into_iter()).unwrap();
        assert_eq!(question, these(&[7, 8]));
        first.add(&question, type_of(7));
        assert_eq!(second.question_for([7].into_iter()), None);
        assert_eq!(second.question_for([7, 8].into_iter()), Some(these(&[8])));
    }

    #[test]
    fn a_connection_that_was_lost_ends_what_was_known() {
        let cache = TypeCache::default();
        let known = cache.current();
        known.add(&these(&[7]), type_of(7));
        let renewed = cache.retire(&known);
        assert!(cache.current().snapshot().is_empty());
        // A second one that was lost ends nothing that was learned since.
        renewed.add(&these(&[8]), type_of(8));
        cache.retire(&known);
        assert!(cache.current().snapshot().contains_key(&8));
        assert!(known.snapshot().contains_key(&7));
    }

    #[test]
    fn a_connection_begins_with_nothing_that_is_old() {
        let cache = TypeCache::default();
        cache.current().add(&these(&[7]), type_of(7));
        assert!(!cache.current_at(Instant::now() + AGE / 2).snapshot().is_empty());
        assert!(cache.current_at(Instant::now() + AGE * 2).snapshot().is_empty());
    }

    #[test]
    fn what_was_met_and_not_known_is_asked_ahead_once() {
        let known = KnownTypes::default();
        assert_eq!(known.question_ahead(), Some(Question::All));
        known.add(&Question::All, type_of(7));
        assert_eq!(known.question_ahead(), None);
        known.want([9].into_iter());
        assert_eq!(known.question_ahead(), Some(these(&[9])));
        known.add(&these(&[9]), HashMap::new());
        assert_eq!(known.question_ahead(), None);
    }
}
