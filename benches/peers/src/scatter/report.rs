//! What is printed, and written to `benches/SCATTER.md`.

use super::contenders::Contender;
use super::figures::Summary;
use super::machine::machine;
use super::sale::{LOADED, ROWS};
use super::scenario::Scenario;
use super::shards::Distance;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// What was measured of one scenario.
pub struct Section {
    pub scenario: Scenario,
    pub distance: Distance,
    pub lines: Vec<(Contender, Result<Summary, String>)>,
}

/// All of it, as Markdown.
pub fn text(sections: &[Section], rounds: usize, seconds: f64) -> String {
    let mut text = format!(
        "# Scatter beside a loop and beside SQLAlchemy\n\nWritten by `benches/scatter`; \
         `benches/peers/README.md` says what is measured, and how. Times are those of one piece of work, \
         \"x scatter\" is the median beside that of rowmill's scatter: above 1 is slower than it. The spread \
         is that of the medians of the rounds, as a share of the middle one.\n\n\
         - {ROWS} rows on three servers, a load of {LOADED} rows; {rounds} rounds of {seconds} s, medians\n\
         - {}\n- rowmill at commit {}; SQLAlchemy and psycopg as in `benches/peers/python/requirements.txt`\n\n\
         | | servers | contender | ms | p95 | spread | x scatter | client CPU, ms |\n\
         |---|---|---|---:|---:|---:|---:|---:|\n",
        machine(),
        commit()
    );
    for section in sections {
        write_lines(&mut text, section);
    }
    text
}

fn write_lines(text: &mut String, section: &Section) {
    let ours = section.lines.iter().find(|(contender, _)| *contender == Contender::Scatter);
    let ours = ours.and_then(|(_, summary)| summary.as_ref().ok()).map(|it| it.figures.p50);
    for (contender, summary) in &section.lines {
        let (title, distance) = (section.scenario.title(), section.distance.name());
        let name = contender.title();
        let cells = match summary {
            Ok(Summary { figures, spread }) => {
                let ratio =
                    ours.map_or_else(|| "-".to_owned(), |it| format!("{:.2}", figures.p50 / it));
                format!(
                    "{:.2} | {:.2} | {:.0} % | {ratio} | {:.2}",
                    figures.p50,
                    figures.p95,
                    spread * 100.0,
                    figures.processor
                )
            }
            Err(why) => format!("left out: {why} | | | |"),
        };
        let _ = writeln!(text, "| {title} | {distance} | {name} | {cells} |");
    }
}

fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let said = output.ok().filter(|output| output.status.success());
    said.map_or_else(|| "?".to_owned(), |it| String::from_utf8_lossy(&it.stdout).trim().to_owned())
}

/// Writes it beside the other results.
pub fn write(text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../SCATTER.md");
    std::fs::write(path, text).expect("write the results");
}
