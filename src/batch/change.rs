//! A job that is started again and is not what it was.

use super::identity;
use super::job::Declared;
use super::ledger::{JobRecord, Ledger};
use super::members;
use super::patience::Patience;
use super::run::Start;
use super::shards::{Part, SHARD_MAP, moved};
use super::transaction::in_transaction;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::sink::destination::{Destination, Sink};
use crate::sink::mode::Mode;
use crate::source::bounds::Bounds;
use crate::source::input::difference;
use std::collections::BTreeMap;

/// What to do where the input, or the declaration, of a job changed after a run of it had begun and
/// before it was complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnChange {
    /// Refuse it, and say what the change is.
    #[default]
    Refuse,
    /// Begin again with what there is now, where the end is the same as if the old had never been
    /// begun: with `mirror` and `replace`, and with the other modes as long as no row of the old is
    /// in the table. Elsewhere, refuse it.
    Restart,
}

/// Says what is not as it was when the job was planned, as the error of a run that is refused for
/// it; `planned` are its batches.
///
/// # Errors
/// `Source` if the input cannot be read; what `planned` returns.
pub(super) fn find(
    start: &Start<'_>,
    job: &JobRecord,
    planned: impl FnOnce() -> Result<Vec<Bounds>>,
) -> Result<Option<Error>> {
    let Declared { feed, target } = &start.declared;
    let spread = start.part.map(Part::spread);
    if job.definition != identity::definition(feed.as_ref(), target, spread) {
        let old = job.declared.as_deref().and_then(|old| serde_json::from_str(old).ok());
        let new = identity::declared(feed.as_ref(), target, spread);
        let what = old.map_or_else(
            || "source, target, columns, key or mode".to_owned(),
            |old| differences(&old, &new),
        );
        let message = format!("the job was changed after a run of it had begun: {what}");
        let refused = Error::new(ErrorKind::Config, message)
            .with_hint("finish it as it was, or give it another name or parameter");
        return Ok(Some(refused));
    }
    let found = feed.fingerprint()?;
    if found.0 == job.fingerprint {
        return Ok(None);
    }
    let difference = difference(&job.fingerprint, &found.0);
    let what = match feed.compare(&planned()?)? {
        Some(what) => format!("{what} ({difference})"),
        None => difference,
    };
    let message = format!("the input changed after a run had begun: {what}");
    let refused = Error::new(ErrorKind::Source, message)
        .with_hint("bring the old input back, or give the job another parameter")
        .locate(|place| place.file = Some(feed.describe()));
    Ok(Some(refused))
}

/// So many differences are named.
const MOST: usize = 3;

fn differences(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> String {
    let mut keys: Vec<_> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    let mut named: Vec<_> = keys
        .into_iter()
        .filter_map(|key| match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(old), Some(new)) if key == SHARD_MAP => Some(moved(old, new)),
            (Some(old), Some(new)) => Some(format!("{key} was {old:?}, is {new:?}")),
            (Some(old), None) => Some(format!("{key} was {old:?}, is gone")),
            (None, Some(new)) => Some(format!("{key} is new, {new:?}")),
            (None, None) => None,
        })
        .collect();
    if named.len() > MOST {
        let more = named.len() - MOST;
        named.truncate(MOST);
        named.push(format!("and {more} more"));
    }
    if named.is_empty() { "the order of its columns".to_owned() } else { named.join("; ") }
}

/// Gives up what was begun of a job, so that it can begin again; the record of it stays. Whoever
/// calls this has the job for itself.
///
/// # Errors
/// `change` where rows of the old are in the table, or may come to be.
pub(super) fn abandon(
    start: &Start<'_>,
    patience: &Patience<'_>,
    (ledger, job): (&Ledger, &JobRecord),
    sink: &Sink,
    connection: &mut dyn Connection,
    change: Error,
) -> Result<()> {
    if start.on_change != OnChange::Restart {
        return Err(change);
    }
    if start.joins.is_some() {
        return Err(change.with_hint("it is begun again only by a run without --join"));
    }
    let made_good = match &start.declared.target {
        Destination::Table(target) => matches!(target.mode, Mode::Mirror | Mode::Replace),
        Destination::File(_) => false,
    };
    let dead = members::sweep_dead(start, patience, ledger, job.id, connection)?;
    in_transaction(connection, |connection| {
        // ORDER: first; it waits for whoever is about to store something.
        ledger.drop_open_units(connection, job.id)?;
        if !made_good && ledger.has_stored(connection, job.id, sink.is_staged())? {
            return Err(change);
        }
        ledger.abandon(connection, job.id)?;
        ledger.crashed(connection, &dead)?;
        match sink {
            Sink::Table(table) => table.drop_stage(connection, job.id),
            Sink::File(_) => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_with_both_values() {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        let old = map(&[("mode", "append"), ("key", "id"), ("table", "t"), ("column a", "text")]);
        let new = map(&[("mode", "mirror"), ("key", "id"), ("table", "t"), ("column b", "text")]);
        assert_eq!(
            differences(&old, &new),
            "column a was \"text\", is gone; column b is new, \"text\"; \
             mode was \"append\", is \"mirror\""
        );
        let other = map(&[("w", "1"), ("x", "1"), ("y", "1"), ("z", "1")]);
        assert!(
            differences(&old, &other).ends_with("; and 5 more"),
            "{}",
            differences(&old, &other)
        );
        assert_eq!(differences(&old, &old), "the order of its columns");
    }
}
