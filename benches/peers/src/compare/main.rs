//! Whole pieces of work side by side: loads, reads, upserts, small statements, copies.
//!
//! `benches/compare` builds and starts it; `benches/peers/README.md` says what it does and how fair
//! it is.
//!
//! - `options`:    the command line
//! - `constants`, `line_item`: what all contenders share: tables, statements, rows of a seed
//! - `servers`:    the private servers, and files of the rows
//! - `work`:       the pieces of work, and what has to be there after each
//! - `contenders`: who does what; `contender`: how one is started
//! - `programs`:   their programs, `tools` what is none of ours
//! - `task`:       what a program is told and answers; `meter`: what its process took
//! - `run`:        contenders in turns
//! - `machine`:    where it is measured, and what
//! - `table`, `goals`, `plot`, `report`: what is printed and written; `missed.md`: why an aim is missed
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints")]

mod constants;
mod contender;
mod contenders;
mod goals;
mod line_item;
mod machine;
mod meter;
mod options;
mod plot;
mod programs;
mod report;
mod run;
mod servers;
#[path = "../support.rs"]
mod support;
mod table;
mod task;
mod tools;
mod work;

use contenders::{Contender, Kind, Program, Way};
use options::Options;
use run::{Plan, Section};
use servers::Servers;
use std::time::{Duration, Instant};
use task::{Answer, Task};
use work::Work;

/// What a child's arguments begin with: a contender of this program, and a statement.
pub const CONTENDER: &str = "--contender";
pub const STATEMENT: &str = "--statement";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some(meter::METER) => meter::measure(&words[1..]),
        Some(CONTENDER) => contend(&words[1..]),
        Some(STATEMENT) => state(&words[1..]),
        Some("--help" | "-h") => println!("{}", options::USAGE),
        Some("--check") => check(),
        _ => match Options::parse(&words) {
            Ok(options) => compare(&options),
            Err(wrong) => {
                eprintln!("{wrong}");
                std::process::exit(2);
            }
        },
    }
}

/// What a child does: one piece of work as one contender.
fn contend(words: &[String]) {
    let [work, name, task @ ..] = words else { panic!("{CONTENDER} needs a contender") };
    let work = Work::named(work).expect("a piece of work");
    let task = Task::parse(task).expect("a task");
    let contender = contenders::here(work).into_iter().find(|contender| contender.name == name);
    let Some(Program::Here(program)) = contender.map(|contender| contender.program) else {
        panic!("{name}: unknown")
    };
    println!("{}", program(&task));
}

/// What a child does: a statement, which the server works at alone; or one on each of two servers.
///
/// Two are run one after the other, each with a core for itself, and what they took is divided by the
/// cores: nobody who has both servers do that, and share these cores, can be faster.
fn state(words: &[String]) {
    let (statements, []) = words[1..].as_chunks::<2>() else {
        panic!("{STATEMENT} needs statements")
    };
    let seconds: f64 = statements.iter().map(statement).sum();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let over = if statements.len() > 1 { cores } else { 1 };
    println!("{}", Answer { seconds: seconds / over as f64, ..Answer::default() });
}

fn statement([url, sql]: &[String; 2]) -> f64 {
    let start = Instant::now();
    let mut client = postgres::Client::connect(url, postgres::NoTls).expect("connect");
    client.batch_execute(sql).expect("run the statement");
    start.elapsed().as_secs_f64()
}

/// Every contender once, with little data.
fn check() {
    let words = ["--quick", "--rounds", "1"].map(str::to_owned);
    let options = Options {
        rows: 20_000,
        items: 5_000,
        seconds: 0.1,
        ..Options::parse(&words).expect("options")
    };
    let servers = Servers::start();
    let mut sections = Vec::new();
    all(&servers, &options, &mut sections);
    let failed: Vec<_> = sections
        .iter()
        .flat_map(|section| &section.lines)
        .filter_map(|line| Some(format!("{}: {}", line.title(), line.failed.as_ref()?)))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What adds sections.
type Measure = fn(&Servers, &Options, &mut Vec<Section>);

/// What the parent does: all of it, in turns.
fn compare(options: &Options) {
    let servers = Servers::start();
    let mut sections = Vec::new();
    let mut took = [Duration::ZERO; 3];
    let mut timed = |of: usize, measure: Measure| {
        let (start, begin) = (Instant::now(), sections.len());
        measure(&servers, options, &mut sections);
        took[of] = start.elapsed();
        begin..sections.len()
    };
    timed(0, all);
    let grid = if options.grid { timed(1, grid) } else { 0..0 };
    let scaling = if options.scaling { timed(2, scaling) } else { 0..0 };
    let results = report::Results {
        options,
        sections: &sections,
        grid: &sections[grid],
        scaling: &sections[scaling],
        server: servers.version(),
        took,
    };
    print!("{}", results.text());
    if let Err(error) = results.write() {
        eprintln!("the results are not written: {error}");
        std::process::exit(1);
    }
}

/// Each piece of work with all its contenders.
fn all(servers: &Servers, options: &Options, sections: &mut Vec<Section>) {
    for work in Work::ALL.into_iter().filter(|work| options.wants(*work)) {
        let rows = if matches!(work, Work::Upsert | Work::UpsertNew) {
            options.items
        } else {
            options.rows
        };
        let callers: &[usize] = match work {
            Work::LookUp | Work::Transaction => &[1, 8, 64],
            _ => &[1],
        };
        for callers in callers {
            let plan = Plan { callers: *callers, ..Plan::new(work, rows, options.rounds) };
            // A client for each of 64 callers is another thing than eight connections.
            let plan = plan.only(|contender| {
                let alone = matches!(contender.kind, Kind::Limit | Kind::Nobody);
                !alone || *callers == 1 || !work.is_timed()
            });
            let few = rows <= MAPPED_ROWS || plan.contenders.iter().all(|it| !is_mapper(it));
            if few {
                sections.push(plan.run(servers, options));
                continue;
            }
            sections.push(plan.only(|contender| !is_mapper(contender)).run(servers, options));
            let plan = Plan::new(work, MAPPED_ROWS, options.rounds);
            let plan =
                plan.only(|it| is_mapper(it) || (it.kind == Kind::Ours && it.way == Way::Url));
            sections.push(plan.run(servers, options));
        }
    }
}

/// Python's mappers have no more rows than this, in a table of their own: they would be most of the time
/// of the whole comparison, and their time for a row is the same.
const MAPPED_ROWS: u64 = 120_000;

fn is_mapper(contender: &Contender) -> bool {
    contender.kind == Kind::PythonMapper
}

const POOL_SIZES: [usize; 5] = [1, 2, 4, 8, 16];
const BATCH_SIZES: [usize; 5] = [100, 1_000, 5_000, 10_000, 50_000];

/// W3 by the size of the pool, and by that of a batch.
fn grid(servers: &Servers, options: &Options, sections: &mut Vec<Section>) {
    let rounds = options.rounds.div_ceil(2);
    let plan = || {
        let plan = Plan::new(Work::Upsert, options.items, rounds);
        plan.only(|it| !it.name.contains("bb8") && it.way == Way::Url)
    };
    for connections in POOL_SIZES {
        let plan = Plan { connections: Some(connections), ..plan() };
        sections.push(plan.run(servers, options));
    }
    for batch in BATCH_SIZES {
        let plan = Plan { batch, connections: Some(4), ..plan() };
        sections.push(plan.run(servers, options));
    }
}

/// W1 to W3 with 1, 3 and 10 times the data.
fn scaling(servers: &Servers, options: &Options, sections: &mut Vec<Section>) {
    for work in [Work::Load, Work::File, Work::Read, Work::Upsert] {
        let base = if work == Work::Upsert { options.items } else { options.rows };
        // Ten times of it is two and a half times what all contenders have.
        let base = (base / 4).div_ceil(400) * 400;
        for times in [1, 3, 10] {
            let plan = Plan::new(work, base * times, options.rounds.div_ceil(2));
            let plan = plan.only(|contender| {
                let all = [
                    "rowmill, job",
                    "rowmill, query",
                    "psql \\copy",
                    "tokio-postgres + deadpool",
                    "tokio-postgres + deadpool, stream",
                    "tokio-postgres + deadpool, binary COPY",
                ];
                all.contains(&contender.name)
                    && (contender.connections != 1 || contender.name.starts_with("psql"))
                    && contender.connections != 4
            });
            sections.push(plan.run(servers, options));
        }
    }
}
