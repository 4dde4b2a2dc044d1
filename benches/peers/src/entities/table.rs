//! What is printed.

use super::contenders::Contender;
use super::figures::Figures;
use super::scenario::Scenario;
use std::fmt::Write as _;

/// The line above all others.
pub fn head() -> String {
    format!(
        "{:<26} {:<10} {:>9} {:>6} {:>13} {:>6} {:>9} {:>6}\n",
        "", "", "rows/s", ": ours", "client s/Mrow", ": ours", "peak MiB", ": ours"
    )
}

/// The lines of one scenario, and each figure beside that of rowmill.
pub fn of(scenario: Scenario, lines: &[(Contender, Figures)]) -> String {
    let ours = lines.iter().find(|(contender, _)| *contender == Contender::Rowmill);
    let ours = ours.map(|(_, figures)| *figures).unwrap_or_default();
    let mut table = String::new();
    for (index, (contender, figures)) in lines.iter().enumerate() {
        let title = if index == 0 { scenario.title() } else { "" };
        let Figures { rate, processor, memory } = figures;
        writeln!(
            table,
            "{title:<26} {:<10} {rate:>9.0} {:>6.2} {processor:>13.2} {:>6.2} {memory:>9.1} {:>6.2}",
            contender.name(),
            rate / ours.rate,
            processor / ours.processor,
            memory / ours.memory,
        )
        .expect("write to a string");
    }
    table
}
