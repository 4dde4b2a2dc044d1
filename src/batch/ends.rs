//! Both ends of a job, looked at side by side before it is planned.

use super::begin::Look;
use super::ending::Ending;
use super::patience::Failure;
use super::run::Start;
use crate::error::Result;
use crate::source::stateful::Surroundings;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

/// What the source may need.
pub(super) fn surroundings(start: &Start<'_>, ending: &Ending) -> Surroundings {
    let workers = match start.parallel {
        true => start.limits.worker_count(start.engine.capacity() as usize),
        false => 1,
    };
    let mut surroundings = Surroundings::new(Arc::new(start.engine.clone()), workers);
    surroundings.stop = ending.token();
    surroundings.identity = start.identity.hash();
    surroundings.shared = start.joins.is_some();
    surroundings.ordered = start.declared.target.is_ordered();
    surroundings
}

/// Begins the source while another thread takes the lock of the job and looks at the target: both mostly wait
/// for a database, which reads its catalog for each of them. It is the source's error that counts, as if it
/// had been asked first, and it ends the patience of the look by way of `failure`.
///
/// The source is begun on the thread of the caller: that one may hold a connection of it, and is told so.
pub(super) fn side_by_side(
    source: impl FnOnce() -> Result<()>,
    look: impl Fn() -> Result<Look> + Sync,
    failure: &Failure,
) -> Result<Look> {
    let found = thread::scope(|scope| {
        let named = thread::Builder::new().name("rowmill-look".to_owned());
        let beside = named.spawn_scoped(scope, &look);
        if let Err(error) = source() {
            failure.set(error);
        }
        // A thread that cannot be had is no reason to fail.
        let beside = beside.ok()?;
        Some(beside.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    match (failure.take(), found) {
        (Some(error), _) => Err(error),
        (None, Some(found)) => found,
        (None, None) => look(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};
    use std::sync::mpsc::sync_channel;

    fn failed(kind: ErrorKind) -> Error {
        Error::new(kind, "no")
    }

    #[test]
    fn the_target_is_looked_at_while_the_source_begins_and_the_source_speaks_first() {
        for source_fails in [true, false] {
            let (looked, has_looked) = sync_channel(1);
            // It would wait for ever if the look came behind it.
            let source = || {
                has_looked.recv().unwrap();
                if source_fails { Err(failed(ErrorKind::Source)) } else { Ok(()) }
            };
            let look = || {
                looked.send(()).unwrap();
                Err(failed(ErrorKind::AlreadyRunning))
            };
            let expected = if source_fails { ErrorKind::Source } else { ErrorKind::AlreadyRunning };
            let failure = Failure::default();
            let ended = side_by_side(source, look, &failure);
            assert_eq!(ended.err().map(|error| error.kind()), Some(expected));
            assert!(!failure.is_set());
        }
    }

    #[test]
    fn a_look_that_waits_is_told_that_the_source_has_failed() {
        let failure = Failure::default();
        let source = || Err(failed(ErrorKind::Source));
        let look = || {
            while !failure.is_set() {
                thread::yield_now();
            }
            Err(failed(ErrorKind::Stopped))
        };
        let ended = side_by_side(source, look, &failure);
        assert_eq!(ended.err().map(|error| error.kind()), Some(ErrorKind::Source));
    }
}
