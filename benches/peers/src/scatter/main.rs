//! Queries and a load over three shards: scatter, a loop over the same shards, and `SQLAlchemy`'s
//! horizontal sharding.
//!
//! `benches/scatter` builds and starts it: three private PostgreSQL servers, the same rows on them,
//! every scenario with every contender in turns, each in a process of its own; near (over the
//! loopback) and far (everything 1 ms late in each direction). What says something else than the
//! rows do has no time. `-- count groups` runs the scenarios whose names begin so and writes
//! nothing; `SCATTER_ROUNDS` and `SCATTER_SECONDS` change how much is done.
//!
//! - `scenario`:   what is measured
//! - `sale`:       the rows, and what is right, made without any contender
//! - `shards`:     the servers
//! - `contenders`: who is measured, and how each is started
//! - `rowmill`:    scatter, and the loop
//! - `meter`:      how long pieces of work take
//! - `figures`:    what one run gave, and medians
//! - `report`:     what is printed, and written to `benches/SCATTER.md`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints")]

mod contenders;
mod figures;
#[path = "../machine.rs"]
mod machine;
mod meter;
#[path = "../../../../tests/it/support/proxy/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "it is made for the tests")]
mod proxy;
mod report;
mod rowmill;
mod sale;
mod scenario;
mod shards;
#[path = "../support.rs"]
mod support;

use contenders::Contender;
use figures::Measured;
use scenario::Scenario;
use shards::{Distance, Shards};
use std::io::Write as _;
use std::time::Duration;

const ROUNDS: usize = 5;
const SECONDS: f64 = 2.0;
/// What the child's arguments begin with.
const CHILD: &str = "--measure";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [CHILD, contender, scenario, seconds, ref urls @ ..] => {
            measure(contender, scenario, seconds, urls);
        }
        _ => compare(&arguments),
    }
}

/// What a child does: one scenario with one contender.
fn measure(contender: &str, scenario: &str, seconds: &str, urls: &[&str]) {
    let contender = Contender::named(contender).expect("a contender");
    let scenario = Scenario::named(scenario).expect("a scenario");
    let time = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    println!("{}", rowmill::run(contender, scenario, time, urls));
}

/// What the parent does: all of it, in turns.
fn compare(words: &[String]) {
    let rounds = number("SCATTER_ROUNDS").unwrap_or(ROUNDS as f64).max(1.0) as usize;
    let seconds = number("SCATTER_SECONDS").unwrap_or(SECONDS);
    let chosen = |scenario: &Scenario| {
        words.is_empty() || words.iter().any(|word| scenario.name().starts_with(word.as_str()))
    };
    let contenders = Contender::available();
    let shards = Shards::start();
    let mut sections = Vec::new();
    for distance in Distance::ALL {
        for scenario in Scenario::ALL.into_iter().filter(chosen) {
            let mut measured: Vec<Vec<Measured>> = vec![Vec::new(); contenders.len()];
            for round in 0..rounds {
                // Another one begins each round, so that none always runs after the same other.
                for turn in 0..contenders.len() {
                    let next = (round + turn) % contenders.len();
                    measured[next]
                        .push(contenders[next].start(scenario, seconds, &shards, distance));
                    eprint!(".");
                    let _ = std::io::stderr().flush();
                }
            }
            eprintln!(" {}, {}", scenario.name(), distance.name());
            let lines = contenders.iter().copied().zip(&measured);
            let lines = lines.map(|(contender, rounds)| (contender, figures::median(rounds)));
            sections.push(report::Section { scenario, distance, lines: lines.collect() });
        }
    }
    let text = report::text(&sections, rounds, seconds);
    print!("{text}");
    if words.is_empty() {
        report::write(&text);
    }
}

fn number(name: &str) -> Option<f64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}
