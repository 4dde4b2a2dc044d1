//! Tables, for a terminal and for Markdown.

use super::contenders::Kind;
use super::run::{Line, Section};
use super::work::Work;
use std::fmt::Write as _;

/// A table: what stands above it, its head and its cells.
pub struct Table {
    pub title: String,
    head: Vec<&'static str>,
    cells: Vec<Vec<String>>,
    /// Who was left out, and what else the cells do not say.
    below: Vec<String>,
}

pub fn of(section: &Section) -> Table {
    let timed = section.work.is_timed();
    let lines: Vec<_> = section.lines.iter().filter(|line| !line.costs.is_empty()).collect();
    let head = if timed {
        vec![
            "",
            "per s",
            "turns",
            "spread",
            "x rowmill",
            "p50 us",
            "p99 us",
            "client us",
            "server us",
            "peak MB",
        ]
    } else {
        vec![
            "",
            "s",
            "turns",
            "spread",
            "x limit",
            "x rowmill",
            "rows/s",
            "client s",
            "server s",
            "peak MB",
        ]
    };
    let ours = best(&lines, Kind::Ours, section);
    let limit = best(&lines, Kind::Limit, section);
    let cells = lines
        .iter()
        .map(|line| if timed { small(line, ours) } else { large(line, ours, limit, section.work) });
    let failed = section
        .lines
        .iter()
        .filter_map(|line| Some(format!("{}: left out, {}", line.title(), line.failed.as_ref()?)));
    let below = failed.chain(notes(section, &lines)).collect();
    Table { title: title(section), head, cells: cells.collect(), below }
}

/// What ratios are to: the fastest of its kind.
fn best<'a>(lines: &[&'a Line], kind: Kind, section: &Section) -> Option<&'a Line> {
    let of_kind = lines.iter().copied().filter(|line| line.contender.kind == kind);
    if section.work.is_timed() {
        return of_kind.max_by(|a, b| rate(a).total_cmp(&rate(b)));
    }
    of_kind.min_by(|a, b| a.seconds().total_cmp(&b.seconds()))
}

fn rate(line: &Line) -> f64 {
    line.median(|cost| cost.answer.rate)
}

fn large(line: &Line, ours: Option<&Line>, limit: Option<&Line>, work: Work) -> Vec<String> {
    let seconds = line.seconds();
    let ratio = |to: Option<&Line>| {
        to.map_or("-".to_owned(), |to| format!("{:.2}", seconds / to.seconds()))
    };
    let rows = line.median(|cost| cost.answer.rows as f64);
    let per_second = if rows > 0.0 { format!("{:.0}", rows / seconds) } else { "-".to_owned() };
    vec![
        line.title(),
        format!("{seconds:.3}"),
        line.costs.len().to_string(),
        format!("{:.0} %", line.spread(|cost| cost.seconds) * 100.0),
        ratio(limit),
        ratio(ours),
        per_second,
        format!("{:.2}", line.median(|cost| cost.client)),
        servers(line, work),
        megabytes(line),
    ]
}

/// The time of the server, or of the source's and of the target's.
fn servers(line: &Line, work: Work) -> String {
    let all = format!("{:.2}", line.median(|cost| cost.server));
    if work != Work::Copy {
        return all;
    }
    let [source, target] = [0, 1].map(|of| line.median(|cost| cost.servers[of]));
    format!("{all}: {source:.2} + {target:.2}")
}

fn small(line: &Line, ours: Option<&Line>) -> Vec<String> {
    let per_second = rate(line);
    let each = |seconds: f64| {
        // The warm-up takes a fifth of the time again.
        let turns = line.median(|cost| cost.answer.rows as f64) * 1.2;
        format!("{:.1}", seconds / turns * 1e6)
    };
    vec![
        line.title(),
        format!("{per_second:.0}"),
        line.costs.len().to_string(),
        format!("{:.0} %", line.spread(|cost| cost.answer.rate) * 100.0),
        ours.map_or("-".to_owned(), |ours| format!("{:.2}", per_second / rate(ours))),
        microseconds(line.median(|cost| cost.answer.p50)),
        microseconds(line.median(|cost| cost.answer.p99)),
        each(line.median(|cost| cost.client)),
        each(line.median(|cost| cost.server)),
        megabytes(line),
    ]
}

fn microseconds(seconds: f64) -> String {
    let digits = if seconds < 1e-5 { 2 } else { 0 };
    format!("{:.digits$}", seconds * 1e6)
}

/// What the table alone does not say.
fn notes(section: &Section, lines: &[&Line]) -> Vec<String> {
    let mut notes = Vec::new();
    if lines.iter().any(|line| line.costs.len() < section.rounds) {
        notes.push(format!(
            "rivals that took more than four times as long as the fastest had fewer than {} turns",
            section.rounds
        ));
    }
    let ours = best(lines, Kind::Ours, section);
    if let Some((ours, other)) = ours.zip(best(lines, Kind::Async, section))
        && section.work == Work::Sleep
    {
        notes.push(format!(
            "where callers wait, async is the better choice: beside {} a thread for each caller took {:.2} \
             times the client CPU and {:.2} times the memory",
            other.title(),
            ours.median(|cost| cost.client) / other.median(|cost| cost.client),
            ours.median(|cost| cost.memory) / other.median(|cost| cost.memory)
        ));
    }
    notes
}

fn megabytes(line: &Line) -> String {
    format!("{:.0}", line.median(|cost| cost.memory) / 1e6)
}

fn title(section: &Section) -> String {
    let rows = section.rows;
    let what = match section.work {
        Work::Load => {
            format!("{rows} rows of lineitem that the program makes, into an empty table")
        }
        Work::File => format!("{rows} rows of lineitem in a CSV file, into an empty table"),
        Work::Bad => format!("{rows} rows in a CSV file, 1 % of them bad: the good ones go in"),
        Work::Read => format!("{rows} rows of lineitem, each made a struct"),
        Work::Upsert | Work::UpsertNew => {
            let keys = if section.work == Work::Upsert { "all keys there" } else { "all keys new" };
            format!(
                "{rows} rows read, changed (2 us each), upserted, {keys}, batches of {}",
                section.batch
            )
        }
        Work::LookUp => format!("one row by its key, {} callers", section.callers),
        Work::Transaction => format!("an update and an insert, {} callers", section.callers),
        Work::Copy => format!("{rows} rows of lineitem from one server to another"),
        Work::Sleep => "64 callers, 10 statements each that wait 50 ms in the server".to_owned(),
    };
    format!("{} {}: {what}", section.work.names().0, section.work.names().1)
}

impl Table {
    pub fn text(&self) -> String {
        let widths: Vec<_> = (0..self.head.len()).map(|column| self.width(column)).collect();
        let mut text = format!("\n{}\n", self.title);
        let head: Vec<_> = self.head.iter().map(ToString::to_string).collect();
        for row in std::iter::once(&head).chain(&self.cells) {
            let mut line = format!("{:<width$}", row[0], width = widths[0]);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                let _ = write!(line, "  {cell:>width$}");
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
        for line in &self.below {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.cells.iter().map(|row| row[column].chars().count());
        cells.chain([self.head[column].chars().count()]).max().unwrap_or(0)
    }

    pub fn markdown(&self) -> String {
        let mut text = format!("\n### {}\n\n| {} |\n", self.title, self.head.join(" | "));
        let _ = writeln!(text, "|---|{}", "---:|".repeat(self.head.len() - 1));
        for row in &self.cells {
            let cells: Vec<_> = row.iter().map(|cell| escaped(cell)).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        if !self.below.is_empty() {
            let _ = writeln!(text, "\n{}", self.below.join("\n\n"));
        }
        text
    }
}

/// A text as a cell of a table of Markdown.
pub fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|")
}
