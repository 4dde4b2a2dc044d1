//! Who holds a connection on which thread.
//!
//! A thread that waits for a second connection of a pool while it holds the first waits, in the
//! worst case, for itself. The mark makes that an error at once, also when a connection is free:
//! a program must not work or hang by the load of the day.

use crate::error::{Error, ErrorKind, Result};
use crate::workers::Holding;
use std::cell::RefCell;
use std::panic::Location;
use std::sync::Weak;

type Place = &'static Location<'static>;

struct Held {
    pool: u64,
    at: Place,
    mark: Weak<()>,
}

thread_local! {
    static HELD: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
}

/// Stands for a connection of a pool that this thread holds; until it is dropped, on whatever
/// thread, this one cannot take another of that pool.
#[derive(Debug)]
pub(super) struct Mark {
    _holding: Holding,
}

impl Mark {
    /// Marks this thread as a holder of a connection of `pool`.
    pub(super) fn set(pool: u64, at: Place) -> Result<Self> {
        let holding = Holding::mark();
        let held = Held { pool, at, mark: holding.watch() };
        // In the last moments of a thread its marks are gone already; nothing can be nested then.
        let first = HELD.try_with(|list| {
            let mut list = list.borrow_mut();
            list.retain(|held| held.mark.strong_count() > 0);
            let first = list.iter().find(|held| held.pool == pool).map(|held| held.at);
            if first.is_none() {
                list.push(held);
            }
            first
        });
        match first {
            Ok(Some(first)) => Err(nested(first, at)),
            Ok(None) | Err(_) => Ok(Self { _holding: holding }),
        }
    }
}

fn nested(first: Place, second: Place) -> Error {
    let message = format!(
        "this thread asked at {second} for a second connection of a pool: it holds one taken at {first}"
    );
    Error::new(ErrorKind::NestedCheckout, message)
        .with_hint("give the first back before, or pass it on")
}
