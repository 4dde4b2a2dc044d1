//! `rowmill nodes`

use super::args::NodesArguments;
use super::console::Console;
use super::exit::Exit;
use super::figures::{duration, grouped};
use super::target_url::{HINT, target_url};
use crate::engine::{Engine, NodeStatus};
use crate::error::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a server may take to answer a person.
const PATIENCE: Duration = Duration::from_secs(3);

const TITLES: [&str; 7] = ["NODE", "ROLE", "HEALTH", "LAG", "LATENCY", "TIMELINE", "WEIGHT"];

pub(super) fn nodes(arguments: &NodesArguments, console: Console) -> Result<Exit> {
    let engine = engine(arguments)?;
    // Who the primary is shows at first; how far the others lag behind it, at second.
    engine.ask_nodes();
    let nodes = engine.ask_nodes();
    let lines = if arguments.json { vec![as_json(&nodes)?] } else { lines(&nodes) };
    console.answer(&lines)?;
    Ok(match engine.reach(PATIENCE) {
        Ok(()) => Exit::Complete,
        Err(error) => {
            console.error(&error);
            Exit::of(&error)
        }
    })
}

fn engine(arguments: &NodesArguments) -> Result<Engine> {
    let mut urls = arguments.targets.iter();
    let first = target_url(urls.next(), &|name| std::env::var(name).ok(), HINT)?;
    let mut builder = Engine::builder(&first)
        .each_host(true)
        .routing(|options| options.probe_timeout(PATIENCE).primary_wait(Duration::ZERO));
    for url in urls {
        builder = builder.replica(url);
    }
    builder.build()
}

/// A table, and below each server that gave no answer why.
fn lines(nodes: &[NodeStatus]) -> Vec<String> {
    let rows: Vec<_> = nodes.iter().map(cells).collect();
    let titles = TITLES.map(str::to_owned);
    let width = |column: usize| {
        let all = rows.iter().chain([&titles]);
        all.map(|row| row[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..TITLES.len()).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&titles)];
    for (node, row) in nodes.iter().zip(&rows) {
        lines.push(line(row));
        lines.extend(node.error.iter().map(|error| format!("  {error}")));
    }
    lines
}

fn cells(node: &NodeStatus) -> [String; 7] {
    let dash = || "-".to_owned();
    let lag = match (node.lag, node.lag_bytes) {
        (Some(lag), Some(bytes)) => format!("{} ({} bytes)", time(lag), grouped(bytes)),
        (Some(lag), None) => time(lag),
        (None, Some(bytes)) => format!("{} bytes", grouped(bytes)),
        (None, None) => dash(),
    };
    [
        node.node.clone(),
        node.role.map_or_else(dash, |role| role.to_string()),
        node.health.to_string(),
        lag,
        node.latency.map_or_else(dash, time),
        node.timeline.map_or_else(dash, |timeline| timeline.to_string()),
        node.weight.to_string(),
    ]
}

/// Short times to the tenth of a millisecond, longer ones as everywhere.
fn time(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        return format!("{:.1} ms", time.as_secs_f64() * 1_000.0);
    }
    duration(time.as_secs_f64())
}

fn as_json(nodes: &[NodeStatus]) -> Result<String> {
    let nodes: Vec<Value> = nodes.iter().map(object).collect();
    serde_json::to_string_pretty(&nodes).map_err(|error| {
        Error::new(ErrorKind::Internal, "the servers cannot be written as JSON").with_source(error)
    })
}

fn object(node: &NodeStatus) -> Value {
    json!({
        "node": node.node,
        "role": node.role.map(|role| role.to_string()),
        "health": node.health.to_string(),
        "labels": node.labels,
        "weight": node.weight,
        "timeline": node.timeline,
        "position": node.position.map(|position| position.to_string()),
        "lag_seconds": node.lag.map(|lag| lag.as_secs_f64()),
        "lag_bytes": node.lag_bytes,
        "latency_seconds": node.latency.map(|latency| latency.as_secs_f64()),
        "error": node.error,
    })
}
