//! Rows as structs, side by side: rowmill, Diesel, `sea-orm`, `sqlx` and plain `postgres`.
//!
//! `cargo run --release --features entities --bin entities` in this folder starts a private
//! PostgreSQL server and runs every scenario with every contender, in turns, each in a process of
//! its own; the table at the end has the medians of the rounds. It needs libpq and its headers, for
//! Diesel. `-- load update` runs the scenarios whose names begin so. `PEERS_ROUNDS` and
//! `PEERS_SECONDS` change how much is done.
//!
//! - `scenario`:   what is measured
//! - `person`:     the rows
//! - `contenders`: the mappers, each as its documentation shows it
//! - `meter`:      rows in a second, processor time, memory
//! - `figures`:    what one run gave, and medians
//! - `table`:      what is printed
//! - `machine`:    on what it was measured
//! - `support`:    the private server that the tests use
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints")]

mod contenders;
mod figures;
#[path = "../machine.rs"]
mod machine;
mod meter;
mod person;
mod scenario;
#[path = "../support.rs"]
mod support;
mod table;

use contenders::Contender;
use figures::{Figures, median};
use scenario::Scenario;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;
use support::Cluster;

const ROUNDS: usize = 7;
const SECONDS: f64 = 1.5;
/// What the child's arguments begin with.
const CHILD: &str = "--measure";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [CHILD, contender, scenario, seconds, url] => measure(contender, scenario, seconds, url),
        _ => compare(&arguments),
    }
}

/// What a child does: one scenario with one contender.
fn measure(contender: &str, scenario: &str, seconds: &str, url: &str) {
    let contender = Contender::named(contender).expect("a contender");
    let scenario = Scenario::named(scenario).expect("a scenario");
    let time = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    println!("{}", contender.run(scenario, time, url));
}

/// What the parent does: all of it, in turns.
fn compare(words: &[String]) {
    let rounds = number("PEERS_ROUNDS").unwrap_or(ROUNDS as f64).max(1.0) as usize;
    let seconds = number("PEERS_SECONDS").unwrap_or(SECONDS);
    let chosen = |scenario: &Scenario| {
        words.is_empty() || words.iter().any(|word| scenario.name().starts_with(word.as_str()))
    };
    let cluster = Cluster::start_with(&["autovacuum=off"]);
    cluster.sql(person::TABLE);
    println!("{rounds} rounds of {seconds} s, medians; {}\n", machine::machine());
    print!("{}", table::head());
    for scenario in Scenario::ALL.into_iter().filter(chosen) {
        let mut measured = [const { Vec::new() }; Contender::ALL.len()];
        for round in 0..rounds {
            // Another one begins each round, so that none always runs after the same other.
            for turn in 0..measured.len() {
                let next = (round + turn) % measured.len();
                person::CLEAN.iter().for_each(|sql| cluster.sql(sql));
                measured[next].push(child(Contender::ALL[next], scenario, seconds, &cluster));
                eprint!(".");
                let _ = std::io::stderr().flush();
            }
        }
        eprintln!(" {}", scenario.name());
        let lines = Contender::ALL.into_iter().zip(&measured);
        let lines: Vec<_> = lines.map(|(contender, rounds)| (contender, median(rounds))).collect();
        print!("{}", table::of(scenario, &lines));
    }
}

fn number(name: &str) -> Option<f64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn child(contender: Contender, scenario: Scenario, seconds: f64, cluster: &Cluster) -> Figures {
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new(program)
        .args([CHILD, contender.name(), scenario.name(), &seconds.to_string(), &cluster.url()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("start a child");
    let (contender, scenario) = (contender.name(), scenario.name());
    assert!(output.status.success(), "{contender} failed in {scenario}");
    Figures::parse(&String::from_utf8_lossy(&output.stdout)).expect("figures of a child")
}
