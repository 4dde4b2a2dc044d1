//! Places for connections: `r2d2` says how many there are, each with its number of them.

use super::link::Link;
use super::shared::Shared;
use parking_lot::Mutex;
use scheduled_thread_pool::ScheduledThreadPool;
use std::convert::Infallible;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A place for a connection that was taken out of `r2d2`; dropping it puts it back there.
pub(super) struct Slot {
    /// The connection that sleeps in it.
    pub(super) link: Option<Box<Link>>,
    /// The part that a loan has in the pool. It stays here between two loans, so that lending does not count
    /// those who have the pool. What sleeps is closed with the last handle of the pool, and frees it.
    pub(super) home: Option<Arc<Shared>>,
    _place: r2d2::PooledConnection<Slots>,
}

/// A slot that is taken. In a box, for it passes through many hands.
pub(super) type Taken = Box<Slot>;

impl Slot {
    /// The slot that `r2d2` has given, with a connection in it.
    pub(super) fn with(link: Box<Link>, place: r2d2::PooledConnection<Slots>) -> Self {
        Self { link: Some(link), home: None, _place: place }
    }
}

/// All the slots of a pool.
pub(super) type Shelf = r2d2::Pool<Slots>;

/// Makes slots, of which `r2d2` sees that they are there. Nothing here can fail or block.
#[derive(Debug)]
pub(super) struct Slots;

impl r2d2::ManageConnection for Slots {
    type Connection = ();
    type Error = Infallible;

    fn connect(&self) -> Result<(), Infallible> {
        Ok(())
    }

    fn is_valid(&self, (): &mut ()) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, (): &mut ()) -> bool {
        false
    }
}

/// A shelf with room for `limit` slots.
pub(super) fn shelf(limit: u32) -> Shelf {
    r2d2::Pool::builder()
        .max_size(limit)
        .min_idle(Some(0))
        .test_on_check_out(false)
        // Age and idleness are judged where a connection is handed out, not by a reaper.
        .max_lifetime(None)
        .idle_timeout(None)
        .connection_timeout(Duration::from_secs(30))
        .thread_pool(helper())
        .build_unchecked(Slots)
}

/// The one thread on which `r2d2` makes slots, for all pools of the process; it ends with the last
/// of them. By itself `r2d2` starts three for each pool.
fn helper() -> Arc<ScheduledThreadPool> {
    static HELPER: Mutex<Weak<ScheduledThreadPool>> = Mutex::new(Weak::new());
    let mut helper = HELPER.lock();
    helper.upgrade().unwrap_or_else(|| {
        let threads = ScheduledThreadPool::builder()
            .num_threads(1)
            .thread_name_pattern("rowmill-slots")
            .build();
        let new = Arc::new(threads);
        *helper = Arc::downgrade(&new);
        new
    })
}
