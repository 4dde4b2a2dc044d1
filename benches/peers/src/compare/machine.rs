//! Where it was measured, and what: the machine, the commit, the versions of the rivals.

use super::tools;
use std::fs;
use std::process::Command;

/// What would have taken part and is not here.
pub fn missing() -> Vec<(&'static str, String)> {
    let mut missing = tools::missing();
    if tools::python().is_none() {
        let why = std::env::var("COMPARE_NO_PYTHON").unwrap_or_default();
        let none = "it was not asked for, or is not where COMPARE_PYTHON says";
        let why = if why.is_empty() { none.to_owned() } else { why };
        let names =
            "Python (psycopg, asyncpg, ADBC, ConnectorX, SQLAlchemy, Django, Peewee, Tortoise)";
        missing.push((names, why));
    }
    missing
}

/// Cores, memory, processor, kernel, and how busy it is; no names of a machine.
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let memory = read("/proc/meminfo");
    let memory = memory.lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok()
    });
    let load = read("/proc/loadavg");
    format!(
        "{} cores of {}, {:.0} GB of memory, Linux {}, load at the end {}",
        std::thread::available_parallelism().map_or(0, usize::from),
        model.map_or("an unknown processor", |(_, name)| name),
        memory.unwrap_or_default() / 1e6,
        read("/proc/sys/kernel/osrelease")
            .trim()
            .split('-')
            .next()
            .unwrap_or("of an unknown version"),
        load.split(' ').next().unwrap_or("unknown")
    )
}

/// What is measured.
pub fn commit() -> String {
    let git = |words: &[&str]| {
        let output = Command::new("git").args(words).output().ok().filter(|it| it.status.success());
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    match git(&["status", "--porcelain", "--untracked-files=no", "../../src", "src"]) {
        Some(changed) if changed.is_empty() => commit,
        _ => format!("{commit}, with changes"),
    }
}

/// What the manifest and the requirements pin.
pub fn versions() -> String {
    let manifest = include_str!("../../Cargo.toml");
    let crates = [
        "bb8",
        "deadpool-postgres",
        "diesel",
        "diesel-async",
        "postgres",
        "r2d2",
        "rayon",
        "sea-orm",
        "sqlx",
        "tokio",
        "tokio-postgres",
    ];
    let pinned = manifest.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" = ")?;
        let version = rest.split("\"=").nth(1)?.split('"').next()?;
        crates.contains(&name).then(|| format!("{name} {version}"))
    });
    let mut all: Vec<_> = pinned.collect();
    if tools::python().is_some() {
        let requirements = include_str!("../../python/requirements.txt");
        let lines =
            requirements.lines().filter(|line| line.contains("==") && !line.starts_with('#'));
        all.extend(lines.map(|line| line.replace("==", " ")));
    }
    all.join(", ")
}
