//! What was aimed at, as ratios within one run, what was reached, and why the rest was not.

use super::contenders::{Kind, Way};
use super::run::{Line, Section};
use super::work::Work;

/// An aim of the project.
pub struct Aim {
    pub text: &'static str,
    pub limit: f64,
    /// Whether more is better.
    pub more: bool,
    ratio: fn(&Measured<'_>) -> Option<f64>,
}

const fn at_most(text: &'static str, limit: f64, ratio: fn(&Measured<'_>) -> Option<f64>) -> Aim {
    Aim { text, limit, more: false, ratio }
}

const fn at_least(text: &'static str, limit: f64, ratio: fn(&Measured<'_>) -> Option<f64>) -> Aim {
    Aim { text, limit, more: true, ratio }
}

static AIMS: [Aim; 32] = [
    at_most("W1 load: time, beside the fastest async contender", 0.85, |all| {
        let load = all.of(Work::Load, 1)?;
        over(fastest(load, Kind::Ours), fastest(load, Kind::Async), Line::seconds)
    }),
    at_most("W1 load: time, beside an async contender that is told the Unix socket", 0.85, |all| {
        let load = all.of(Work::Load, 1)?;
        over(fastest(load, Kind::Ours), told_the_socket(load), Line::seconds)
    }),
    at_most("W1 load: time, beside one session of psql \\copy", 0.5, |all| {
        let load = all.of(Work::Load, 1)?;
        let psql = load.line("psql \\copy, from CSV", 0);
        over(fastest(load, Kind::Ours), psql, Line::seconds)
    }),
    at_most("W1 load: client CPU, beside tokio-postgres, both on 2 connections", 0.25, |all| {
        let (ours, tokio) = pair_of_loads(all.of(Work::Load, 1)?)?;
        over(Some(ours), Some(tokio), client)
    }),
    at_most("W1 load: the same, without what making the rows costs", 0.25, |all| {
        let load = all.of(Work::Load, 1)?;
        let (ours, tokio) = pair_of_loads(load)?;
        let made = load.line("the rows alone, made and dropped", 0).map_or(0.0, client);
        over(Some(ours), Some(tokio), |line| client(line) - made)
    }),
    at_most("W2 read: time, beside the fastest async contender on 2 connections", 0.7, |all| {
        let (ours, other) = pair_of_reads(all.of(Work::Read, 1)?);
        over(ours, other, Line::seconds)
    }),
    at_most("W2 read: time, beside one that is told the Unix socket", 0.7, |all| {
        let read = all.of(Work::Read, 1)?;
        over(read.line("rowmill, query", 2), told_the_socket(read), Line::seconds)
    }),
    at_most(
        "W2 read: client CPU, beside the fastest async contender on 2 connections",
        0.4,
        |all| {
            let (ours, other) = pair_of_reads(all.of(Work::Read, 1)?);
            over(ours, other, client)
        },
    ),
    at_most("W3 upsert: time of the job, beside the fastest async contender", 0.97, |all| {
        upsert(all, Work::Upsert, "rowmill, job")
    }),
    at_most("W3 upsert: time of the job, beside one that is told the Unix socket", 0.97, |all| {
        let upsert = all.of(Work::Upsert, 1)?;
        over(upsert.line("rowmill, job", 0), told_the_socket(upsert), Line::seconds)
    }),
    at_most("W3 upsert: time without a ledger, as the others, beside the same", 0.97, |all| {
        upsert(all, Work::Upsert, "rowmill, upsert_many by hand")
    }),
    at_most("W3 upsert-new: time of the job, beside the fastest async contender", 0.87, |all| {
        upsert(all, Work::UpsertNew, "rowmill, job")
    }),
    at_most(
        "W3 upsert-new: time of the job, beside one that is told the Unix socket",
        0.87,
        |all| {
            let upsert = all.of(Work::UpsertNew, 1)?;
            over(upsert.line("rowmill, job", 0), told_the_socket(upsert), Line::seconds)
        },
    ),
    at_most("W3 upsert-new: time without a ledger, as the others, beside the same", 0.87, |all| {
        upsert(all, Work::UpsertNew, "rowmill, upsert_many by hand")
    }),
    at_most("W4 look-up: p50 of 1 caller, beside a bare prepared statement", 1.1, |all| {
        let one = all.of(Work::LookUp, 1)?;
        // On the way that rowmill finds by itself.
        let bare = one.line("postgres, no pool, one client for each caller, Unix socket", 0);
        over(one.line("rowmill", 0), bare, |line| line.median(|cost| cost.answer.p50))
    }),
    at_least("W4 look-up: rate of 64 callers, sent together, beside deadpool", 2.0, |all| {
        let many = all.of(Work::LookUp, 64)?;
        over(many.line("rowmill, flights", 0), many.line("tokio-postgres + deadpool", 0), rate)
    }),
    at_least("W4 look-up: the same, deadpool told the Unix socket", 2.0, |all| {
        let many = all.of(Work::LookUp, 64)?;
        over(many.line("rowmill, flights", 0), told_the_socket(many), rate)
    }),
    at_most("W4 look-up: p99 of 64 callers, sent together, in ms", 1.0, |all| {
        let ours = all.of(Work::LookUp, 64)?.line("rowmill, flights", 0)?;
        Some(ours.median(|cost| cost.answer.p99) * 1e3)
    }),
    at_least("W4 transaction: rate of 8 callers, beside deadpool", 1.4, |all| {
        let eight = all.of(Work::Transaction, 8)?;
        over(eight.line("rowmill", 0), eight.line("tokio-postgres + deadpool", 0), rate)
    }),
    at_least("W4 transaction: the same, deadpool told the Unix socket", 1.4, |all| {
        let eight = all.of(Work::Transaction, 8)?;
        over(eight.line("rowmill", 0), told_the_socket(eight), rate)
    }),
    at_most("W4 check-out and return of an idle connection, in ns", 100.0, |all| {
        let alone = all.of(Work::LookUp, 1)?.line("rowmill, check-out and return alone", 0)?;
        Some(alone.median(|cost| cost.answer.p50) * 1e9)
    }),
    at_most("W5 copy: time, beside psql | psql", 0.7, |all| {
        let copy = all.of(Work::Copy, 1)?;
        over(copy.line("rowmill, job", 0), copy.line("psql | psql", 0), Line::seconds)
    }),
    at_most("W5 copy: time, beside pgcopydb", 0.7, |all| {
        let copy = all.of(Work::Copy, 1)?;
        over(copy.line("rowmill, job", 0), copy.line("pgcopydb", 0), Line::seconds)
    }),
    at_most("W6 bad rows: time, beside the same file without them", 1.2, |all| {
        let ours = |work| all.of(work, 1)?.line("rowmill, job", 0);
        over(ours(Work::Bad), ours(Work::File), Line::seconds)
    }),
    at_most("peak memory of rowmill in W1, W2, W3, W5 and W6, in MB", 64.0, |all| {
        let streams = |section: &&Section| !section.work.is_timed() && section.work != Work::Sleep;
        let lines = all.main.iter().filter(streams).flat_map(|section| &section.lines);
        let ours = lines.filter(|line| line.contender.kind == Kind::Ours && !line.costs.is_empty());
        let most = ours.map(memory).fold(0.0, f64::max) / 1e6;
        (most > 0.0).then_some(most)
    }),
    at_most("W1 load: time of a row with 10 times the data", 1.05, |all| {
        all.grown(Work::Load, Line::seconds, true)
    }),
    at_most("W1 file: time of a row with 10 times the data", 1.05, |all| {
        all.grown(Work::File, Line::seconds, true)
    }),
    at_most("W2 read: time of a row with 10 times the data", 1.05, |all| {
        all.grown(Work::Read, Line::seconds, true)
    }),
    at_most("W3 upsert: time of a row with 10 times the data", 1.05, |all| {
        all.grown(Work::Upsert, Line::seconds, true)
    }),
    at_most("W1: peak memory with 10 times the data", 1.1, |all| {
        let both = [Work::Load, Work::File].map(|work| all.grown(work, memory, false));
        both.into_iter().flatten().reduce(f64::max)
    }),
    at_most("W2: peak memory with 10 times the data", 1.1, |all| {
        all.grown(Work::Read, memory, false)
    }),
    at_most("W3: peak memory with 10 times the data", 1.1, |all| {
        all.grown(Work::Upsert, memory, false)
    }),
];

/// What was measured: the sections of all contenders, and those of the growing data.
pub struct Measured<'a> {
    pub main: &'a [Section],
    pub scaling: &'a [Section],
}

impl Measured<'_> {
    fn of(&self, work: Work, callers: usize) -> Option<&Section> {
        self.main.iter().find(|section| section.work == work && section.callers == callers)
    }

    /// A figure of rowmill with the most data beside that with the least, for a row or as it is.
    fn grown(&self, work: Work, figure: fn(&Line) -> f64, of_a_row: bool) -> Option<f64> {
        let mut sections = self.scaling.iter().filter(|section| section.work == work);
        let (first, last) = (sections.next()?, sections.next_back()?);
        let (last_line, first_line) = (fastest(last, Kind::Ours)?, fastest(first, Kind::Ours)?);
        let by = if of_a_row { last.rows as f64 / first.rows as f64 } else { 1.0 };
        Some(figure(last_line) / figure(first_line) / by)
    }
}

/// An aim, and what was reached.
pub struct Goal {
    aim: &'static Aim,
    ratio: f64,
}

/// Those that the measured sections tell something about.
pub fn of(measured: &Measured<'_>) -> Vec<Goal> {
    let goal = |aim: &'static Aim| Some(Goal { aim, ratio: (aim.ratio)(measured)? });
    AIMS.iter().filter_map(goal).collect()
}

impl Goal {
    pub fn reached(&self) -> bool {
        let Self { aim, ratio } = self;
        if aim.more { *ratio >= aim.limit } else { *ratio <= aim.limit }
    }

    pub fn row(&self) -> [String; 4] {
        let sign = if self.aim.more { "at least" } else { "at most" };
        let reached = if self.reached() { "reached" } else { "missed" };
        [
            self.aim.text.to_owned(),
            format!("{sign} {}", self.aim.limit),
            format!("{:.2}", self.ratio),
            reached.to_owned(),
        ]
    }

    /// Why it is missed, and what would have to change; nothing where it is reached.
    pub fn why(&self) -> Option<&'static str> {
        if self.reached() { None } else { reason(self.aim.text).or(Some(UNEXPLAINED)) }
    }
}

/// For each aim that is missed on the machine of the project why, and what would have to change: the
/// text of an aim after `## `, and what a profile said, in lines.
const REASONS: &str = include_str!("missed.md");

/// What is said of an aim that is missed for the first time.
const UNEXPLAINED: &str = "not explained yet: it was reached where the reasons were written";

fn reason(text: &str) -> Option<&'static str> {
    reasons().find(|(aim, _)| *aim == text).map(|(_, why)| why)
}

fn reasons() -> impl Iterator<Item = (&'static str, &'static str)> {
    let parts = REASONS.split("\n## ").skip(1);
    parts.map(|part| part.split_once('\n').unwrap_or((part, ""))).map(|(a, b)| (a, b.trim()))
}

fn client(line: &Line) -> f64 {
    line.median(|cost| cost.client)
}

fn rate(line: &Line) -> f64 {
    line.median(|cost| cost.answer.rate)
}

fn memory(line: &Line) -> f64 {
    line.median(|cost| cost.memory)
}

fn pair_of_loads(load: &Section) -> Option<(&Line, &Line)> {
    let tokio = load.line("tokio-postgres + deadpool, binary COPY", 2)?;
    Some((load.line("rowmill, job", 2)?, tokio))
}

fn pair_of_reads(read: &Section) -> (Option<&Line>, Option<&Line>) {
    let other = fastest_of(read, Kind::Async, |line| {
        line.contender.connections == 2 && line.contender.way == Way::Url
    });
    (read.line("rowmill, query", 2), other)
}

fn upsert(all: &Measured<'_>, work: Work, name: &str) -> Option<f64> {
    let section = all.of(work, 1)?;
    over(section.line(name, 0), fastest(section, Kind::Async), Line::seconds)
}

/// The fastest of those that have the URL of all.
pub fn fastest(section: &Section, kind: Kind) -> Option<&Line> {
    fastest_of(section, kind, |line| line.contender.way == Way::Url)
}

fn told_the_socket(section: &Section) -> Option<&Line> {
    fastest_of(section, Kind::Async, |line| line.contender.way == Way::Socket)
}

fn fastest_of(section: &Section, kind: Kind, keep: impl Fn(&Line) -> bool) -> Option<&Line> {
    let lines = section.lines.iter().filter(|line| !line.costs.is_empty());
    let lines = lines.filter(|line| line.contender.kind == kind && keep(line));
    lines.min_by(|a, b| a.seconds().total_cmp(&b.seconds()))
}

fn over(ours: Option<&Line>, other: Option<&Line>, figure: impl Fn(&Line) -> f64) -> Option<f64> {
    Some(figure(ours?) / figure(other?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_that_of_an_aim_and_says_something() {
        for (text, why) in reasons() {
            assert!(AIMS.iter().any(|aim| aim.text == text), "no aim is called {text:?}");
            assert!(!why.is_empty(), "{text} has no reason");
        }
        assert!(reasons().count() > 0);
    }
}
