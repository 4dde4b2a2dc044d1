//! Rows that are read one by one where one query could have read them all.

use super::tracked::short_name;
use crate::trace;
use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// Rows of one entity were read one by one again and again: what one query could have done
/// ([`load_parents`](crate::load_parents), [`load_children`](crate::load_children)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepeatedGets {
    /// The name of the entity's type.
    pub entity: &'static str,
    /// How many of its rows this transaction of the session has read one by one.
    pub count: u32,
    /// Where the last one was.
    pub place: &'static Location<'static>,
}

impl fmt::Display for RepeatedGets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entity, count, place } = self;
        write!(
            f,
            "{count} rows of {entity} were read one by one, the last at {place}: load_parents and \
             load_children read them together"
        )
    }
}

/// Who is told of it.
pub(super) type Listener = Arc<dyn Fn(&RepeatedGets) + Send + Sync>;

/// Counts the rows that were read one by one; where nobody listens, it does nothing.
#[derive(Default)]
pub(super) struct Counter {
    counts: HashMap<TypeId, u32>,
}

impl Counter {
    /// A row of `E` was read; the one that reaches the threshold is told of.
    pub(super) fn count<E: 'static>(
        &mut self,
        threshold: u32,
        listener: Option<&Listener>,
        place: &'static Location<'static>,
    ) {
        if listener.is_none() && !trace::IS_BUILT_IN {
            return;
        }
        let count = self.counts.entry(TypeId::of::<E>()).or_default();
        *count += 1;
        if *count == threshold {
            let told = RepeatedGets { entity: short_name::<E>(), count: *count, place };
            trace::warn(&told);
            if let Some(listener) = listener {
                listener(&told);
            }
        }
    }

    /// Starts again.
    pub(super) fn clear(&mut self) {
        self.counts.clear();
    }
}
