//! The layers, bottom first, and the one door of each foreign crate.

/// A layer: groups of parts from left to right. A part knows the layers below its own and the
/// groups to its left; parts of one group are siblings.
struct Layer {
    groups: &'static [&'static [&'static str]],
    siblings_know_each_other: bool,
}

const fn layer(groups: &'static [&'static [&'static str]]) -> Layer {
    Layer { groups, siblings_know_each_other: false }
}

const fn family(groups: &'static [&'static [&'static str]]) -> Layer {
    Layer { groups, siblings_know_each_other: true }
}

const LAYERS: &[Layer] = &[
    // Ground.
    family(&[&[
        "error", "sqlstate", "ident", "stop", "workers", "nearest", "retry", "spent", "trace",
    ]]),
    // Words.
    layer(&[&["url"], &["config"]]),
    // Paper: no socket, no thread, no clock.
    layer(&[&["mapping"], &["sql", "copy"], &["query"]]),
    // Drivers: the seam, then what lies behind it.
    layer(&[&["backend"], &["backend/postgres", "backend/sqlite", "backend/mysql"]]),
    // Wires.
    layer(&[&["pool"], &["routing"], &["engine"], &["sharding"]]),
    // Work.
    layer(&[&["fetch"], &["store", "schema"], &["session", "source", "sink"]]),
    // Flow.
    layer(&[&["batch"], &["reshard", "observe"]]),
    // Doors.
    family(&[&["lib", "prelude", "cli", "main"]]),
];

/// What the layers would allow and the design does not: a product has no name above the seam but
/// where an engine is opened, and a source or a sink never knows that replicas or shards exist.
const NEVER: &[(&[&str], &[&str])] = &[
    (
        &[
            "pool", "routing", "sharding", "fetch", "store", "schema", "session", "source", "sink",
            "batch", "reshard", "cli",
        ],
        &["backend/postgres", "backend/sqlite", "backend/mysql"],
    ),
    (&["source", "sink"], &["routing", "sharding"]),
];

/// The parts in which a foreign crate may be named.
const DOORS: &[(&str, &[&str])] = &[
    ("r2d2", &["pool"]),
    ("r2d2_postgres", &["backend/postgres"]),
    ("postgres", &["backend/postgres"]),
    ("tokio_postgres", &["backend/postgres"]),
    ("tokio_rustls", &["backend/postgres"]),
    ("rustls", &["backend/postgres"]),
    ("rustls_native_certs", &["backend/postgres"]),
    ("postgres_types", &["backend/postgres"]),
    ("postgres_protocol", &["backend/postgres"]),
    ("tokio", &["backend/postgres"]),
    // The clock of the last tick, for the pool.
    ("rustix", &["backend/postgres", "pool"]),
    ("socket2", &["backend/postgres"]),
    ("rusqlite", &["backend/sqlite"]),
    ("rayon", &["workers"]),
    ("tracing", &["trace"]),
    ("metrics", &["observe"]),
    ("crossbeam_channel", &["batch"]),
    ("flate2", &["source"]),
    ("zstd", &["source"]),
    ("glob", &["source"]),
    // Pages are read by the one and written by the other, which share nothing.
    ("parquet", &["source", "sink"]),
    ("bytes", &["source"]),
    ("clap", &["cli", "main"]),
    ("toml", &["cli", "main"]),
    ("indicatif", &["cli", "main"]),
    ("signal_hook", &["cli", "main"]),
];

/// The part to which a module belongs.
pub fn part(module: &[String]) -> &str {
    match module {
        [] => "lib",
        [first, second, ..] if first == "backend" => match second.as_str() {
            "postgres" => "backend/postgres",
            "sqlite" => "backend/sqlite",
            "mysql" => "backend/mysql",
            _ => "backend",
        },
        [first, ..] => first,
    }
}

/// Where a part stands: its layer and its group.
fn position(part: &str) -> Option<(usize, usize)> {
    LAYERS.iter().enumerate().find_map(|(floor, layer)| {
        let group = layer.groups.iter().position(|group| group.contains(&part))?;
        Some((floor, group))
    })
}

/// Whether the table has the part.
pub fn is_known(part: &str) -> bool {
    position(part).is_some()
}

/// Whether `here` may import from `there`.
pub fn may_know(here: &str, there: &str) -> bool {
    let (Some(from), Some(to)) = (position(here), position(there)) else { return false };
    let never = NEVER.iter().any(|(who, whom)| who.contains(&here) && whom.contains(&there));
    // A tuple is compared floor first, then by group.
    let below_or_left = to < from;
    let family = from.0 == to.0 && LAYERS[from.0].siblings_know_each_other;
    here == there || (!never && (below_or_left || family))
}

/// Whether the part is one of the top layer, which names what the crate's root re-exports.
pub fn is_door(part: &str) -> bool {
    position(part).is_some_and(|(floor, _)| floor == LAYERS.len() - 1)
}

/// Whether the part is pure.
pub fn is_paper(part: &str) -> bool {
    matches!(part, "mapping" | "sql" | "copy")
}

/// The parts that may name the foreign crate, if it has a door at all.
pub fn homes_of(foreign: &str) -> Option<&'static [&'static str]> {
    DOORS.iter().find(|(name, _)| *name == foreign).map(|(_, homes)| *homes)
}
