//! `rowmill shards publish`, `move`, `status` and `cancel`

use super::console::Console;
use super::exit::Exit;
use super::figures::duration;
use super::shards::{Shards, newest};
use super::shards_args::{MoveArguments, ShardsArguments};
use super::signals;
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::reshard::{MoveStatus, MoveStep, Reshard};
use crate::sharding::{ShardMap, ShardedEngine};
use crate::stop::StopToken;
use parking_lot::Mutex;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// So often a step that takes long is told of again.
const TELL_AGAIN: Duration = Duration::from_secs(5);

/// Stores the next map on every shard.
pub(super) fn publish(
    path: &Path,
    rows_moved: bool,
    shards: Shards,
    console: Console,
) -> Result<Exit> {
    let map = read_map(path)?;
    let mut known = Vec::new();
    for (name, stored) in shards.stored() {
        known.extend(stored.map_err(|error| of_shard(name, error))?.map(|stored| stored.map));
        let status = shards.named(name)?.with(Intent::Write, MoveStatus::read);
        let open = status.map_err(|error| of_shard(name, error))?.filter(|s| s.step.is_open());
        if open.is_some() {
            return Err(Error::new(
                ErrorKind::Config,
                "buckets are being moved: that has its own map",
            )
            .with_hint("finish it with rowmill shards move, or take it back with cancel"));
        }
    }
    // Where it was interrupted before, some have the new map already, and some the old one.
    for stored in known.iter().filter(|stored| **stored != map) {
        follows(stored, &map, rows_moved)?;
    }
    let words = map.to_string();
    shards.with(map)?.publish()?;
    console.answer(&[format!("published {words}")])?;
    Ok(Exit::Complete)
}

fn of_shard(name: &str, error: Error) -> Error {
    error.locate(|place| place.shard = Some(name.to_owned()))
}

fn follows(stored: &ShardMap, map: &ShardMap, rows_moved: bool) -> Result<()> {
    let refused = |message: String| Error::new(ErrorKind::Shard, message);
    if map.version() != stored.version() + 1 {
        let message = format!(
            "version {} of the map does not follow version {}, which is stored",
            map.version(),
            stored.version()
        );
        return Err(refused(message).with_hint(
            "begin with what rowmill shards map --json prints, and count its version on",
        ));
    }
    let moves_keys = match stored.moves_to(map) {
        Ok(moves) => !moves.is_empty(),
        Err(_) => stored.placement() != map.placement(),
    };
    if moves_keys && !rows_moved {
        let difference = stored.difference(map).unwrap_or_default();
        return Err(refused(format!("rows would be looked for where they are not: {difference}"))
            .with_hint(
                "rowmill shards move brings them there; --rows-moved says that they are there already",
            ));
    }
    Ok(())
}

fn read_map(path: &Path) -> Result<ShardMap> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("{} cannot be read: {error}", path.display());
        Error::new(ErrorKind::Config, message)
    })?;
    text.parse().map_err(|error: Error| {
        Error::new(ErrorKind::Config, format!("{}: {error}", path.display()))
    })
}

/// What is known of the shards before a move.
struct Found {
    map: ShardMap,
    last: Option<MoveStatus>,
}

impl Found {
    fn of(shards: &Shards) -> Result<Self> {
        let mut stored = shards.stored();
        if let Some(at) = stored.iter().position(|(_, stored)| stored.is_err()) {
            let (name, failed) = stored.swap_remove(at);
            failed.map_err(|error| of_shard(name, error))?;
        }
        let map = newest(&stored).ok_or_else(|| {
            Error::new(ErrorKind::Shard, "no map of shards is stored on any of these databases")
        })?;
        let home = map.shards().first().map_or("", String::as_str);
        let last = shards.named(home)?.with(Intent::Write, MoveStatus::read);
        let last = last.map_err(|error| of_shard(home, error))?;
        Ok(Self { map, last })
    }

    fn open(&self) -> Option<&MoveStatus> {
        self.last.as_ref().filter(|last| last.step.is_open())
    }
}

/// Moves buckets, or goes on with it.
pub(super) fn run(arguments: &MoveArguments, console: Console) -> Result<Exit> {
    let shards = Shards::of(&arguments.shards)?;
    let found = Found::of(&shards)?;
    // A new shard is in no map that is stored, so whoever goes on has its map from the record.
    let to = match (next_map(arguments, &found)?, found.open()) {
        (Some(next), _) => next,
        (None, Some(open)) => open.to.clone(),
        (None, None) => {
            return Err(Error::new(ErrorKind::Config, "no move is under way").with_hint(
                "say what is moved: --add NAME, --buckets BUCKETS --to NAME, or --map FILE",
            ));
        }
    };
    let same = to.shards() == found.map.shards() && to.placement() == found.map.placement();
    if found.open().is_none() && same {
        let last = found.last.as_ref().filter(|last| last.to == found.map);
        let line = last.map_or_else(
            || format!("nothing is to be moved: {}", found.map),
            |last| shown(last, arguments.shards.json),
        );
        console.answer(&[line])?;
        return Ok(Exit::Complete);
    }
    let stop = StopToken::new();
    let _listening = signals::listen(stop.clone(), move |asked| {
        console.note(signals::answer(asked));
    })?;
    let reshard = declared(arguments, &shards.with(to)?)?.stop(stop);
    let moved = reshard.on_progress(teller(console)).run()?;
    console.answer(&[shown(&moved, arguments.shards.json)])?;
    Ok(Exit::Complete)
}

/// What was said of the tables, and of the copy.
fn declared(arguments: &MoveArguments, shards: &ShardedEngine) -> Result<Reshard> {
    let mut reshard = Reshard::to(shards);
    for named in &arguments.tables {
        let (table, key) = named.split_once('=').ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("{named:?} is no table with its shard key"))
                .with_hint("write --table TABLE=COLUMN")
        })?;
        reshard = reshard.table(table, key);
    }
    if let Some(workers) = arguments.workers {
        reshard = reshard.workers(workers.get());
    }
    if let Some(rows) = arguments.batch_rows {
        reshard = reshard.batch_rows(rows.get());
    }
    Ok(reshard)
}

/// Tells of every step, and now and then of one that takes long.
fn teller(console: Console) -> impl Fn(&MoveStatus) + Send + Sync {
    let told: Mutex<Option<(MoveStep, Instant)>> = Mutex::new(None);
    move |status| {
        let mut told = told.lock();
        let is_new = told.is_none_or(|(step, at)| step != status.step || at.elapsed() > TELL_AGAIN);
        if is_new && status.step.is_open() {
            *told = Some((status.step, Instant::now()));
            console.note(status);
        }
    }
}

/// The map that was asked for.
fn next_map(arguments: &MoveArguments, found: &Found) -> Result<Option<ShardMap>> {
    // One that goes on begins from the map that it began from.
    let from = found.open().map_or(&found.map, |open| &open.from);
    let next = if let Some(path) = &arguments.map {
        read_map(path)?
    } else if let Some(name) = &arguments.add {
        match from.shard_named(name) {
            // The same command again, after it was done.
            Some(_) => from.clone(),
            None => from.with_shard(name)?,
        }
    } else if let (Some(buckets), Some(to)) = (&arguments.buckets, &arguments.to) {
        let shard = from.shard_named(to).ok_or_else(|| {
            let names = from.shards().join(", ");
            let message = format!("{to:?} is no shard of the map, which has {names}");
            Error::new(ErrorKind::Config, message).with_hint("--add makes a new one")
        })?;
        from.with_buckets_on(numbers(buckets)?, shard)?
    } else {
        return Ok(None);
    };
    Ok(Some(next))
}

/// The numbers of `0-99,500`.
fn numbers(text: &str) -> Result<Vec<u32>> {
    let refused = || {
        Error::new(ErrorKind::Config, format!("{text:?} is no list of buckets"))
            .with_hint("write numbers and ranges, as 0-99,500")
    };
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| refused());
        let (first, last) = (number(first)?, number(last)?);
        // No map has more.
        if first > last || last >= 1 << 20 {
            return Err(refused());
        }
        all.extend(first..=last);
    }
    Ok(all)
}

/// Where a move stands.
pub(super) fn status(arguments: &ShardsArguments, console: Console) -> Result<Exit> {
    let found = Found::of(&Shards::of(arguments)?)?;
    let line = match &found.last {
        Some(last) => shown(last, arguments.json),
        None if arguments.json => "null".to_owned(),
        None => "no buckets were moved yet".to_owned(),
    };
    console.answer(&[line])?;
    Ok(Exit::Complete)
}

/// Takes a move back.
pub(super) fn cancel(arguments: &ShardsArguments, console: Console) -> Result<Exit> {
    let shards = Shards::of(arguments)?;
    let found = Found::of(&shards)?;
    let open = found.open().ok_or_else(|| Error::new(ErrorKind::Config, "no move is under way"))?;
    let reshard = Reshard::to(&shards.with(open.to.clone())?).on_progress(teller(console));
    console.answer(&[shown(&reshard.cancel()?, arguments.json)])?;
    Ok(Exit::Complete)
}

fn shown(status: &MoveStatus, as_json: bool) -> String {
    if as_json {
        return json!({
            "name": status.name,
            "from_version": status.from.version(),
            "version": status.to.version(),
            "step": status.step.name(),
            "tables": status.tables,
            "rows_copied": status.rows_copied,
            "rows_caught_up": status.rows_caught_up,
            "rows_deleted": status.rows_deleted,
            "age_seconds": status.age_seconds,
            "quiet_seconds": status.quiet_seconds,
        })
        .to_string();
    }
    let ago = match status.step.is_open() && status.quiet_seconds >= 1.0 {
        true => format!("; last heard of {} ago", duration(status.quiet_seconds)),
        false => String::new(),
    };
    format!("{status}{ago}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_numbers_and_ranges() {
        assert_eq!(numbers("0-2,7").unwrap(), [0, 1, 2, 7]);
        for wrong in ["", "2-1", "a", "1-", "0-9999999"] {
            assert!(numbers(wrong).is_err(), "{wrong}");
        }
    }
}
