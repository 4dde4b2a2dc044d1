//! `rowmill shards`

use super::console::Console;
use super::exit::Exit;
use super::figures::{counted, duration, grouped};
use super::shards_args::{ShardsArguments, ShardsCommand};
use super::shards_move;
use crate::engine::{Engine, Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::mapping::cell::Cell;
use crate::sharding::{Placement, ShardMap, ShardedEngine, StoredMap};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a shard may take to answer a person.
const PATIENCE: Duration = Duration::from_secs(3);

/// What names the shards.
const HINT: &str = "give --shard NAME=URL for each, or set ROWMILL_SHARDS=\"NAME=URL NAME=URL\"";

pub(super) fn shards(command: &ShardsCommand, console: Console) -> Result<Exit> {
    match command {
        ShardsCommand::Map { shards } => map(&Shards::of(shards)?, shards.json, console),
        ShardsCommand::Rows { tables, shards } => rows(tables, shards, console),
        ShardsCommand::Prepared { shards } => prepared(shards, console),
        ShardsCommand::Publish { map, rows_moved, shards } => {
            shards_move::publish(map, *rows_moved, Shards::of(shards)?, console)
        }
        ShardsCommand::Move(arguments) => shards_move::run(arguments, console),
        ShardsCommand::Status { shards } => shards_move::status(shards, console),
        ShardsCommand::Cancel { shards } => shards_move::cancel(shards, console),
        ShardsCommand::Resolve { name, shards } => {
            let resolved = Shards::of(shards)?.open()?.resolve(name)?;
            let end = if resolved.committed { "committed" } else { "rolled back" };
            let on = match resolved.shards[..] {
                [] => "nothing was open on any shard".to_owned(),
                _ => format!("ended on {}", resolved.shards.join(", ")),
            };
            console.answer(&[format!("{name} is {end}: {on}")])?;
            Ok(Exit::Complete)
        }
    }
}

/// The databases that were named.
pub(super) struct Shards(Vec<(String, Engine)>);

impl Shards {
    pub(super) fn of(arguments: &ShardsArguments) -> Result<Self> {
        let mut named = arguments.shards.clone();
        if named.is_empty() {
            let given = std::env::var("ROWMILL_SHARDS").unwrap_or_default();
            named = given.split_whitespace().map(str::to_owned).collect();
        }
        let engine = |named: &String| {
            let (name, url) = named.split_once('=').ok_or_else(|| {
                Error::new(ErrorKind::Config, "a shard is named by NAME=URL").with_hint(HINT)
            })?;
            let builder = Engine::builder(url).timeout(PATIENCE).connect_timeout(PATIENCE);
            Ok((name.to_owned(), builder.build()?))
        };
        let engines = named.iter().map(engine).collect::<Result<Vec<_>>>()?;
        if engines.is_empty() {
            return Err(Error::new(ErrorKind::Config, "no shard is named").with_hint(HINT));
        }
        Ok(Self(engines))
    }

    /// What each says of itself.
    pub(super) fn stored(&self) -> Vec<(&str, Result<Option<StoredMap>>)> {
        let read = |engine: &Engine| {
            if !engine.is_there()? {
                return Err(Error::new(ErrorKind::Connect, "there is no such database"));
            }
            engine.with(Intent::Write, StoredMap::read)
        };
        self.0.iter().map(|(name, engine)| (name.as_str(), read(engine))).collect()
    }

    /// An engine for the map that is stored, which has to be the same on all of them.
    fn open(self) -> Result<ShardedEngine> {
        let map = newest(&self.stored()).ok_or_else(|| {
            Error::new(ErrorKind::Shard, "no map of shards is stored on any of these databases")
        })?;
        let engine = self.with(map)?;
        engine.check()?;
        Ok(engine)
    }

    /// An engine for a map that may be stored nowhere yet.
    pub(super) fn with(self, map: ShardMap) -> Result<ShardedEngine> {
        let builder = ShardedEngine::builder(map);
        let engines = self.0.into_iter();
        engines.fold(builder, |builder, (name, engine)| builder.shard_engine(name, engine)).build()
    }

    /// The database of that name.
    pub(super) fn named(&self, name: &str) -> Result<&Engine> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, engine)| engine).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("the shard {name} of the map has no database"))
                .with_hint(HINT)
        })
    }
}

/// The newest map of those that are stored.
pub(super) fn newest(stored: &[(&str, Result<Option<StoredMap>>)]) -> Option<ShardMap> {
    let found = stored.iter().filter_map(|(_, stored)| stored.as_ref().ok()?.as_ref());
    found.map(|stored| stored.map.clone()).max_by_key(ShardMap::version)
}

/// The map, and whether each shard has it.
fn map(shards: &Shards, as_json: bool, console: Console) -> Result<Exit> {
    let stored = shards.stored();
    let newest = newest(&stored);
    if as_json {
        let found = newest.as_ref().map(ShardMap::to_json).transpose()?;
        console.answer(&[found.unwrap_or_else(|| "null".to_owned())])?;
    }
    let mut lines =
        vec![newest.as_ref().map_or("no map is stored".to_owned(), ToString::to_string)];
    let mut exit = if newest.is_some() { Exit::Complete } else { Exit::Usage };
    let mut rows = vec![["SHARD", "VERSION", "KEYS", "STATE"].map(str::to_owned)];
    for (name, stored) in stored {
        let (version, state) = match (&stored, &newest) {
            (Ok(Some(stored)), Some(newest)) => {
                let state = state(stored, name, newest);
                if state != "agrees" {
                    exit = Exit::Usage;
                }
                (stored.map.version().to_string(), state)
            }
            (Ok(_), _) => {
                exit = Exit::Usage;
                ("-".to_owned(), "has no map".to_owned())
            }
            (Err(error), _) => {
                exit = Exit::of(error);
                ("-".to_owned(), error.to_string())
            }
        };
        let keys = newest.as_ref().map_or("-".to_owned(), |map| share(map, name));
        rows.push([name.to_owned(), version, keys, state]);
    }
    lines.extend(aligned(&rows));
    if !as_json {
        console.answer(&lines)?;
    }
    Ok(exit)
}

fn state(stored: &StoredMap, name: &str, newest: &ShardMap) -> String {
    if stored.shard != name {
        return format!("is the shard {}", stored.shard);
    }
    newest
        .difference(&stored.map)
        .map_or("agrees".to_owned(), |difference| format!("differs: {difference}"))
}

/// Which part of the keys a shard has.
fn share(map: &ShardMap, name: &str) -> String {
    let (Placement::Hash(buckets), Some(shard)) = (map.placement(), map.shard_named(name)) else {
        return "-".to_owned();
    };
    let (own, all) = (buckets.count_of(shard), buckets.count());
    format!("{} buckets, {:.1} %", grouped(own.into()), f64::from(own) * 100.0 / f64::from(all))
}

/// How many rows each shard has, and how evenly they are spread.
fn rows(tables: &[String], arguments: &ShardsArguments, console: Console) -> Result<Exit> {
    let tables = tables.iter().map(|table| TableName::parse(table)).collect::<Result<Vec<_>>>()?;
    let engine = Shards::of(arguments)?.open()?;
    let ids: Vec<_> = engine.ids().collect();
    let (mut lines, mut objects) = (Vec::new(), Vec::new());
    for table in tables {
        let counts = engine.on_each(&ids, |_, engine| count(engine, &table))?;
        let counts = counts.into_iter().collect::<Result<Vec<_>>>()?;
        let all: u64 = counts.iter().sum();
        let skew = skew(&counts);
        let mut rows = vec![["SHARD", "ROWS", "SHARE"].map(str::to_owned)];
        for (&shard, &count) in ids.iter().zip(&counts) {
            let share = if all == 0 { 0.0 } else { count as f64 * 100.0 / all as f64 };
            let name = engine.map().name_of(shard).to_owned();
            rows.push([name, grouped(count), format!("{share:.1} %")]);
        }
        lines.push(format!(
            "{}: {}, skew {:.1} %",
            table.plain(),
            counted(all, "row", "rows"),
            skew * 100.0
        ));
        lines.extend(aligned(&rows));
        let named = ids.iter().map(|shard| engine.map().name_of(*shard).to_owned());
        let by_shard: serde_json::Map<_, _> =
            named.zip(counts.iter().map(|count| Value::from(*count))).collect();
        objects
            .push(json!({"table": table.plain(), "rows": all, "skew": skew, "shards": by_shard}));
    }
    let lines = if arguments.json { vec![Value::Array(objects).to_string()] } else { lines };
    console.answer(&lines)?;
    Ok(Exit::Complete)
}

fn count(engine: &Engine, table: &TableName) -> Result<u64> {
    let mut count = 0;
    engine.query(&format!("SELECT count(*) FROM {table}"), &[], |row| {
        count = i64::unpack(row.cell(0)?)? as u64;
        Ok(())
    })?;
    Ok(count)
}

/// How far the shard that is farthest from its even share is away from it.
fn skew(counts: &[u64]) -> f64 {
    let mean = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
    let away = |count: &u64| if mean == 0.0 { 0.0 } else { (*count as f64 / mean - 1.0).abs() };
    counts.iter().map(away).fold(0.0, f64::max)
}

/// Transactions of writes in two phases that nobody has ended.
fn prepared(arguments: &ShardsArguments, console: Console) -> Result<Exit> {
    let found = Shards::of(arguments)?.open()?.prepared()?;
    if arguments.json {
        let object = |one: &crate::sharding::PreparedTransaction| {
            json!({
                "name": one.name,
                "shard": one.shard,
                "age_seconds": one.age_seconds,
                "decided": one.decided.map(|commit| if commit { "commit" } else { "roll back" }),
            })
        };
        console.answer(&[Value::Array(found.iter().map(object).collect()).to_string()])?;
        return Ok(Exit::Complete);
    }
    if found.is_empty() {
        console.answer(&["no transaction is prepared".to_owned()])?;
        return Ok(Exit::Complete);
    }
    let mut rows = vec![["NAME", "SHARD", "AGE", "DECIDED"].map(str::to_owned)];
    for one in found {
        let decided = match one.decided {
            Some(true) => "to commit",
            Some(false) => "to roll back",
            None => "nothing",
        };
        rows.push([one.name, one.shard, duration(one.age_seconds), decided.to_owned()]);
    }
    console.answer(&aligned(&rows))?;
    Ok(Exit::Complete)
}

/// Lines whose cells stand below each other.
fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
