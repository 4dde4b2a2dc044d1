//! What is printed.

use crate::contenders::Contender;
use crate::figures::Figures;
use crate::scenario::Scenario;
use std::fmt::Write as _;

/// The lines of one scenario, and what each takes beside rowmill.
pub fn of(scenario: Scenario, lines: &[(Contender, Figures)]) -> String {
    let mut table = format!("\n{}\n", scenario.title());
    let ours = lines.iter().find(|(contender, _)| *contender == Contender::Rowmill);
    let ours = ours.map(|(_, figures)| *figures).unwrap_or_default();
    for line in std::iter::once(head(scenario)).chain(lines.iter().map(|(contender, figures)| {
        let ratio = ratio(scenario, figures, &ours);
        format!("{:<18}{} {ratio:>9.2}", contender.title(), cells(scenario, figures))
    })) {
        writeln!(table, "{line}").expect("write to a string");
    }
    let plain = lines.iter().find(|(contender, _)| *contender == Contender::R2d2);
    if let (Scenario::GetTrivial, Some((_, plain))) = (scenario, plain) {
        let more = ours.p50 - plain.p50;
        writeln!(table, "rowmill over plain r2d2: {more:.0} ns").expect("write to a string");
    }
    table
}

fn head(scenario: Scenario) -> String {
    let cells = match scenario {
        Scenario::GetTrivial | Scenario::GetReal => format!("{:>9}", "ns"),
        Scenario::Wait(_) => format!(
            "{:>9} {:>11} {:>11} {:>11} {:>6}",
            "turns/s", "wait p50 ms", "wait p99 ms", "wait max ms", "Jain"
        ),
        Scenario::Point(_) => {
            format!("{:>9} {:>8} {:>8} {:>8}", "queries/s", "p50 us", "p99 us", "max us")
        }
    };
    let compared = match scenario {
        Scenario::GetTrivial | Scenario::GetReal => "ns",
        Scenario::Wait(_) | Scenario::Point(_) => "p99",
    };
    format!("{:<18}{cells} {:>9}", "", format!("{compared} : ours"))
}

fn cells(scenario: Scenario, figures: &Figures) -> String {
    let Figures { rate, p50, p99, max, fairness } = figures;
    match scenario {
        Scenario::GetTrivial | Scenario::GetReal => format!("{p50:>9.0}"),
        Scenario::Wait(_) => format!(
            "{rate:>9.0} {:>11.2} {:>11.2} {:>11.2} {fairness:>6.3}",
            p50 / 1e6,
            p99 / 1e6,
            max / 1e6
        ),
        Scenario::Point(_) => {
            format!("{rate:>9.0} {:>8.0} {:>8.0} {:>8.0}", p50 / 1e3, p99 / 1e3, max / 1e3)
        }
    }
}

fn ratio(scenario: Scenario, figures: &Figures, ours: &Figures) -> f64 {
    match scenario {
        Scenario::GetTrivial | Scenario::GetReal => figures.p50 / ours.p50,
        Scenario::Wait(_) | Scenario::Point(_) => figures.p99 / ours.p99,
    }
}
