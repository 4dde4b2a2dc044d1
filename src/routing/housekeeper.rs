//! One thread for each server, which asks it how it does.
//!
//! They are threads of their own so that a silent server delays nobody but itself. They begin with
//! the first connection that is asked for, and end with the router.

use super::router::Inner;
use super::signal::Signal;
use crate::error::{Error, ErrorKind, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// However often it is called for, a server is not asked more often than this.
const LEAST_PAUSE: Duration = Duration::from_millis(5);

pub(super) fn start(inner: &Arc<Inner>) -> Result<()> {
    for node in 0..inner.nodes.len() {
        let (router, signal) = (Arc::downgrade(inner), Arc::clone(&inner.signal));
        let name = format!("rowmill-ask-{node}");
        let spawned = thread::Builder::new().name(name).spawn(move || work(&router, &signal, node));
        spawned.map_err(|error| {
            Error::new(ErrorKind::Connect, "no thread could be started to look after the servers")
                .with_source(error)
        })?;
    }
    Ok(())
}

fn work(router: &Weak<Inner>, signal: &Signal, node: usize) {
    let mut soonest = Instant::now();
    loop {
        let Some(inner) = router.upgrade() else { return };
        // None at the start, unless somebody else has asked it since.
        let pause = inner.pause(node);
        drop(inner);
        if signal.wait(node, soonest, soonest.max(Instant::now() + pause)) {
            return;
        }
        let Some(inner) = router.upgrade() else { return };
        // A driver or a listener that panics ends this round and not the thread.
        let _ = catch_unwind(AssertUnwindSafe(|| inner.ask(node)));
        soonest = Instant::now() + LEAST_PAUSE;
    }
}
